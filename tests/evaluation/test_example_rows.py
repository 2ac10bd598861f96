"""Which images of a part are drawn."""

import numpy as np

from activation_study.evaluation.score import example_rows
from activation_study.metrics import Counts


def confusions(*correct: int, of: int = 10) -> Counts:
    """One image each with this many correct pixels of the first of two classes."""
    return np.array([[[right, of - right], [0, 0], [0, 5]] for right in correct], np.int64)


def test_images_are_spread_evenly_and_the_worst_is_last() -> None:
    assert example_rows(confusions(9, 9, 9, 9, 9, 9, 9, 9, 9, 1, 9)) == [0, 2, 4, 6, 8, 10, 9]
    assert example_rows(confusions(9, 9, 1, 9, 9, 9, 9, 9, 9, 9, 9)) == [0, 4, 6, 8, 10, 2]


def test_one_image_and_an_image_without_a_known_pixel_are_no_problem() -> None:
    assert example_rows(confusions(3)) == [0]
    unknown = np.concatenate([confusions(9, 8), np.zeros((1, 3, 2), np.int64)])
    assert example_rows(unknown) == [0, 2, 1]

"""What stands out in the classes, from confusion matrices that are written by hand."""

import numpy as np
import pytest

from activation_study.class_findings import ClassFindings, class_findings
from activation_study.metrics import Counts

CLASSES = ("background", "crack", "sign")


def pooled(*rows: tuple[int, int, int], unlabeled: tuple[int, int, int] = (0, 0, 0)) -> Counts:
    """Rows of true classes, columns of predicted ones."""
    return np.array([*rows, unlabeled], np.int64)


def test_a_rare_class_that_is_never_predicted_is_named() -> None:
    found = class_findings(pooled((9970, 0, 10), (20, 0, 0), (2, 0, 8)), CLASSES)
    assert found.never_predicted == ("crack",)
    assert found.sentences == ["crack: never predicted"]
    assert found.tags == {"never_predicted": "crack"}


def test_nothing_stands_out_in_a_good_run() -> None:
    found = class_findings(pooled((90, 5, 5), (1, 9, 0), (0, 1, 9)), CLASSES, training_pixels=dict.fromkeys(CLASSES, 1))
    assert found == ClassFindings("test")
    assert found.sentences == []
    assert found.tags == {}


def test_a_class_with_an_iou_of_0_that_is_predicted_somewhere_is_not_called_never_predicted() -> None:
    elsewhere = pooled((90, 3, 0), (10, 0, 0), (0, 0, 9))
    assert class_findings(elsewhere, CLASSES).never_predicted == ()
    on_unlabeled_pixels = pooled((90, 0, 0), (10, 0, 0), (0, 0, 9), unlabeled=(0, 4, 0))
    assert class_findings(on_unlabeled_pixels, CLASSES).never_predicted == ()


def test_classes_without_images_are_told_from_classes_that_are_not_predicted() -> None:
    counts = pooled((90, 5, 0), (0, 0, 0), (5, 5, 0))
    found = class_findings(counts, CLASSES, training_pixels={"background": 10, "crack": 10, "sign": 0})
    assert (found.missing, found.untrained, found.never_predicted) == (("crack",), ("sign",), ("sign",))
    assert found.sentences == ["sign: never predicted, not in the training images", "crack: not in the test images"]
    assert found.tags == {"never_predicted": "sign", "not_in_test": "crack", "not_in_training": "sign"}


def test_classes_with_the_same_facts_share_a_sentence() -> None:
    counts = pooled((90, 0, 0), (0, 0, 0), (0, 0, 0))
    found = class_findings(counts, CLASSES, training_pixels={"background": 10})
    assert found.sentences == ["crack, sign: not in the training images or the test images"]


@pytest.mark.parametrize(
    ("part", "place", "tag"),
    [
        ("validation", "validation images", "validation"),
        ("train", "training images", "train"),
        ("all", "scored images", "scored"),
    ],
)
def test_the_part_is_named(part: str, place: str, tag: str) -> None:
    found = class_findings(pooled((9, 0, 0), (0, 0, 0), (0, 0, 9)), CLASSES, part, {"background": 1, "sign": 1})
    places = [place] if part == "train" else ["training images", place]
    assert found.sentences == [f"crack: not in the {' or the '.join(places)}"]
    assert found.tags == {f"not_in_{tag}": "crack", "not_in_training": "crack"}


def test_almost_everything_became_one_class() -> None:
    found = class_findings(pooled((50, 0, 0), (19, 1, 0), (18, 0, 2)), CLASSES)
    assert found.swallowing == "background"
    assert found.swallowed == pytest.approx(37 / 40)
    assert found.sentences == [
        "almost everything became background: 92 % of the pixels of the other classes are predicted as it"
    ]
    assert found.warning == found.sentences[0]
    assert found.tags == {"almost_everything": "background"}
    assert found.fields["almost_everything"] == {"class": "background", "fraction": pytest.approx(37 / 40)}


def test_a_class_that_covers_almost_everything_may_be_predicted_almost_everywhere() -> None:
    assert class_findings(pooled((99_700, 100, 0), (60, 120, 0), (0, 0, 20)), CLASSES).swallowing is None


def test_the_only_class_of_the_truth_has_swallowed_nothing() -> None:
    assert class_findings(pooled((100, 0, 0), (0, 0, 0), (0, 0, 0)), CLASSES).swallowing is None


def test_a_class_that_is_not_in_the_truth_can_swallow_all_others() -> None:
    found = class_findings(pooled((0, 0, 30), (0, 1, 9), (0, 0, 0)), CLASSES)
    assert (found.swallowing, found.swallowed) == ("sign", pytest.approx(39 / 40))

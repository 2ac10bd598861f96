"""Labels on the page of a data set are drawn in the very colours of the legend."""

import numpy as np

from activation_study.evaluation.plots import outline
from activation_study.palette import rgb


def test_outlines_have_the_colours_of_their_classes_and_the_rest_is_the_image() -> None:
    colors = ("#112233", "#AABBCC")
    label = np.repeat(np.array([[0] * 8 + [1] * 8]), 6, axis=0)
    label[:, 15] = -1
    image = np.full((6, 16, 3), 100, np.uint8)
    drawn = outline(image, label, colors, width=2)
    assert (drawn[:, 6:8] == rgb(colors[0])).all()
    assert (drawn[:, 8:10] == rgb(colors[1])).all()
    assert (drawn[:, :6] == 100).all()
    assert (drawn[:, 10:] == 100).all()

"""Images on a page have the colours of its legend."""

import base64

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from activation_study.evaluation.plots import outline
from activation_study.palette import rgb
from activation_study.report.data_uris import image_uri, label_map_uri

COLORS = ("#117733", "#CC6677", "#F0E442")


def decoded(uri: str) -> NDArray[np.uint8]:
    content = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
    return np.asarray(cv2.cvtColor(cv2.imdecode(content, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)


def label() -> NDArray[np.int16]:
    ids = np.zeros((240, 320), np.int16)
    ids[:, 160:] = 1
    ids[120:] = 2
    return ids


@pytest.mark.parametrize("width", [1, 2])
def test_outlines_on_an_image_have_the_colors_of_the_legend(width: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    image = np.asarray(cv2.resize(image, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)
    outlined = outline(image, label(), COLORS, width)
    drawn = (outlined != image).any(axis=-1)
    error = np.abs(decoded(image_uri(outlined)).astype(int) - outlined).max(axis=-1)[drawn]
    assert drawn.sum() > 500
    assert error.mean() < 5
    assert error.max() < 30


@pytest.mark.parametrize(
    ("size", "expected"),
    [((2, 3000), (1, 320)), ((1, 1), (1, 1)), ((70_000, 4), (3200, 1)), ((6400, 640), (3200, 320)), ((8, 9), (8, 9))],
)
def test_images_of_any_shape_are_shown(size: tuple[int, int], expected: tuple[int, int]) -> None:
    image = np.full((*size, 3), (0x11, 0x77, 0x33), np.uint8)
    for shown in (decoded(image_uri(image)), decoded(label_map_uri(np.zeros(size, np.int16), COLORS))):
        assert shown.shape == (*expected, 3)
        assert np.abs(shown.astype(int) - image[0, 0]).max() <= 2


def test_a_label_map_has_exactly_the_colors_of_the_legend() -> None:
    expected = np.array([rgb(color) for color in COLORS])[label()]
    np.testing.assert_array_equal(decoded(label_map_uri(label(), COLORS)), expected)

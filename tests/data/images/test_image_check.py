"""What is wrong with the images of a data set: one message for each kind, with the override that mends it."""

import re
from typing import Any

import numpy as np
import pytest

from activation_study.data.images.image_check import ImageCheck, suggestion
from activation_study.data.images.image_reader import COLOR_IMAGES, ImageFacts, ImageReader
from data.images.test_image_reader import noise, npy, pillow, tiff


def checked(reader: ImageReader, *contents: bytes) -> ImageCheck:
    check = ImageCheck(reader)
    for index, content in enumerate(contents):
        check.size_of(f"{index}.tif", content)
    return check


def facts(dtype: str, low: float, high: float) -> ImageFacts:
    return ImageFacts((4, 4), 1, dtype, low, high)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (facts("uint16", 3, 3800), "[0,4095]"),
        (facts("uint16", 0, 1023), "[0,1023]"),
        (facts("uint16", 0, 200), "[0,255]"),
        (facts("int16", -1024, 3071), "[-1024,3071]"),
        (facts("int16", -1000, 1800), "[-1024,3071]"),
        (facts("int16", -30, 1800), "[-30,1800]"),
        (facts("int32", 0, 200_000), "[0,200000]"),
        (facts("float32", 0.01, 0.97), "[0,1]"),
        (facts("float32", 0.0, 0.01234567), "[0,0.01235]"),
        (facts("float32", -1.0, 1.0), "[-1,1]"),
        (facts("float64", -3.14159, 20000.5), "[-3.142,20001]"),
        (facts("float32", 2.0, 2.0), "[2,3]"),
    ],
)
def test_the_suggested_range_has_all_values(found: ImageFacts, expected: str) -> None:
    assert suggestion([found]) == f"data.value_range={expected}"


@pytest.mark.parametrize(
    ("missing", "text", "others", "expected"),
    [
        (-9999, "-9999", [0, 200], "[0,200]"),
        (np.finfo(np.float32).min, "-3.40282e+38", [0.1, 0.9], "[0,1]"),
        (np.finfo(np.float32).max, "3.40282e+38", [-10, 30], "[-10,30]"),
    ],
)
def test_the_suggested_range_leaves_out_values_for_missing_data(
    missing: float, text: str, others: list[float], expected: str
) -> None:
    image = tiff(np.array([[missing, missing], others], np.float32))
    nothing = tiff(np.full((2, 2), missing, np.float32))
    (problem,) = checked(ImageReader(1), image, nothing).problems()
    assert problem == (
        f"0.tif and 1 more image: float32, values from {others[0]:g} to {others[1]:g} (without {text}, which looks "
        f"like a value for missing data): set data.value_range={expected}"
    )
    low, high = map(float, expected.strip("[]").split(","))
    check = checked(ImageReader(1, (low, high)), image, nothing)
    assert [*check.problems(), *check.unusable(), *check.misfits()] == []


@pytest.mark.parametrize("channels", [1, 3])
def test_twelve_bits_in_sixteen_are_refused_with_the_range(channels: int) -> None:
    dark = noise(1, np.uint16, 4000)[..., 0]
    dark[0, :2] = 0, 4000
    content = [pillow(dark), tiff(dark // 2)]
    (problem,) = checked(ImageReader(channels), *content).problems()
    assert problem == (
        "0.tif and 1 more image: 16 bits, but values from 0 to 4000 of 0 to 65535, so nearly black: "
        "set data.value_range=[0,4095]"
    )
    assert not [*checked(ImageReader(channels, (0, 4095)), *content).problems()]
    bright = (dark.astype(np.float32) * 16).astype(np.uint16)
    assert not [*checked(ImageReader(channels), *content, tiff(bright)).problems()]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.array([[0, 0.5], [1, 0.25]], np.float32), "0.tif: float32, values from 0 to 1: set data.value_range=[0,1]"),
        (np.array([[-1024, 9], [3000, 0]], np.int16),
         "0.tif: int16, values from -1024 to 3000: set data.value_range=[-1024,3071]"),
    ],
)  # fmt: skip
def test_types_without_a_range_are_refused_with_theirs(values: Any, problem: str) -> None:
    for reader in (COLOR_IMAGES, ImageReader(1)):
        check = checked(reader, tiff(values))
        assert [*check.problems()] == [problem]
        assert next(check.unusable()).endswith(": expected 8 or 16 bits, as in training")


def test_channels_are_counted_and_the_fix_is_named() -> None:
    six = tiff(noise(6), photometric="minisblack", planarconfig="contig")
    check = checked(COLOR_IMAGES, six, pillow(noise(3)), six)
    assert [*check.problems()] == ["0.tif and 1 more image: 6 channels, but data.channels=3: set data.channels=6"]
    twelve = tiff(noise(12), photometric="minisblack", planarconfig="contig")
    assert [*checked(ImageReader(6), twelve).problems()] == [
        "0.tif: 12 channels, but data.channels=6: at most 8 are possible"
    ]
    assert next(check.unusable()) == "0.tif: 6 channels: expected 3 channels, as in training"


def test_values_that_are_no_numbers_are_counted() -> None:
    holes = np.full((4, 4), np.nan, np.float32)
    (problem,) = checked(ImageReader(1, (0, 1)), tiff(holes), tiff(holes)).problems()
    assert problem == "0.tif and 1 more image: values that are NaN or infinite: replace them by numbers"


def test_a_range_that_does_not_fit_is_refused() -> None:
    deep = np.full((4, 4), 3000, np.uint16)
    (problem,) = checked(ImageReader(1, (0, 1)), tiff(deep)).problems()
    assert problem == (
        "data.value_range=[0,1]: no image has values in it, they have values from 3000 to 3000: "
        "set data.value_range=[0,4095]"
    )
    assert [*checked(ImageReader(1, (0, 1)), tiff(deep)).unusable()] == [
        "0.tif: no value is in data.value_range=[0,1] of the training, they have values from 3000 to 3000"
    ]
    black = tiff(np.zeros((4, 4), np.float32))
    assert not [*checked(ImageReader(1, (0, 1)), black).unusable()], "0 is in the range"
    (problem,) = checked(ImageReader(1, (0, 4095)), tiff(deep), pillow(np.full((4, 4), 9, np.uint8))).problems()
    assert problem == (
        "1.tif: 8 bits, but others are uint16: data.value_range=[0,4095] fits only one of them: "
        "convert them to one type"
    )


@pytest.mark.parametrize("values", [np.full((4, 4), 3000, np.uint16), np.full((4, 4), 0.5, np.float32)])
def test_no_range_is_proposed_where_none_fits_all_images(values: Any) -> None:
    eight = pillow(np.full((4, 4), 9, np.uint8))
    (problem,) = checked(ImageReader(1), eight, tiff(values), eight).problems()
    assert problem.startswith("1.tif: ")
    assert problem.endswith(
        ": no data.value_range fits them and 0.tif and 1 more image of 8 bits: convert them to 8 bits, or the others "
        "to their type and range"
    )


@pytest.mark.parametrize(
    ("dtype", "high", "value_range", "problem"),
    [
        (np.uint8, 255, (0, 4095), r"8 bits, and data\.value_range=\[0,4095\]"),
        (np.uint16, 4095, (0, 1), r"whole numbers, and data\.value_range=\[0,1\]"),
        (np.uint8, 255, (0, 1), r"whole numbers, and data\.value_range=\[0,1\]"),
        (np.uint8, 255, (0, 255), None),
        (np.uint8, 60, (0, 64), None),
        (np.uint16, 4095, (0, 4095), None),
        (np.uint16, 40, (0, 4095), None),  # a dark image
        (np.float32, 1, (0, 1), None),
        (np.float32, 3, (0, 1), None),  # an overexposed image
        (np.float32, 255, (0, 1), r"values from 0 to 255, and data\.value_range=\[0,1\]"),
        (np.int16, 3071, (-150, 250), None),  # a window of computed tomography
        (np.uint8, 1, (0, 1), None),
    ],
)
def test_images_whose_type_does_not_fit_the_range_are_refused(
    dtype: Any, high: float, value_range: tuple[float, float], problem: str | None
) -> None:
    check = ImageCheck(ImageReader(1, value_range))
    values = np.linspace(0, high, 12).reshape(3, 4, 1).astype(dtype)
    check.size_of("a.npy", npy(values))
    for problems, ending in (
        (check.problems(), " does not fit them: set data"),
        (check.unusable(), " of the training "),
    ):
        found = list(problems)
        if problem is None:
            assert found == []
        else:
            assert re.match(f"a.npy: {problem}{ending}", found[0])


@pytest.mark.parametrize(
    ("dtype", "high", "value_range", "what", "fix"),
    [
        (np.uint16, 65535, (0, 4095), "more than half of the values are outside of", "[0,65535]"),
        (np.uint16, 4095, (0, 255), "more than half of the values are outside of", "[0,4095]"),
        (np.int16, 3071, (-150, 250), "more than half of the values are outside of", "[0,4095]"),
        (np.uint16, 4095, (0, 65535), "values from 0 to 4095 in data.value_range=[0,65535], so near", "[0,4095]"),
        (np.float32, 1, (0, 255), "values from 0 to 1 in data.value_range=[0,255], so nearly black", "[0,1]"),
        (np.uint16, 4095, (0, 4095), None, None),
        (np.uint16, 4095, (0, 2400), None, None),
        (np.uint16, 1100, (0, 4095), None, None),
        (np.uint8, 60, (0, 255), None, None),  # of the type
        (np.uint16, 4095, None, None, None),
    ],
)  # fmt: skip
def test_a_range_that_hardly_fits_is_told_with_one_that_does(
    dtype: Any, high: float, value_range: Any, what: str | None, fix: str | None
) -> None:
    check = ImageCheck(ImageReader(1, value_range))
    for name in "ab":
        check.size_of(f"{name}.npy", npy(np.linspace(0, high, 12).reshape(3, 4, 1).astype(dtype)))
    found = list(check.misfits())
    if what is None:
        assert found == []
    else:
        ((text, override),) = found
        assert text.startswith(f"a.npy and 1 more image: {what}")
        assert override == f"data.value_range={fix}"


def test_highlights_and_single_dark_images_fit_a_range() -> None:
    values = np.linspace(0, 1, 300, dtype=np.float32).reshape(10, 30)
    values[0, 0] = 9
    check = checked(ImageReader(1, (0, 1)), tiff(values), tiff(values / 20))
    assert [*check.problems(), *check.unusable(), *check.misfits()] == []

"""Labels: the text parser, the targets of the label types, resizing."""

import contextlib
import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from activation_study.data.labels.label_text import raw_range, read_label
from activation_study.data.labels.label_types import LABEL_TYPES, border_map, interpolation_for, resize_label
from activation_study.data.labels.nearest import resize_nearest

matrices = hnp.arrays(
    np.int16,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.one_of(st.integers(-1, 9), st.integers(-32768, 32767)),
)
blanks = st.text(" \t", min_size=1, max_size=3)


def text_of(matrix: np.ndarray, separator: str = " ", end: str = "\n", margin: str = "") -> bytes:
    return "".join(margin + separator.join(map(str, row)) + margin + end for row in matrix.tolist()).encode()


# --- reading ---------------------------------------------------------------------------------------------------------


@given(matrices, blanks, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", " ", "\t "]), st.integers(0, 2))
def test_a_matrix_written_as_text_is_read_unchanged(matrix, separator, end, margin, empty_lines_after):
    content = text_of(matrix, separator, end, margin) + end.encode() * empty_lines_after
    read = read_label(content)
    assert read.dtype == np.int16
    np.testing.assert_array_equal(read, matrix)


@given(hnp.arrays(np.int16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(-1, 9)))
def test_the_fast_parser_of_one_digit_ids_agrees_with_the_general_one(matrix):
    usual = text_of(matrix)
    np.testing.assert_array_equal(read_label(usual), read_label(usual.replace(b" ", b"  ").replace(b"\n", b" \n")))


@given(st.binary(max_size=60))
@settings(max_examples=300)
def test_garbage_raises_value_error_only(content):
    with contextlib.suppress(ValueError):
        assert read_label(content).ndim == 2


def parse_by_token(content: bytes) -> list[list[int]] | None:
    """A simple parser of the same format, token by token; None if the content is invalid."""
    lines = [line.split() for line in content.rstrip(b" \t\r\n").split(b"\n")]
    tokens = [token for line in lines for token in line]
    if not tokens or len({len(line) for line in lines}) != 1 or not lines[0]:
        return None
    if not all(token.removeprefix(b"-").isdigit() and -32768 <= int(token) <= 32767 for token in tokens):
        return None
    return [[int(token) for token in line] for line in lines]


@given(st.text("0123456789-/ \t\n", max_size=30).map(str.encode))
@settings(max_examples=1000)
def test_near_misses_are_accepted_or_refused_as_by_a_simple_parser(content):
    expected = parse_by_token(content)
    if expected is None:
        with pytest.raises(ValueError, match=r"line|empty"):
            read_label(content)
    else:
        assert read_label(content).tolist() == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty: expected one line of integers per image row"),
        (b" \n\r\n\t", "empty: expected one line of integers per image row"),
        (b"1 2\n3\n4 5\n", "line 2 has 1 value, expected 2 as in line 1"),
        (b"10 2\n3 4\n5 6 7\n", "line 3 has 3 values, expected 2 as in line 1"),
        (b"1 2\n\n3 4\n", "line 2 is empty"),
        (b"\n1 2\n", "line 1 is empty"),
        (b"1 2\n3 x\n", "line 2: 'x' is not an integer"),
        (b"1 2.0\n", "line 1: '2.0' is not an integer"),
        (b"1 2\n1 NaN\n", "line 2: 'NaN' is not an integer"),
        (b"1 1-2\n", "line 1: '1-2' is not an integer"),
        (b"1 --1\n", "line 1: '--1' is not an integer"),
        (b"1 +1\n", "line 1: '+1' is not an integer"),
        (b"1 -\n", "line 1: '-' is not an integer"),
        (b"1 1_0\n", "line 1: '1_0' is not an integer"),
        (b"# 1\n", "line 1: '#' is not an integer"),
        (b"1,2\n", "line 1: '1,2' is not an integer"),
        (b"\xef\xbb\xbf1 2\n", "line 1: '\\ufeff1' is not an integer"),
        (b"1 2\x00\n", "line 1: '2\\x00' is not an integer"),
        ("1 ²\n".encode(), "line 1: '²' is not an integer"),
        (b"1 2\n3 32768\n", "line 2: 32768 is out of range: expected -32768 to 32767"),
        (b"-32769 2\n", "line 1: -32769 is out of range: expected -32768 to 32767"),
        (b"1 2\r3 4\r", "lines end with CR: expected LF or CRLF"),
    ],
)
def test_an_invalid_label_is_refused_with_the_exact_reason(content, reason):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the whole message is compared below)
        read_label(content)
    assert str(error.value) == reason


def test_a_value_of_thousands_of_digits_is_out_of_range_unless_they_are_leading_zeros():
    with pytest.raises(ValueError, match=r"line 1: 9{40} is out of range"):
        read_label(b"1 " + b"9" * 10_000)
    assert read_label(b"0" * 10_000 + b"7 -00012").tolist() == [[7, -12]]


def test_real_label_files_are_read_as_by_loadtxt(stanford_root: Path):
    paths = sorted((stanford_root / "labels").iterdir())[::17]
    paths += [stanford_root / f"labels/2000033.{name}.txt" for name in LABEL_TYPES]  # two thirds are unknown
    for path in paths:
        content = path.read_bytes()
        np.testing.assert_array_equal(
            read_label(content), np.loadtxt(io.BytesIO(content), np.int16, ndmin=2), err_msg=path.name
        )


# --- label types -----------------------------------------------------------------------------------------------------


def test_the_three_label_types_have_the_article_s_classes_in_order():
    assert LABEL_TYPES["regions"].classes == (
        "sky", "tree", "road", "grass", "water", "building", "mountain", "foreground object",
    )  # fmt: skip
    assert LABEL_TYPES["surfaces"].classes == ("sky", "horizontal", "vertical")
    assert LABEL_TYPES["layers"].classes == ("interior", "border")
    assert [raw_range(name) for name in LABEL_TYPES] == [(-1, 7), (-1, 2), (-1, 32767)]


def test_the_targets_of_regions_and_surfaces_are_the_labels_themselves():
    raw = np.array([[-1, 0], [1, 2]], np.int16)
    for name in ("regions", "surfaces"):
        np.testing.assert_array_equal(LABEL_TYPES[name].target(raw), raw)


def border_by_loops(ids: np.ndarray, width: int) -> np.ndarray:
    border = np.zeros(ids.shape, np.int16)
    for row, column in np.ndindex(*ids.shape):
        near = ids[max(row - width, 0) : row + width + 1, max(column - width, 0) : column + width + 1]
        known = near[near >= 0]
        border[row, column] = -1 if ids[row, column] < 0 else bool((known != ids[row, column]).any())
    return border


@given(
    hnp.arrays(
        np.int16,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=14),
        elements=st.sampled_from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 134, 32767, -1]),
    ),
    st.integers(0, 3),
)
def test_the_border_map_equals_a_loop_over_all_neighbourhoods(ids, width):
    border = border_map(ids, width)
    assert border.dtype == np.int16
    np.testing.assert_array_equal(border, border_by_loops(ids, width))


def test_the_target_of_layers_marks_two_pixels_on_each_side_of_a_border():
    raw = np.array([[5] * 5 + [90] * 5] * 3, np.int16)
    assert LABEL_TYPES["layers"].target(raw).tolist() == [[0, 0, 0, 1, 1, 1, 1, 0, 0, 0]] * 3


# --- resizing --------------------------------------------------------------------------------------------------------


def resized_by_the_article(label: np.ndarray, size: tuple[int, int], classes: int) -> np.ndarray:
    """The article's code: float64, bilinear (OpenCV's default), one-hot by equality; then ids again, −1 = all-zero."""
    height, width = size
    mask = cv2.resize(label.astype(np.float64), (width, height))
    one_hot = np.stack([mask == index for index in range(classes)], axis=-1)
    return np.where(one_hot.any(-1), one_hot.argmax(-1), -1)


small_labels = hnp.arrays(
    np.int16, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20), elements=st.integers(-1, 7)
)


@given(small_labels, st.integers(1, 24), st.integers(1, 24))
def test_bilinear_resizing_equals_the_article_s_code(label, height, width):
    resized = resize_label(label, (height, width), "bilinear")
    assert resized.dtype == np.int8
    np.testing.assert_array_equal(resized, resized_by_the_article(label, (height, width), 8))


def test_bilinear_resizing_of_real_labels_equals_the_article_s_code_and_makes_pixels_unknown(stanford_root: Path):
    unknown = []
    for path in sorted((stanford_root / "labels").glob("*.regions.txt"))[::30]:
        label = read_label(path.read_bytes())
        resized = resize_label(label, (224, 224), "bilinear")
        np.testing.assert_array_equal(resized, resized_by_the_article(label, (224, 224), 8), err_msg=path.name)
        unknown.append((resized < 0).mean() - (label < 0).mean())
    assert 0.01 < np.mean(unknown) < 0.05  # the article's protocol loses about 2 % of the pixels


@given(small_labels, st.integers(1, 24), st.integers(1, 24))
def test_nearest_resizing_takes_the_ids_of_existing_pixels(label, height, width):
    resized = resize_label(label, (height, width), "nearest")
    assert resized.dtype == np.int8
    np.testing.assert_array_equal(resized, resize_nearest(label, (height, width)))


def test_the_size_is_height_then_width():
    label = np.zeros((10, 20), np.int16)
    assert resize_label(label, (3, 7), "nearest").shape == (3, 7)
    assert resize_label(label, (3, 7), "bilinear").shape == (3, 7)


def test_layers_are_always_resized_by_nearest_neighbour():
    assert interpolation_for(LABEL_TYPES["layers"], "bilinear") == "nearest"
    assert interpolation_for(LABEL_TYPES["regions"], "bilinear") == "bilinear"


def test_ids_that_do_not_fit_and_unknown_interpolations_are_refused():
    with pytest.raises(ValueError, match="class id 128 does not fit"):
        resize_label(np.full((2, 2), 128, np.int16), (1, 1), "nearest")
    with pytest.raises(ValueError, match="interpolation 'cubic' of labels: expected 'bilinear' or 'nearest'"):
        resize_label(np.zeros((2, 2), np.int16), (1, 1), "cubic")  # type: ignore[arg-type]

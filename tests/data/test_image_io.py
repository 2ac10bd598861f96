"""Pictures and label images of every usual kind, and the reason why a file is none."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from activation_study.data.image_io import check_whole, read_label_image, read_picture

COLORS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)  # RGB


def encoded(array: NDArray[Any], kind: str = "PNG", mode: str | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    picture = Image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(file, kind, **options)
    return file.getvalue()


def oriented(array: NDArray[Any], kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    return encoded(array, kind, exif=exif)


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is so large, and has next to nothing in it."""
    chunks = b""
    for name, data in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1000))),
        (b"IEND", b""),
    ):
        chunks += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_colours_come_as_opencv_has_them(kind: str) -> None:
    np.testing.assert_array_equal(read_picture(encoded(COLORS, kind)), COLORS[..., ::-1])


def test_lossy_formats_come_close() -> None:
    smooth = np.repeat(np.repeat(np.array([[[200, 40, 90]]], np.uint8), 32, 0), 48, 1)
    for kind in ("JPEG", "WEBP"):
        assert np.abs(read_picture(encoded(smooth, kind)).astype(int) - smooth[..., ::-1]).max() < 8


def test_other_kinds_of_pixels_become_colours() -> None:
    grey = COLORS[..., 0]
    as_colors = np.repeat(grey[..., None], 3, axis=-1)
    np.testing.assert_array_equal(read_picture(encoded(grey)), as_colors)
    np.testing.assert_array_equal(read_picture(encoded(grey.astype(np.uint16) * 256 + 7)), as_colors)  # 16 bits
    transparent = np.dstack([COLORS, np.full(COLORS.shape[:2], 3, np.uint8)])
    np.testing.assert_array_equal(read_picture(encoded(transparent)), COLORS[..., ::-1])
    assert read_picture(encoded(COLORS, mode="P")).shape == (6, 9, 3)
    assert read_picture(encoded(COLORS, "JPEG", mode="CMYK")).shape == (6, 9, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_turned_as_viewers_show_it(kind: str) -> None:
    half = np.zeros((32, 48, 3), np.uint8)
    half[:, :24] = 255  # white on the left; turned clockwise it is on top
    turned = read_picture(oriented(half, kind))
    assert turned.shape == (48, 32, 3)
    assert turned[:20].min() > 200
    assert turned[28:].max() < 50


@pytest.mark.parametrize(
    ("ids", "options"),
    [
        (np.arange(54, dtype=np.uint8).reshape(6, 9), {}),
        (np.arange(54, dtype=np.uint16).reshape(6, 9) * 1200, {}),
        (np.arange(54, dtype=np.uint8).reshape(6, 9) % 2 > 0, {}),
    ],
)
def test_the_values_of_a_grey_label_are_its_ids(ids: NDArray[Any], options: dict[str, Any]) -> None:
    np.testing.assert_array_equal(read_label_image(encoded(ids, **options)), ids)


def test_the_indices_of_an_indexed_label_are_its_ids() -> None:
    ids = np.arange(54, dtype=np.uint8).reshape(6, 9) % 16
    picture = Image.fromarray(ids, "L")
    picture.putpalette(list(np.random.default_rng(1).integers(0, 256, 48)))
    for bits in (4, 8):
        file = io.BytesIO()
        picture.save(file, "PNG", bits=bits, transparency=0)
        np.testing.assert_array_equal(read_label_image(file.getvalue()), ids)


@pytest.mark.parametrize("depth", [2, 4])
def test_grey_of_few_bits_is_not_spread(depth: int) -> None:
    ids = np.arange(2**depth, dtype=np.uint8)[None]
    bits = "".join(f"{each:0{depth}b}" for each in ids[0])
    line = b"\0" + bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))
    chunks = b""
    for name, data in (
        (b"IHDR", struct.pack(">IIBBBBB", ids.shape[1], 1, depth, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(line)),
        (b"IEND", b""),
    ):
        chunks += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    np.testing.assert_array_equal(read_label_image(b"\x89PNG\r\n\x1a\n" + chunks), ids)


WHOLE = encoded(np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8))
PHOTO = encoded(np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8), "JPEG")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty file"),
        (b"GIF89a\x01\x00\x01\x00", "no JPEG, PNG, BMP, TIFF, WEBP file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no JPEG, PNG, BMP, TIFF, WEBP file"),
        (WHOLE[: len(WHOLE) // 2], "cannot be decoded: image file is truncated"),
        (PHOTO[: len(PHOTO) // 2], "cannot be decoded: image file is truncated"),
        (WHOLE[:200] + bytes(50) + WHOLE[250:], "cannot be decoded"),
        (png_header(20_000, 4_000), "20000×4000 pixels: expected at most 64,000,000"),
        (png_header(10_000, 10_000), "10000×10000 pixels: expected at most 64,000,000"),
        (png_header(60_000, 60_000), "more than 64,000,000 pixels"),
        (png_header(0, 5), "no JPEG, PNG, BMP, TIFF, WEBP file"),
    ],
    ids=["empty", "gif", "svg", "half a png", "half a jpeg", "damaged", "80 MP", "100 MP", "a bomb", "no width"],
)
def test_a_file_that_is_no_picture_says_why(content: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_whole(content)
    if "truncated" not in told and "decoded" not in told:
        with pytest.raises(ValueError, match=told):
            read_picture(content)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (encoded(COLORS), r"colours \(RGB\): expected an indexed or grey PNG"),
        (encoded(COLORS, mode="LA"), r"colours \(LA\)"),
        (encoded(COLORS[..., 0], "JPEG"), "no PNG file"),
        (b"", "empty file"),
        (encoded(np.random.default_rng(0).integers(0, 9, (80, 90), dtype=np.uint8))[:900], "truncated"),
    ],
)
def test_a_file_that_is_no_label_image_says_why(content: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_label_image(content)

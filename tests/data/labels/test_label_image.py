"""Label images of all supported formats: their ids, their colours, and the reasons why others are refused."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from activation_study.data.labels.label_image import read_label_image
from data.images.test_image_reader import tiff

COLORS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)  # RGB
PACKED = COLORS.astype(int) @ (65536, 256, 1)
IDS = np.arange(54, dtype=np.uint8).reshape(6, 9)


def encoded(array: NDArray[Any], file_format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, file_format, **options)
    return file.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "BMP", "GIF"])
@pytest.mark.parametrize("ids", [IDS, IDS.astype(np.uint16) * 1200, IDS % 2 > 0], ids=["8 bit", "16 bit", "1 bit"])
def test_the_values_of_a_grey_label_image_are_the_ids(ids: NDArray[Any], file_format: str) -> None:
    if file_format in ("BMP", "GIF") and ids.dtype != np.uint8:
        return  # they have no 16 bits, and Pillow stores 1 bit of GIF as 0 and 255
    np.testing.assert_array_equal(read_label_image(encoded(ids, file_format)).values, ids)


@pytest.mark.parametrize("values", [(0, 1), (0, 2), (3, 7), (0, 255), (5,), range(60, 120)])
def test_the_values_of_a_grey_gif_are_its_grey_values_however_it_numbers_them(values: Any) -> None:
    ids = np.resize(np.array(values, np.uint8), (8, 9))
    image = read_label_image(encoded(ids, "GIF"))
    np.testing.assert_array_equal(image.values, ids)
    np.testing.assert_array_equal(image.colors(), ids.astype(int) * 0x010101)
    assert image.palette is None


def test_the_indices_of_a_coloured_gif_are_its_values() -> None:
    image = Image.fromarray(IDS % 3)
    image.putpalette([0, 0, 0, 128, 0, 0, 128, 128, 128])
    file = io.BytesIO()
    image.save(file, "GIF", optimize=False)
    np.testing.assert_array_equal(read_label_image(file.getvalue()).values, IDS % 3)


def test_the_indices_of_an_indexed_label_image_are_the_ids() -> None:
    ids = np.arange(54, dtype=np.uint8).reshape(6, 9) % 16
    image = Image.fromarray(ids, "L")
    image.putpalette(list(np.random.default_rng(1).integers(0, 256, 48)))
    for bits in (4, 8):
        file = io.BytesIO()
        image.save(file, "PNG", bits=bits, transparency=0)
        np.testing.assert_array_equal(read_label_image(file.getvalue()).values, ids)


@pytest.mark.parametrize("depth", [2, 4])
def test_grey_values_of_few_bits_are_not_scaled(depth: int) -> None:
    ids = np.arange(2**depth, dtype=np.uint8)[None]
    bits = "".join(f"{value:0{depth}b}" for value in ids[0])
    line = b"\0" + bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits), 8))
    chunks = b""
    for name, data in (
        (b"IHDR", struct.pack(">IIBBBBB", ids.shape[1], 1, depth, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(line)),
        (b"IEND", b""),
    ):
        chunks += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    np.testing.assert_array_equal(read_label_image(b"\x89PNG\r\n\x1a\n" + chunks).values, ids)


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_whole_numbers_of_32_bits_are_ids(dtype: type) -> None:
    np.testing.assert_array_equal(read_label_image(encoded(IDS.astype(dtype) * 1000, "TIFF")).values, IDS * 1000.0)


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint32", "int64", "uint64", "float16", "float64"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_whole_numbers_of_any_type_are_ids_in_a_tiff(dtype: str, byteorder: Any) -> None:
    image = read_label_image(tiff(IDS.astype(dtype), byteorder=byteorder))
    np.testing.assert_array_equal(image.values, IDS)
    assert image.colors() is None or dtype == "int8"


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "BMP"])
def test_a_colour_image_has_colours_and_no_ids(file_format: str) -> None:
    image = read_label_image(encoded(COLORS, file_format))
    assert image.is_color
    assert image.ids() is None
    np.testing.assert_array_equal(image.colors(), PACKED)


def test_three_equal_channels_are_ids_and_grey_colours() -> None:
    image = read_label_image(encoded(np.dstack([IDS] * 3)))
    np.testing.assert_array_equal(image.ids(), IDS)
    np.testing.assert_array_equal(image.colors(), IDS.astype(int) * 0x010101)


def test_an_opaque_alpha_channel_is_dropped_and_transparency_is_refused() -> None:
    alpha = np.full(IDS.shape, 255, np.uint8)
    np.testing.assert_array_equal(read_label_image(encoded(np.dstack([COLORS, alpha]))).colors(), PACKED)
    alpha[0, :] = 0
    with pytest.raises(ValueError, match=r"16\.7% of its pixels are transparent"):
        read_label_image(encoded(np.dstack([COLORS, alpha])))


def test_an_indexed_image_has_the_colours_of_its_palette() -> None:
    image = Image.fromarray(IDS % 3)
    image.putpalette([1, 2, 3, 128, 0, 0, 255, 255, 255])
    file = io.BytesIO()
    image.save(file, "PNG")
    expected = np.array([0x010203, 0x800000, 0xFFFFFF])[IDS % 3]
    np.testing.assert_array_equal(read_label_image(file.getvalue()).colors(), expected)


def test_grey_values_are_colours_of_8_bits_or_less() -> None:
    np.testing.assert_array_equal(read_label_image(encoded(IDS)).colors(), IDS.astype(int) * 0x010101)
    np.testing.assert_array_equal(read_label_image(encoded(IDS % 2 > 0)).colors(), (IDS % 2).astype(int) * 0xFFFFFF)
    assert read_label_image(encoded(IDS.astype(np.uint16))).colors() is None


SMALL = np.random.default_rng(0).integers(0, 9, (80, 90), dtype=np.uint8)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encoded(COLORS[..., 0], "JPEG"), "a JPEG file: its compression changes values: export the labels as PNG"),
        (encoded(COLORS, "WEBP"), "a WEBP file: its compression changes values"),
        (encoded(SMALL, "TIFF", compression="jpeg"), "a TIFF file: its compression changes values"),
        (encoded(IDS / np.float32(3), "TIFF"), "floating-point values that are not whole: expected ids"),
        (encoded(IDS.astype(np.int32) - 1, "TIFF"), "values from -1 to 52: expected ids from 0 to 65535"),
        (encoded(IDS, "TIFF", save_all=True, append_images=[Image.fromarray(IDS)]), "2 images in one file"),
        (
            tiff(IDS.astype(np.int64) * 10_000),
            "int64 values from 0 to 530000: expected ids from 0 to 65535; save the labels",
        ),
        (
            tiff(IDS.astype(np.int64) - 1),
            "int64 values from -1 to 52: expected ids from 0 to 65535; save the labels as u",
        ),
        (tiff(IDS / np.float64(3)), "floating-point values that are not whole: expected ids; save the labels as uint8"),
        (tiff(np.where(IDS, IDS, np.inf).astype(np.float16)), "float16 values from 1 to inf: expected ids from 0 to"),
        (tiff(IDS.astype(np.complex64)), "complex64 values: expected ids; save the labels as uint8 or uint16"),
        (
            tiff(np.dstack([IDS] * 3).astype(np.float32), photometric="rgb"),
            "3 channels of float32 values: expected one",
        ),
        (tiff(COLORS.astype(np.uint16) * 257, photometric="rgb"), "16 bits per channel: expected 8 bits per channel"),
        (tiff(np.dstack([COLORS, IDS]).astype(np.uint16), photometric="rgb"), "16 bits per channel: expected 8 bits"),
        (
            tiff(np.dstack([IDS] * 2).astype(np.uint16), photometric="minisblack", planarconfig="contig"),
            "2 channels of",
        ),
        (tiff(IDS.astype(np.int64))[:300], "cannot be decoded: the file is truncated"),
        (b"", "empty file"),
        (encoded(SMALL)[:900], "truncated"),
    ],
)
def test_an_invalid_label_image_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_label_image(content)

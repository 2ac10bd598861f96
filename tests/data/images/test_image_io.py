"""Images and label images in all supported formats, and the reasons why others are refused."""

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from activation_study.data.images.image_io import check_image, read_image, read_jpeg

COLORS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)  # RGB


def encoded(array: NDArray[Any], file_format: str = "PNG", mode: str | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(file, file_format, **options)
    return file.getvalue()


def oriented(array: NDArray[Any], file_format: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # viewers rotate it by 90° clockwise
    return encoded(array, file_format, exif=exif)


def png_header(width: int, height: int) -> bytes:
    """A PNG with this size in its header and few pixels."""
    chunks = b""
    for name, data in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1000))),
        (b"IEND", b""),
    ):
        chunks += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF"])
def test_colours_are_in_opencv_order(file_format: str) -> None:
    np.testing.assert_array_equal(read_image(encoded(COLORS, file_format)), COLORS[..., ::-1])


def test_lossy_formats_are_close() -> None:
    smooth = np.repeat(np.repeat(np.array([[[200, 40, 90]]], np.uint8), 32, 0), 48, 1)
    for file_format in ("JPEG", "WEBP"):
        assert np.abs(read_image(encoded(smooth, file_format)).astype(int) - smooth[..., ::-1]).max() < 8


def test_other_pixel_formats_are_converted_to_colours() -> None:
    grey = COLORS[..., 0]
    as_colors = np.repeat(grey[..., None], 3, axis=-1)
    np.testing.assert_array_equal(read_image(encoded(grey)), as_colors)
    np.testing.assert_array_equal(read_image(encoded(grey.astype(np.uint16) * 256 + 7)), as_colors)  # 16 bits
    transparent = np.dstack([COLORS, np.full(COLORS.shape[:2], 3, np.uint8)])
    np.testing.assert_array_equal(read_image(encoded(transparent)), COLORS[..., ::-1])
    assert read_image(encoded(COLORS, mode="P")).shape == (6, 9, 3)
    assert read_image(encoded(COLORS, "JPEG", mode="CMYK")).shape == (6, 9, 3)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_image_is_rotated_by_its_exif_orientation(file_format: str) -> None:
    half = np.zeros((32, 48, 3), np.uint8)
    half[:, :24] = 255  # white on the left, after the rotation on top
    rotated = read_image(oriented(half, file_format))
    assert rotated.shape == (48, 32, 3)
    assert rotated[:20].min() > 200
    assert rotated[28:].max() < 50


PNG_FILE = encoded(np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8))
JPEG_FILE = encoded(np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8), "JPEG")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"GIF89a\x01\x00\x01\x00", "not a JPEG or PNG or BMP or TIFF or WEBP file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG or PNG or BMP or TIFF or WEBP file"),
        (PNG_FILE[: len(PNG_FILE) // 2], "cannot be decoded: image file is truncated"),
        (JPEG_FILE[: len(JPEG_FILE) // 2], "truncated: the end marker is missing"),
        (PNG_FILE[:200] + bytes(50) + PNG_FILE[250:], "cannot be decoded"),
        (png_header(20_000, 4_000), "20000×4000 pixels: expected at most 64,000,000"),
        (png_header(10_000, 10_000), "10000×10000 pixels: expected at most 64,000,000"),
        (png_header(60_000, 60_000), "more than 64,000,000 pixels"),
        (png_header(0, 5), "not a JPEG or PNG or BMP or TIFF or WEBP file"),
    ],
    ids=["empty", "gif", "svg", "half a png", "half a jpeg", "damaged", "80 MP", "100 MP", "a bomb", "no width"],
)
def test_an_invalid_image_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_image(content)
    if "decoded" not in reason:
        with pytest.raises(ValueError, match=reason):
            read_image(content)


# --- JPEG in stored orientation -------------------------------------------------------------------------------------


def one_colour(height: int, width: int, *flags: int) -> bytes:
    """A JPEG file of one colour."""
    return cv2.imencode(".jpg", np.full((height, width, 3), 90, np.uint8), list(flags))[1].tobytes()


def test_the_exif_orientation_is_ignored() -> None:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6: rotated by 90°
    plain = one_colour(12, 16)
    rotated = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + plain[2:]
    assert read_image(rotated).shape == (16, 12, 3)
    np.testing.assert_array_equal(read_jpeg(rotated), read_jpeg(plain))


def test_grey_and_progressive_images_have_three_channels() -> None:
    grey = cv2.imencode(".jpg", np.full((12, 16), 90, np.uint8))[1].tobytes()
    assert read_jpeg(grey).shape == (12, 16, 3)
    assert read_jpeg(one_colour(12, 16, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)).shape == (12, 16, 3)


def test_cmyk_images_are_converted() -> None:
    content = io.BytesIO()
    Image.new("CMYK", (16, 12), (255, 0, 0, 0)).save(content, "JPEG")
    blue, green, red = read_jpeg(content.getvalue()).mean((0, 1))
    assert red < 60 < 100 < min(green, blue)


def test_images_are_bgr() -> None:
    blue = np.zeros((16, 16, 3), np.uint8)
    blue[..., 0] = 250
    assert read_jpeg(cv2.imencode(".jpg", blue)[1].tobytes()).mean((0, 1)).argmax() == 0


def with_thumbnail(content: bytes) -> bytes:
    """The JPEG with an embedded one right before its pixels, so that a cut file may still contain an end marker."""
    thumbnail = one_colour(8, 8)
    start_of_scan = content.index(b"\xff\xda")
    segment = b"\xff\xe2" + (len(thumbnail) + 2).to_bytes(2) + thumbnail
    return content[:start_of_scan] + segment + content[start_of_scan:]


JPEGS = {
    "baseline": cv2.imencode(".jpg", COLORS)[1].tobytes(),
    "one colour": one_colour(12, 16),
    "grey": cv2.imencode(".jpg", COLORS[..., 0])[1].tobytes(),
    "progressive": cv2.imencode(".jpg", COLORS, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes(),
    "restart markers": cv2.imencode(".jpg", COLORS, [cv2.IMWRITE_JPEG_RST_INTERVAL, 1])[1].tobytes(),
}


@pytest.mark.parametrize("thumbnail", [False, True], ids=["plain", "thumbnail"])
@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_cut_at_any_byte_is_refused_at_each_read(kind: str, thumbnail: bool) -> None:
    whole = with_thumbnail(JPEGS[kind]) if thumbnail else JPEGS[kind]
    check_image(whole)
    np.testing.assert_array_equal(read_jpeg(whole), read_jpeg(JPEGS[kind]))
    for end in range(len(whole)):
        with pytest.raises(ValueError, match=r"^(empty file|not a JPEG file|cannot be decoded|truncated)"):
            read_jpeg(whole[:end])


def test_damaged_metadata_does_not_matter() -> None:
    plain = one_colour(12, 16)
    exif = b"Exif\0\0MM\0*\0\0\xff\xff"  # Pillow would warn about it
    damaged = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + plain[2:]
    check_image(damaged)
    np.testing.assert_array_equal(read_jpeg(damaged), read_jpeg(plain))

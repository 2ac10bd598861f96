"""Images of any type and number of channels, as a run reads them."""

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from activation_study.data.images.image_io import read_image
from activation_study.data.images.image_reader import (
    COLOR_IMAGES,
    ImageFacts,
    ImageReader,
    NotFinite,
    WrongChannels,
    to_uint8,
)
from activation_study.data.images.input_convention import displayed

GENERATOR = np.random.default_rng(0)
SIZE = (40, 50)


def noise(channels: int, dtype: Any = np.uint8, high: float = 256) -> NDArray[Any]:
    return (GENERATOR.random((*SIZE, channels)) * high).astype(dtype)


def tiff(values: NDArray[Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, **options)
    return stream.getvalue()


def pillow(values: NDArray[Any], file_format: str = "PNG", mode: str | None = None, **options: Any) -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(values)
    (image.convert(mode) if mode else image).save(stream, file_format, **options)
    return stream.getvalue()


def npy(values: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def layouts(values: NDArray[Any]) -> dict[str, bytes]:
    """Several channels, as programs write them."""
    first = np.moveaxis(values, -1, 0)
    plain: dict[str, Any] = {"photometric": "minisblack"}
    return {
        "interleaved": tiff(values, **plain, planarconfig="contig"),
        "strips, deflate": tiff(values, **plain, planarconfig="contig", compression="zlib", rowsperstrip=8),
        "planes": tiff(first, **plain, planarconfig="separate"),
        "pages": tiff(first, **plain),
        "as tifffile writes it": tiff(values) if values.shape[-1] > 4 else tiff(values, photometric="minisblack"),
        "ImageJ": tiff(first, imagej=True, metadata={"axes": "CYX"}),
        "OME": tiff(first, **plain, ome=True, metadata={"axes": "CYX"}),
        "big-endian": tiff(values, **plain, planarconfig="contig", byteorder=">"),
        "BigTIFF": tiff(values, **plain, planarconfig="contig", bigtiff=True),
        "npy": npy(values),
    }


@pytest.mark.parametrize("channels", [2, 4, 5, 6, 8])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_channels_of_a_file_keep_their_order_and_values(channels: int, dtype: Any) -> None:
    high = {np.uint8: 256, np.uint16: 4096, np.float32: 1}[dtype]
    values = noise(channels, dtype, high)
    value_range = {np.uint8: None, np.uint16: (0.0, 4095.0), np.float32: (0.0, 1.0)}[dtype]
    low, top = value_range or (0.0, 255.0)
    expected = np.rint((values.astype(np.float32) - np.float32(low)) * np.float32(255 / (top - low)))
    reader = ImageReader(channels, value_range)
    for name, content in layouts(values).items():
        image = reader.read(content)
        assert image.dtype == np.uint8, name
        np.testing.assert_array_equal(image, expected, err_msg=name)
        facts = reader.check(content)
        assert facts == ImageFacts(SIZE, channels, np.dtype(dtype).name, float(values.min()), float(values.max())), name


def test_transparency_is_a_fourth_channel_in_the_order_of_the_file() -> None:
    rgba = noise(4)
    for content in (pillow(rgba), tiff(rgba, photometric="rgb", extrasamples=["unassalpha"]), pillow(rgba, "TIFF")):
        np.testing.assert_array_equal(ImageReader(4).read(content), rgba)
    np.testing.assert_array_equal(ImageReader(2).read(pillow(noise_la := rgba[..., :2], mode=None)), noise_la)


def test_three_channels_are_read_as_before() -> None:
    rgb, deep = noise(3), noise(1, np.uint16, 65536)[..., 0]
    rgba = np.dstack([rgb, noise(1)])
    for content in (pillow(rgb), pillow(rgb, "JPEG"), pillow(rgba), pillow(deep), pillow(deep, "TIFF"), tiff(deep)):
        np.testing.assert_array_equal(COLOR_IMAGES.read(content), read_image(content))
    np.testing.assert_array_equal(COLOR_IMAGES.read(pillow(rgb)), rgb[..., ::-1])
    planes = tiff(np.moveaxis(rgb, -1, 0), photometric="minisblack", planarconfig="separate")
    for content in (planes, npy(rgb)):  # which OpenCV does not read
        np.testing.assert_array_equal(COLOR_IMAGES.read(content), rgb[..., ::-1])


@pytest.mark.parametrize(("dtype", "high"), [(np.uint8, 256), (np.uint16, 65536)])
def test_the_transparency_of_a_tiff_is_dropped_and_does_not_change_colours(dtype: Any, high: int) -> None:
    rgb, alpha = noise(3, dtype, high), noise(1, dtype, high)
    expected = to_uint8(rgb, None)[..., ::-1]
    for extrasamples in (["unassalpha"], ["assocalpha"]):
        content = tiff(np.dstack([rgb, alpha]), photometric="rgb", extrasamples=extrasamples)
        np.testing.assert_array_equal(COLOR_IMAGES.read(content), expected)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize(("dtype", "high"), [(np.uint8, 256), (np.uint16, 65536)])
def test_a_grey_tiff_in_tiles_that_its_width_cuts_is_read_right(dtype: Any, high: int, alpha: bool) -> None:
    values = noise(2 if alpha else 1, dtype, high)
    options: dict[str, Any] = {"extrasamples": ["assocalpha"], "planarconfig": "contig"} if alpha else {}
    stored = values if alpha else values[..., 0]
    content = tiff(stored, photometric="minisblack", tile=(32, 32), compression="zlib", **options)
    expected = np.repeat(to_uint8(values[..., :1], None), 3, -1)
    np.testing.assert_array_equal(COLOR_IMAGES.read(content), expected)
    assert COLOR_IMAGES.check(content).high == values.max()


@pytest.mark.parametrize(("dtype", "high"), [(np.uint8, 256), (np.uint16, 65536)])
def test_a_fourth_channel_that_is_no_transparency_is_not_dropped(dtype: Any, high: int) -> None:
    values = noise(4, dtype, high)
    content = tiff(values, photometric="rgb", extrasamples=["unspecified"])
    for use in (COLOR_IMAGES.check, COLOR_IMAGES.read):
        with pytest.raises(WrongChannels, match=r"4 channels: expected data\.channels=3"):
            use(content)
    np.testing.assert_array_equal(ImageReader(4).read(content), to_uint8(values, None))


def test_all_pages_of_a_tiff_are_channels_or_refused() -> None:
    rgb = noise(3)
    pages = tiff(np.moveaxis(rgb, -1, 0), photometric="minisblack")
    np.testing.assert_array_equal(COLOR_IMAGES.read(pages), rgb[..., ::-1])
    stack = tiff(np.stack([rgb] * 20), photometric="rgb")
    with pytest.raises(ValueError, match="a stack of images"):
        COLOR_IMAGES.read(stack)
    with pytest.raises(WrongChannels):
        COLOR_IMAGES.read(tiff(np.moveaxis(noise(5), -1, 0), photometric="minisblack"))


@pytest.mark.parametrize(("dtype", "high"), [(np.uint8, 256), (np.uint16, 65536)])
def test_a_tiff_whose_zero_is_white_is_read_as_viewers_show_it(dtype: Any, high: int) -> None:
    stored = noise(1, dtype, high)[..., 0]
    content = tiff(stored, photometric="miniswhite")
    shown = to_uint8(np.iinfo(dtype).max - stored, None)
    np.testing.assert_array_equal(ImageReader(1).read(content)[..., 0], shown)
    assert np.abs(COLOR_IMAGES.read(content)[..., 0].astype(int) - shown).max() <= 1


def test_one_channel_is_grey() -> None:
    grey, rgb = noise(1), noise(3)
    for content in (
        pillow(grey[..., 0]),
        tiff(grey[..., 0]),
        npy(grey),
        npy(grey[..., 0]),
        pillow(np.repeat(grey, 3, -1)),
    ):
        np.testing.assert_array_equal(ImageReader(1).read(content), grey)
    luminance = rgb @ np.array([0.299, 0.587, 0.114])
    transparent = np.dstack([rgb, noise(1)])
    for content in (pillow(rgb), tiff(rgb, photometric="rgb"), pillow(transparent), pillow(rgb, "BMP")):
        assert np.abs(ImageReader(1).read(content)[..., 0] - luminance).max() < 1
    np.testing.assert_array_equal(
        ImageReader(1).read(pillow(np.dstack([grey, noise(1)]), mode=None)), grey
    )  # grey with transparency


def test_images_are_turned_by_their_orientation() -> None:
    values = noise(4)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        content = pillow(values, exif=exif)
        expected = np.asarray(ImageOps_transposed(content))
        np.testing.assert_array_equal(ImageReader(4).read(content), expected)
        tag = tiff(values, photometric="rgb", extrasamples=["unassalpha"], extratags=[(274, 3, 1, orientation, True)])
        np.testing.assert_array_equal(ImageReader(4).read(tag), expected)


def ImageOps_transposed(content: bytes) -> Image.Image:
    from PIL import ImageOps

    return ImageOps.exif_transpose(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize(
    ("reader", "values", "found"),
    [
        (ImageReader(3), noise(6), 6),
        (ImageReader(3), noise(5, np.uint16), 5),
        (ImageReader(1), noise(6), 6),
        (ImageReader(4), noise(6), 6),
        (ImageReader(6), noise(4), 4),
    ],
)
def test_another_number_of_channels_is_refused(reader: ImageReader, values: NDArray[Any], found: int) -> None:
    content = tiff(values, photometric="minisblack", planarconfig="contig")
    for use in (reader.check, reader.read):
        with pytest.raises(WrongChannels, match=rf"{found} channels: expected data.channels={reader.channels}"):
            use(content)
    with pytest.raises(WrongChannels, match="3 channels"):
        ImageReader(4).read(pillow(noise(3)))


def test_values_are_mapped_linearly() -> None:
    hounsfield = np.array([-2000, -1024, 0, 1023, 3071, 5000], np.int16)
    np.testing.assert_array_equal(to_uint8(hounsfield, (-1024, 3071)), [0, 0, 64, 127, 255, 255])
    np.testing.assert_array_equal(to_uint8(np.array([-0.1, 0, 0.5, 1, 2]), (0, 1)), [0, 0, 128, 255, 255])
    deep = np.arange(0, 65536, 257, dtype=np.uint16)
    np.testing.assert_array_equal(to_uint8(deep, None), np.arange(256))
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(every, None), every)
    np.testing.assert_array_equal(to_uint8(every, (0, 255)), every)


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_hounsfield_units_in_a_tiff(channels: int) -> None:
    values = noise(1, np.float32, 4095).astype(np.int16) - 1024
    values = np.repeat(values, 6, -1) if channels == 6 else values
    content = tiff(values if channels == 6 else values[..., 0], photometric="minisblack", planarconfig=None)
    reader = ImageReader(channels, (-1024, 3071))
    expected = np.rint((values.astype(np.float32) + 1024) * np.float32(255 / 4095))
    np.testing.assert_array_equal(reader.read(content), np.broadcast_to(expected, (*SIZE, channels)))


def test_types_without_a_range_and_values_that_are_no_numbers_are_refused() -> None:
    floats = noise(1, np.float32, 1)[..., 0]
    for reader in (COLOR_IMAGES, ImageReader(1)):
        with pytest.raises(ValueError, match=r"float32 values from .* to .*: set data.value_range=\[LOW,HIGH\]"):
            reader.read(tiff(floats))
        assert reader.check(tiff(floats)).dtype == "float32"
    floats[3, 4] = np.nan
    with pytest.raises(NotFinite, match="1 value NaN or infinite"):
        ImageReader(1, (0, 1)).check(tiff(floats))
    with pytest.raises(NotFinite):
        ImageReader(1, (0, 1)).read(tiff(floats))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (tiff(noise(6), photometric="minisblack", planarconfig="contig")[:5000], "cannot be decoded"),
        (tiff(noise(6), photometric="minisblack", planarconfig="contig", compression="zlib")[:5000], "cannot be"),
        (b"II*\0", "cannot be decoded"),
        (tiff(noise(12), photometric="minisblack", planarconfig="contig")[:200], "cannot be decoded"),
        (tiff(np.zeros((12, 8, 9), np.uint8), metadata={"axes": "ZYX"}), "a stack of images .12 along Z, 8 along Y"),
        (npy(noise(9)), "9 channels: expected numbers, in at most 8 channels"),
        (npy(np.zeros((6, 40, 50))), r"\[6, 40, 50\]: expected \[height, width, channels\]; use np.moveaxis"),
        (npy(np.array(["a"])), "expected"),
        (npy(np.zeros((4, 4), complex)), "values of the type complex128: expected numbers"),
        (npy(noise(6))[:3000], "cannot be decoded"),
        (npy(noise(6))[:20], "cannot be decoded"),
        (bytes(128) + b"DICM" + bytes(99), "a DICOM file: expected an image; convert it to TIFF"),
        (b"", "empty file"),
        (b"GIF89a\x01\x00\x01\x00", "not a JPEG or PNG"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    for use in (ImageReader(6).check, ImageReader(6).read):
        with pytest.raises(ValueError, match=reason):
            use(content)


def test_large_images_are_refused_before_they_are_decoded() -> None:
    header = npy(np.zeros((1, 1, 6), np.uint8)).replace(b"(1, 1, 6), }", b"(9000, 9000, 6), }")[:128]
    with pytest.raises(ValueError, match="9000×9000 pixels: expected at most 64,000,000"):
        ImageReader(6).read(header)


def test_compressions_that_pillow_reads_are_read() -> None:
    rgba, grey = noise(4), noise(1, np.uint16, 4096)
    np.testing.assert_array_equal(ImageReader(4).read(pillow(rgba, "TIFF", compression="tiff_lzw")), rgba)
    lzw = pillow(grey[..., 0], "TIFF", compression="tiff_lzw")
    np.testing.assert_array_equal(ImageReader(1, (0, 255)).read(lzw), np.minimum(grey, 255))


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "group4"])
@pytest.mark.parametrize("reader", [ImageReader(1), COLOR_IMAGES])
def test_one_bit_is_black_and_white_in_any_compression(compression: str | None, reader: ImageReader) -> None:
    bits = noise(1)[..., 0] > 127
    content = pillow(bits, "TIFF", compression=compression)
    expected = np.repeat((bits * 255)[..., None], reader.channels, -1)
    np.testing.assert_array_equal(reader.read(content), expected)
    assert reader.check(content) == ImageFacts(SIZE, 1, "uint8", 0, 255)


def test_what_people_see_of_an_image() -> None:
    image = noise(6)
    np.testing.assert_array_equal(displayed(image), image[..., :3])
    np.testing.assert_array_equal(displayed(image[..., :3]), image[..., 2::-1])
    np.testing.assert_array_equal(displayed(image[..., :2]), np.repeat(image[..., :1], 3, -1))

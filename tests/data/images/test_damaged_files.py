"""Damaged and malicious files: whatever a library raises becomes a ValueError, which the callers name with the file."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from activation_study.data.images.image_reader import ImageReader
from activation_study.data.labels.label_image import read_label_image

PIXELS = np.arange(12 * 10, dtype=np.uint8).reshape(12, 10)


def encoded(kind: str, **options: str) -> bytes:
    stream = io.BytesIO()
    mode = options.pop("mode", "L")
    Image.fromarray(PIXELS).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def tiff_of_tifffile() -> bytes:
    import tifffile

    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((6, 5, 4), np.uint16))
    return stream.getvalue()


FILES = {
    "TIFF": encoded("TIFF"),
    "TIFF, LZW": encoded("TIFF", compression="tiff_lzw"),
    "TIFF, RGBA": encoded("TIFF", mode="RGBA"),
    "TIFF of 16 bits": tiff_of_tifffile(),
    "PNG": encoded("PNG"),
    "PNG with a palette": encoded("PNG", mode="P"),
    "GIF": encoded("GIF"),
    "BMP": encoded("BMP"),
    "JPEG": encoded("JPEG"),
}


def damaged(content: bytes, count: int) -> Iterator[bytes]:
    """The content cut, and with wrong bytes, most of them in the headers at its ends."""
    generator = np.random.default_rng(0)
    for _ in range(count):
        yield content[: generator.integers(1, len(content))]
        wrong = bytearray(content)
        ends = np.concatenate([np.arange(min(64, len(content))), np.arange(max(0, len(content) - 200), len(content))])
        for place in generator.choice(ends, generator.integers(1, 5)):
            wrong[place] = generator.integers(0, 256)
        yield bytes(wrong)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_damaged_image_is_refused_or_read(kind: str, channels: int) -> None:
    reader, refused = ImageReader(channels), 0
    for content in damaged(FILES[kind], 60):
        try:
            reader.check(content)
            reader.read(content)
        except ValueError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_label_is_refused_or_read(kind: str) -> None:
    refused = 0
    for content in damaged(FILES[kind], 60):
        try:
            read_label_image(content)
        except ValueError:
            refused += 1
    assert refused > 20

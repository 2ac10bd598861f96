"""Images as a run reads them: uint8 [height, width, channels], whatever number of channels and type its files have."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.config.schema import Data
from activation_study.data.images.image_io import check_image, read_image
from activation_study.data.images.input_convention import MAX_VALUE, to_grey
from activation_study.data.images.missing_data import missing_value, range_without, share_outside
from activation_study.data.images.stored_image import (
    StoredImage,
    bit_depth,
    channels_in_header,
    is_tiff,
    read_stored,
    tiff_type,
)
from activation_study.errors import counted

RANGE_OF_TYPE = {"uint8": (0.0, 255.0), "uint16": (0.0, 65535.0)}


class WrongChannels(ValueError):
    """An image has another number of channels than the configuration says.

    Args:
        found: in the file.
        expected: by `data.channels`.
        facts: about the file, if it was checked.
    """

    def __init__(self, found: int, expected: int, facts: "ImageFacts | None" = None) -> None:
        super().__init__(f"{counted(found, 'channel')}: expected data.channels={expected}")
        self.found, self.facts = found, facts


class NotFinite(ValueError):
    """An image has values that are no numbers."""


@dataclass(frozen=True)
class ImageFacts:
    """What an image file holds.

    Args:
        size: (height, width), as viewers turn it.
        channels: transparency included.
        dtype: name of the values' type, e.g. `uint16`.
        low: the smallest value.
        high: the largest value.
        missing: the one of these that looks like a value for missing data; None if none does.
        others: the range of all other values; None if nothing is missing, or everything.
        outside: the share of values, without missing ones, that the reader's range clips.
    """

    size: tuple[int, int]
    channels: int
    dtype: str
    low: float
    high: float
    missing: float | None = None
    others: tuple[float, float] | None = None
    outside: float = 0.0


@dataclass(frozen=True)
class ImageReader:
    """Reads image files in one way.

    Args:
        channels: of the result. With 3 they are BGR: grey is repeated and transparency dropped. With 1 they are grey:
            colours are converted. Any other number has to be that of the file, whose order it keeps.
        value_range: (low, high), which become 0 and 255; values between them linearly, rounded, values outside
            clipped. None: the range of the type: 0 … 255 for 8 bits, 0 … 65535 for 16.
    """

    channels: int = 3
    value_range: tuple[float, float] | None = None

    def read(self, content: bytes) -> NDArray[np.uint8]:
        """An image file as uint8 [height, width, channels].

        Raises:
            WrongChannels: the file has another number of channels, which cannot be converted.
            ValueError: the file cannot be used.
        """
        if self._is_plain(content):
            return read_image(content)
        return self._convert(read_stored(content))

    def check(self, content: bytes) -> ImageFacts:
        """What a file holds, after all of it was decoded; refuses truncated files of any format.

        Types without a range of their own (`RANGE_OF_TYPE`) are not refused here, since one message tells of all.

        Raises:
            WrongChannels: as of `read`.
            NotFinite: a value is NaN or infinite.
            ValueError: the file cannot be used.
        """
        plain = self._is_plain(content)
        if plain:
            check_image(content)
            image = read_image(content)
            if not _has_16_bits(content):
                return facts_of(image, channels_in_header(content))
        stored = read_stored(content)
        values = stored.values
        if not np.isfinite(values).all():
            raise NotFinite(f"{counted(int((~np.isfinite(values)).sum()), 'value')} NaN or infinite")
        facts = facts_of(values, value_range=self.value_range)
        if not plain:
            try:
                self._to_channels(np.zeros((1, 1, facts.channels), np.uint8), stored)
            except WrongChannels as error:
                raise WrongChannels(error.found, self.channels, facts) from None
        return facts

    def _is_plain(self, content: bytes) -> bool:
        """Whether OpenCV reads the file as it always has: 8 or 16 bits, grey or colours, as BGR."""
        if self.channels != 3 or self.value_range is not None:
            return False
        if not is_tiff(content):
            return bit_depth(content) is not None
        try:
            dtype, own_channels = tiff_type(content)
        except ValueError:
            return True  # the usual reader has the usual reason
        return dtype in (np.bool_, np.uint8, np.uint16) and not own_channels

    def _convert(self, stored: StoredImage) -> NDArray[np.uint8]:
        return self._to_channels(to_uint8(stored.values, self.value_range), stored)

    def _to_channels(self, image: NDArray[np.uint8], stored: StoredImage) -> NDArray[np.uint8]:
        found = image.shape[-1]
        if self.channels in (1, 3) and stored.has_alpha:
            image = image[..., :-1]
        if self.channels == 3 and image.shape[-1] == 1:
            image = np.repeat(image, 3, axis=-1)
        elif self.channels == 3 and image.shape[-1] == 3:
            image = image[..., ::-1]
        elif self.channels == 1 and image.shape[-1] == 3 and stored.is_color:
            image = to_grey(image[..., ::-1])
        if image.shape[-1] != self.channels:
            raise WrongChannels(found, self.channels)
        return np.ascontiguousarray(image)


COLOR_IMAGES = ImageReader()  # uint8 [height, width, 3], BGR


def image_reader(data: Data) -> ImageReader:
    """The reader of a configuration."""
    value_range = None if data.value_range is None else (float(data.value_range[0]), float(data.value_range[1]))
    return ImageReader(data.channels, value_range)


def facts_of(
    image: NDArray[Any], channels: int | None = None, value_range: tuple[float, float] | None = None
) -> ImageFacts:
    """What an image [height, width, channels] holds.

    Args:
        image: of any real type.
        channels: of its file, if they are others.
        value_range: of its reader.
    """
    height, width = image.shape[:2]
    missing = missing_value(image)
    return ImageFacts(
        (height, width),
        image.shape[-1] if channels is None else channels,
        image.dtype.name,
        float(image.min()),
        float(image.max()),
        missing,
        None if missing is None else range_without(image, missing),
        0.0 if value_range is None else share_outside(image, value_range, missing),
    )


def to_uint8(values: NDArray[Any], value_range: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Values of any type as uint8: rint(255 · (value − low) / (high − low)), clipped to 0 … 255.

    Args:
        values: of any real type.
        value_range: (low, high); None = that of the type.

    Raises:
        ValueError: the type has no range of its own and none is given, or a value is NaN or infinite.
    """
    if value_range is None and values.dtype == np.uint8:
        return values
    if value_range is None and values.dtype.name not in RANGE_OF_TYPE:
        raise ValueError(
            f"{values.dtype} values from {values.min():g} to {values.max():g}: set data.value_range=[LOW,HIGH]"
        )
    low, high = value_range or RANGE_OF_TYPE[values.dtype.name]
    number = np.result_type(values.dtype, np.float32)
    scaled = (values.astype(number) - number.type(low)) * number.type(MAX_VALUE / (high - low))
    if not np.isfinite(scaled).all():
        raise NotFinite("NaN or infinite values")
    return np.clip(np.rint(scaled), 0, MAX_VALUE).astype(np.uint8)


def _has_16_bits(content: bytes) -> bool:
    """Whether a plain file does."""
    if not is_tiff(content):
        return bit_depth(content) == 16
    try:
        return tiff_type(content)[0] == np.uint16
    except ValueError:
        return False

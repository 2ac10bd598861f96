"""What is wrong with the images of a data set, told of all of them at once.

One file may be right by itself and wrong for the data set: 12 bits in a file of 16 are nearly black.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from activation_study.data.images.image_io import MAX_CHANNELS
from activation_study.data.images.image_reader import RANGE_OF_TYPE, ImageFacts, ImageReader, NotFinite, WrongChannels
from activation_study.errors import counted

DARK = 0.25  # of the type's range: images of 16 bits whose largest value is below are nearly black
BITS = (8, 10, 12, 14, 16)  # of cameras and scanners
TOMOGRAPHY = (-1024, 3071)  # Hounsfield units of 12 bits


class ImageCheck:
    """Reads the images of a data set and remembers what they hold.

    Args:
        reader: as the run reads them.
    """

    def __init__(self, reader: ImageReader) -> None:
        self._reader = reader
        self._facts: dict[str, ImageFacts] = {}
        self._wrong: dict[str, WrongChannels] = {}
        self._not_finite: dict[str, NotFinite] = {}

    def size_of(self, path: str, content: bytes) -> tuple[int, int] | None:
        """The size (height, width) of an image; None if `problems` will tell of it. May be called by several threads.

        Raises:
            ValueError: the file cannot be used.
        """
        try:
            facts = self._reader.check(content)
        except WrongChannels as error:
            self._wrong[path] = error
            if error.facts is None:
                return None
            facts = error.facts
        except NotFinite as error:
            self._not_finite[path] = error
            return None
        self._facts[path] = facts
        return facts.size

    def problems(self) -> Iterator[str]:
        """What is wrong with the images of a data set so far, each kind once, with the override that mends it."""
        by_number = defaultdict(list)
        for path, error in self._wrong.items():
            by_number[error.found].append(path)
        for found, paths in sorted(by_number.items()):
            fix = f"set data.channels={found}" if found <= MAX_CHANNELS else f"at most {MAX_CHANNELS} are possible"
            yield f"{_named(paths)}: {counted(found, 'channel')}, but data.channels={self._reader.channels}: {fix}"
        yield from self._not_finite_problems()
        for images, what in self._without_range():
            yield f"{what}: {self._range_fix(images)}"
        dark = self.dark_images()
        if dark is not None:
            yield f"{dark}: {self._range_fix(self._of_type('uint16').values())}"
        yield from self._range_problems()

    def unusable(self) -> Iterator[str]:
        """What is wrong with images for a run that has ended, whose channels and range are fixed."""
        expected = f"expected {counted(self._reader.channels, 'channel')}, as in training"
        for path, error in self._wrong.items():
            yield f"{path}: {counted(error.found, 'channel')}: {expected}"
        yield from self._not_finite_problems()
        for _, what in self._without_range():
            yield f"{what}: expected 8 or 16 bits, as in training"
        for images, given in self._of_other_types():
            yield f"{_named(images)}: {given} of the training does not fit them"

    def dark_images(self) -> str | None:
        """What is said about images of 16 bits that are nearly black; None if there are none."""
        deep, largest = self._of_type("uint16"), RANGE_OF_TYPE["uint16"][1]
        if self._reader.value_range is not None or not deep or _high(deep.values()) >= DARK * largest:
            return None
        return f"{_named(deep)}: 16 bits, but {_range_text(deep.values())} of 0 to {largest:g}, so nearly black"

    def _of_type(self, dtype: str) -> dict[str, ImageFacts]:
        return {path: facts for path, facts in self._facts.items() if facts.dtype == dtype}

    def _not_finite_problems(self) -> Iterator[str]:
        if self._not_finite:
            yield f"{_named(self._not_finite)}: values that are NaN or infinite: replace them by numbers"

    def _without_range(self) -> Iterator[tuple[list[ImageFacts], str]]:
        """The images of each type that has no range of its own, if none is given, and what is said about them."""
        if self._reader.value_range is None:
            for dtype in sorted({facts.dtype for facts in self._facts.values()} - set(RANGE_OF_TYPE)):
                images = self._of_type(dtype)
                yield list(images.values()), f"{_named(images)}: {dtype}, {_range_text(images.values())}"

    def _range_fix(self, images: Iterable[ImageFacts]) -> str:
        """What to do with images that need a range, which would be that of all images."""
        of_8_bits = self._of_type("uint8")
        if not of_8_bits:
            return f"set {suggestion(images)}"
        return (
            f"no data.value_range fits them and {_named(of_8_bits)} of 8 bits: convert them to 8 bits, or the others "
            "to their type and range"
        )

    def _range_problems(self) -> Iterator[str]:
        """A given range that does not fit the images."""
        if self._reader.value_range is None or not self._facts:
            return
        low, high = self._reader.value_range
        given, facts = f"data.value_range=[{low:g},{high:g}]", list(self._facts.values())
        others = sorted({each.dtype for each in facts} - {"uint8"})
        of_8_bits = self._of_type("uint8")
        mixed, apart = bool(of_8_bits and others), _high(facts) <= low or _low(facts) >= high
        if mixed:
            yield (
                f"{_named(of_8_bits)}: 8 bits, but others are {' and '.join(others)}: {given} fits only one of them: "
                "convert them to one type"
            )
        if apart:
            yield f"{given}: no image has values in it, they have {_range_text(facts)}: set {suggestion(facts)}"
        if not mixed and not apart:
            for images, what in self._of_other_types():
                yield f"{_named(images)}: {what} does not fit them: set {suggestion(images.values())}"

    def _of_other_types(self) -> Iterator[tuple[dict[str, ImageFacts], str]]:
        """Images whose type does not fit the given range, and what to say: they would be nearly black, or white.

        These are whole numbers where the range is that of fractions, and 8 bits where it is that of more.
        """
        if self._reader.value_range is None:
            return
        low, high = self._reader.value_range
        given = f"data.value_range=[{low:g},{high:g}]"
        of_8_bits = self._of_type("uint8")
        whole = {path: each for path, each in self._facts.items() if not each.dtype.startswith("float")}
        if of_8_bits and high - low > RANGE_OF_TYPE["uint8"][1] / DARK:
            yield of_8_bits, f"8 bits, and {given}"
        elif 0 <= low < high <= 1 and whole and _high(whole.values()) > 1:
            yield whole, f"whole numbers, and {given}"


def suggestion(facts: Iterable[ImageFacts]) -> str:
    """The override that fits images: the range of their kind if they have one, otherwise that of their values.

    The kinds are whole numbers of 8, 10, 12, 14 or 16 bits, floats from 0 to 1, and computed tomography.
    """
    facts = list(facts)
    low, high = _low(facts), _high(facts)
    is_float = any(each.dtype.startswith("float") for each in facts)
    if TOMOGRAPHY[0] <= low <= TOMOGRAPHY[0] / 2 and high <= TOMOGRAPHY[1]:
        return f"data.value_range=[{TOMOGRAPHY[0]},{TOMOGRAPHY[1]}]"
    if is_float and low >= 0 and DARK < high <= 1:
        return "data.value_range=[0,1]"
    limits = [2**bits - 1 for bits in BITS if high < 2**bits]
    if not is_float and low >= 0 and limits:
        return f"data.value_range=[0,{limits[0]}]"
    return f"data.value_range=[{_outward(low, math.floor)},{_outward(high if high > low else low + 1, math.ceil)}]"


def _outward(value: float, rounding: Callable[[float], int]) -> str:
    """A limit that includes the value: a whole number, or with 4 digits if it is small."""
    if value == 0 or abs(value) >= 1000:
        return str(rounding(value))
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 3)
    return f"{rounding(value / unit) * unit:.4g}"


def _named(paths: Iterable[str]) -> str:
    """Files, by the first of them and their number."""
    ordered: Sequence[str] = sorted(paths)
    more = len(ordered) - 1
    return ordered[0] + (f" and {counted(more, 'more image')}" if more else "")


def _range_text(facts: Iterable[ImageFacts]) -> str:
    facts = list(facts)
    return f"values from {_low(facts):g} to {_high(facts):g}"


def _low(facts: Iterable[ImageFacts]) -> float:
    return min(each.low for each in facts)


def _high(facts: Iterable[ImageFacts]) -> float:
    return max(each.high for each in facts)

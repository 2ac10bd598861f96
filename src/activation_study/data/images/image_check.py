"""What is wrong with the images of a data set, told of all of them at once.

One file may be right by itself and wrong for the data set: 12 bits in a file of 16 are nearly black.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from activation_study.data.images.image_io import MAX_CHANNELS
from activation_study.data.images.image_reader import RANGE_OF_TYPE, ImageFacts, ImageReader, NotFinite, WrongChannels
from activation_study.errors import alternatives, counted

DARK = 0.25  # of a range: images whose largest value is below are nearly black
MOST = 0.5  # of the values of an image: a range that clips more of them fits it badly
STRAY = 0.01  # likewise: fewer may be highlights
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
        if self._is_apart():
            given, found = range_override(self._reader.value_range), _range_text(self._facts.values())
            yield f"{_named(self._facts)}: no value is in {given} of the training, they have {found}"
            return
        for images, given in self._of_other_types():
            yield f"{_named(images)}: {given} of the training does not fit them"

    def misfits(self) -> Iterator[tuple[str, str]]:
        """See the function `misfits`; of images without `problems`."""
        return misfits(self._facts, self._reader.value_range)

    def dark_images(self) -> str | None:
        """What is said about images of 16 bits that are nearly black; None if there are none."""
        deep, largest = self._of_type("uint16"), RANGE_OF_TYPE["uint16"][1]
        if self._reader.value_range is not None or not deep or _range_of(deep.values())[1] >= DARK * largest:
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
        given, facts = range_override(self._reader.value_range), list(self._facts.values())
        others = sorted({each.dtype for each in facts} - {"uint8"})
        of_8_bits = self._of_type("uint8")
        mixed, apart = bool(of_8_bits and others), self._is_apart()
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

    def _is_apart(self) -> bool:
        """Whether all images are outside of the given range."""
        if self._reader.value_range is None or not self._facts:
            return False
        (low, high), (lowest, highest) = self._reader.value_range, _range_of(self._facts.values())
        return (highest <= low or lowest >= high) and any(each.outside > MOST for each in self._facts.values())

    def _of_other_types(self) -> Iterator[tuple[dict[str, ImageFacts], str]]:
        """Images whose type does not fit the given range, and what to say: they would be nearly black, or white.

        These are 8 bits where the range is that of more, and where it is that of fractions, whole numbers and floats
        that are no fractions.
        """
        if self._reader.value_range is None:
            return
        low, high = self._reader.value_range
        given = range_override(self._reader.value_range)
        of_8_bits = self._of_type("uint8")
        floats = {path: each for path, each in self._facts.items() if each.dtype.startswith("float")}
        whole = {path: each for path, each in self._facts.items() if path not in floats}
        large = {path: each for path, each in floats.items() if each.outside > STRAY}
        if of_8_bits and high - low > RANGE_OF_TYPE["uint8"][1] / DARK:
            yield of_8_bits, f"8 bits, and {given}"
        elif 0 <= low < high <= 1 and whole and _range_of(whole.values())[1] > 1:
            yield whole, f"whole numbers, and {given}"
        elif 0 <= low < high <= 1 and large and _range_of(large.values())[1] > 1 / DARK:
            yield large, f"{_range_text(large.values())}, and {given}"


def misfits(images: Mapping[str, ImageFacts], value_range: tuple[float, float] | None) -> Iterator[tuple[str, str]]:
    """What may be wrong with images under a given range, and the override that fits them.

    Most values may be clipped, which suits a window of computed tomography, or all images be nearly black.

    Args:
        images: what each file holds, by its name.
        value_range: (low, high); None: that of each type.
    """
    if value_range is None or not images:
        return
    low, high = value_range
    given, fix = range_override(value_range), suggestion(images.values())
    clipped = {path: each for path, each in images.items() if each.outside > MOST}
    if fix == given:
        return
    if clipped:
        yield (
            (
                f"{_named(clipped)}: more than half of the values are outside of {given} and clipped; they have "
                f"{_range_text(clipped.values())}"
            ),
            fix,
        )
    elif _range_of(images.values())[1] < low + DARK * (high - low):
        yield f"{_named(images)}: {_range_text(images.values())} in {given}, so nearly black", fix


def range_override(value_range: tuple[float, float] | None) -> str:
    """The override that gives a range."""
    return "data.value_range=" + ("null" if value_range is None else f"[{value_range[0]:g},{value_range[1]:g}]")


def suggestion(facts: Iterable[ImageFacts]) -> str:
    """The override that fits images: the range of their kind if they have one, otherwise that of their values.

    The kinds are whole numbers of 8, 10, 12, 14 or 16 bits, floats from 0 to 1, and computed tomography. Values for
    missing data do not count.
    """
    facts = list(facts)
    low, high = _range_of(facts)
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
    low, high = _range_of(facts)
    missing = sorted({each.missing for each in facts if each.missing is not None})
    if not missing:
        return f"values from {low:g} to {high:g}"
    listed, one = alternatives(f"{value:g}" for value in missing), len(missing) == 1
    looks = "which looks like a value for missing data" if one else "which look like values for missing data"
    return f"values from {low:g} to {high:g} (without {listed}, {looks})"


def _range_of(facts: Iterable[ImageFacts]) -> tuple[float, float]:
    """The lowest and highest of all values, without those for missing data unless there are no others."""
    facts = list(facts)
    found = [(each.low, each.high) if each.missing is None else each.others for each in facts]
    ranges = [each for each in found if each is not None] or [(each.low, each.high) for each in facts]
    return min(low for low, _ in ranges), max(high for _, high in ranges)

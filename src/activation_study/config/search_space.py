"""What a search for an arm's best values varies, and which values it may take: `tuning.space`."""

import copy
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activation_study.config.equal_settings import DERIVED
from activation_study.config.fields import is_number
from activation_study.config.identity import flatten

DIGITS = 3  # significant ones of a number: readable in a run's name, and exact on a command line
EDGE = 0.05  # of a range: a best value this near to its end may have a better one beyond

Values = dict[str, Any]  # of the keys of a space


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Args:
        low: the smallest.
        high: the largest.
        log: uniform in the logarithm.
        step: between two numbers; None: any number.
        integer: whole numbers.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    integer: bool = False

    def rounded(self, value: float) -> float:
        """The value with few digits, inside the range."""
        if self.integer:
            return round(value)
        if self.step:
            return float(f"{value:.10g}")
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    def has(self, value: Any) -> bool:
        """Whether a value is one of the range."""
        if not is_number(value) or not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / self.step if self.step else 0.0
        return math.isclose(steps, round(steps), abs_tol=1e-9)

    def at_edge(self, value: float) -> bool:
        """Whether a value lies so near to an end of the range that a better one may lie beyond."""
        highest = self.every[-1] if self.step else self.high
        low, high, at = (math.log(each) if self.log else each for each in (self.low, highest, value))
        return min(at - low, high - at) <= EDGE * (high - low)

    @property
    def size(self) -> float:
        """The number of values."""
        step = self.step or (1 if self.integer else None)
        return math.inf if step is None else math.floor((self.high - self.low) / step + 1e-9) + 1

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values that are tried in a configuration, before anything is trained."""
        return (self.low, self.high)

    @property
    def every(self) -> tuple[Any, ...]:
        """All values of a range with steps."""
        step = self.step or 1
        return tuple(self.rounded(self.low + number * step) for number in range(int(self.size)))

    def __str__(self) -> str:
        how = (" (logarithmic)" if self.log else "") + (f" in steps of {self.step:g}" if self.step else "")
        return f"{self.low:g} to {self.high:g}{how}"


@dataclass(frozen=True)
class Choices:
    """One of these values."""

    values: tuple[Any, ...]

    def has(self, value: Any) -> bool:
        """Whether a value is one of them."""
        return value in self.values

    def at_edge(self, value: Any) -> bool:
        """Whether a value is the smallest or the largest of three or more numbers; words have no edge."""
        numbers = all(map(is_number, self.values)) and len(self.values) > 2
        return numbers and value in (min(self.values), max(self.values))

    @property
    def size(self) -> float:
        """The number of values."""
        return len(self.values)

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values that are tried in a configuration, before anything is trained."""
        return self.values

    @property
    def every(self) -> tuple[Any, ...]:
        """All values."""
        return self.values

    def __str__(self) -> str:
        return " or ".join(map(str, self.values))


Space = Mapping[str, Range | Choices]


def space_of(given: Mapping[str, Any], config: Mapping[str, Any]) -> Space:
    """The space of a checked configuration, in the order of its keys.

    Args:
        given: key → `low`, `high`, and `log` or `step`; or `choices`.
        config: resolved; where it and the range have whole numbers alone, only such are tried.
    """
    values = flatten(dict(config))
    return {key: _parameter(each, values.get(key)) for key, each in given.items()}


def _parameter(given: Mapping[str, Any], configured: Any) -> Range | Choices:
    if "choices" in given:
        return Choices(tuple(given["choices"]))
    numbers = (configured, given["low"], given["high"], given.get("step") or 1)
    integer = all(isinstance(each, int) and not isinstance(each, bool) for each in numbers)
    return Range(given["low"], given["high"], bool(given.get("log")), given.get("step"), integer)


def values_in(config: Mapping[str, Any], space: Mapping[str, Any]) -> Values:
    """The values that a configuration has of the keys of a space; of a group, the name of its option."""
    values = flatten(dict(config))
    return {key: values.get(f"{key}.name", values.get(key)) for key in space}


def masked(config: Mapping[str, Any], keys: Iterable[str], word: str) -> dict[str, Any]:
    """A copy of a configuration in which a word takes the place of the values of these keys, and of those that are
    derived from them.
    """
    values = copy.deepcopy(dict(config))
    of = set(keys)
    for key in (*of, *(derived for derived, source in DERIVED.items() if source in of)):
        *groups, last = key.split(".")
        place = values
        for group in groups:
            place = place.get(group, {})
        if last in place:
            place[last] = {"name": word} if isinstance(place[last], dict) else word
    return values


def inside(space: Space, values: Values) -> bool:
    """Whether values lie in a space."""
    return all(parameter.has(values[key]) for key, parameter in space.items())


def value_text(value: Any) -> str:
    """A value as on the command line."""
    return {None: "null", True: "true", False: "false"}.get(value, str(value)) if _is_constant(value) else str(value)


def _is_constant(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def size(space: Space) -> float:
    """The number of combinations of values."""
    return math.prod(parameter.size for parameter in space.values())


def grid(space: Space) -> Sequence[Values]:
    """All combinations of the values of a finite space; the last key varies fastest."""
    lists = [each.every for each in space.values()]
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*lists)]


def space_problems(name: str, given: Mapping[str, Any]) -> Iterator[str]:
    """An error message for each problem of a space.

    Args:
        name: of the space, in messages.
        given: key → what is given for it.
    """
    example = "e.g. {low: 1e-4, high: 1e-2, log: true} or {choices: [8, 16, 32]}"
    for key, each in given.items():
        label = f"{name}.{key}"
        if not isinstance(each, Mapping) or not ({"choices"} == each.keys() or {"low", "high"} <= each.keys()):
            yield f"{label}={each}: expected low and high, or choices, {example}"
        elif "choices" in each:
            if not isinstance(each["choices"], list) or len(set(map(str, each["choices"]))) < 2:
                yield f"{label}.choices={each['choices']}: expected two or more values, {example}"
        elif unknown := each.keys() - {"low", "high", "log", "step"}:
            yield f"{label}: {', '.join(sorted(unknown))} is unknown; expected low, high, and log or step, {example}"
        else:
            yield from _range_problems(label, each)


def _range_problems(label: str, given: Mapping[str, Any]) -> Iterator[str]:
    low, high, step = given["low"], given["high"], given.get("step")
    if not all(is_number(each) and math.isfinite(each) for each in (low, high, step) if each is not None):
        yield f"{label}: expected numbers for low, high and step"
    elif low >= high:
        yield f"{label}: low={low:g} is not below high={high:g}"
    elif given.get("log") and (low <= 0 or step is not None):
        yield f"{label}: log=true needs a low above 0, and no step"
    elif step is not None and not 0 < step <= high - low:
        yield f"{label}.step={step:g}: expected a number above 0, at most high − low"

"""Compares the objects of `--json` with docs/reference/json.md."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_TEXT = (Path(__file__).parents[1] / "docs/reference/json.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w[\w ]*)\n(.*?)(?=^## |\Z)", _TEXT, re.MULTILINE | re.DOTALL))
BLOCKS = {kind: re.search(r"```json\n(.*?)```", text, re.DOTALL) for kind, text in SECTIONS.items()}
EXAMPLES = {kind: json.loads(block[1]) for kind, block in BLOCKS.items() if block}
NUMBERS = {
    "results",
    "scores",
    "recorded",
    "images",
    "ids",
    "pixels",
    "counts",
    "files",
}  # by class, score, part, status, run
NAMED = {"classes", "runs", "other_metrics", "other_weights"}  # by class, run, metric or weights, if not a list


def documented(kind: str) -> set[str]:
    """What a section names, and what every object has."""
    prose = SECTIONS[kind].partition("```json")[0]
    return set(re.findall("`([^`]+)`", prose + SECTIONS["Every object"].partition("IoU")[0]))


def table_fields(kind: str) -> set[str]:
    """The fields in the first column of a section's tables."""
    cells = re.findall(r"^\| (`[^|]+`) \|", SECTIONS[kind], re.MULTILINE)
    return {name for cell in cells for name in re.findall("`([^`]+)`", cell)}


def fields(value: Any) -> Iterator[str]:
    """The names of all fields at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            if key not in NUMBERS:
                yield from fields(list(inner.values()) if key in NAMED and isinstance(inner, dict) else inner)
    elif isinstance(value, list):
        for each in value:
            yield from fields(each)


def check(value: dict[str, Any]) -> None:
    """Fails if an object has a field that its section does not name, or lacks one of the section's example."""
    kind = value.get("kind", "Error")
    assert set(fields(value)) <= documented(kind), f"docs/reference/json.md lacks a field of {kind}"
    if kind in EXAMPLES:
        assert not list(_missing(EXAMPLES[kind], value)), kind


def _missing(example: Any, value: Any) -> Iterator[str]:
    if isinstance(example, list) and isinstance(value, list):
        for each in value if example else ():
            yield from _missing(example[0], each)
    elif isinstance(example, dict) and isinstance(value, dict):
        yield from example.keys() - value.keys()
        for key in (example.keys() & value.keys()) - NUMBERS:
            if not (key in NAMED and isinstance(value[key], dict)):
                yield from _missing(example[key], value[key])
    elif isinstance(example, dict | list) and value is not None:
        yield f"{value!r} is not like {example!r}"

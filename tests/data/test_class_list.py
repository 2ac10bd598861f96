"""The classes of a data set of one's own: what a file says, and each fault by name."""

from pathlib import Path
from typing import Any

import pytest

from activation_study.data.class_list import MOST_CLASSES, read_classes
from activation_study.errors import BadInput

GOOD = """
classes:
  - {name: sky, id: 0}
  - {name: road, ids: [2, 17], color: "#0a0b0c"}
  - {name: Straße 2, id: 65535}
unknown: [255]
"""


def write(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "classes.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def refusal(given: Any) -> str:
    with pytest.raises(BadInput) as error:
        read_classes(given)
    return str(error.value)


def test_a_file_of_classes(tmp_path: Path) -> None:
    found = read_classes(write(tmp_path, GOOD))
    assert found == {
        "classes": [
            {"name": "sky", "ids": [0], "color": "#88CCEE"},  # the colour that it has everywhere
            {"name": "road", "ids": [2, 17], "color": "#0A0B0C"},
            {"name": "Straße 2", "ids": [65535], "color": "#DDCC77"},
        ],
        "unknown": [255],
    }
    assert read_classes(found) == found, "as a record gives it back"


def test_unknown_may_be_all_others_or_nothing(tmp_path: Path) -> None:
    assert read_classes(write(tmp_path, GOOD.replace("[255]", "others")))["unknown"] == "others"
    assert read_classes(write(tmp_path, GOOD.replace("unknown: [255]", "")))["unknown"] == []


def test_every_class_has_a_colour_of_its_own(tmp_path: Path) -> None:
    many = "\n".join(f"  - {{name: c{number}, id: {number}}}" for number in range(MOST_CLASSES))
    colors = [each["color"] for each in read_classes(write(tmp_path, f"classes:\n{many}"))["classes"]]
    assert len(set(colors)) == MOST_CLASSES


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected `classes:` with a list of classes, e.g. {name: sky, id: 0}"),
        ("- sky\n- road\n", "expected `classes:` with a list of classes"),
        ("classes: {sky: 0}", "expected `classes:` with a list of classes"),
        ("classes: [{name: a, id: 1}]", "1 classes: expected 2 to 127"),
        ("classes: [{name: a, id: 1}, b]", "class 2: 'b': expected e.g. {name: sky, id: 0}"),
        ("classes: [{name: a, id: 1}, {name: no, id: 2}]", "class 2: name: False: expected text; in quotes"),
        ("classes: [{name: a, id: 1}, {id: 2}]", "class 2: name: None: expected text"),
        ("classes: [{name: a, id: 1}, {name: A, id: 2}]", "class 2: name 'A': there is one of that name already"),
        ("classes: [{name: a, id: 1}, {name: '../b', id: 2}]", "class 2: name '../b': expected letters, digits"),
        ("classes: [{name: a, id: 1}, {name: b}]", "b: id None: expected a number from 0 to 65535"),
        ("classes: [{name: a, id: 1}, {name: b, ids: []}]", "b: ids: expected one or more"),
        ("classes: [{name: a, id: 1}, {name: b, ids: 2}]", "b: 2: expected a list of ids"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2, ids: [3]}]", "b: expected id or ids, not both"),
        ("classes: [{name: a, id: 1}, {name: b, ids: [2, 1]}]", "b: id 1: it is a's already"),
        ("classes: [{name: a, id: 1}, {name: b, id: true}]", "b: id True: expected a number from 0 to 65535"),
        ("classes: [{name: a, id: -1}, {name: b, id: 65536}]", "b: id 65536: expected a number from 0 to 65535"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2, color: red}]", "b: color 'red': expected \"#RRGGBB\""),
        ("classes: [{name: a, id: 1}, {name: b, id: 2, hue: 3}]", "b: hue: expected name, id or ids, color"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2}]\nunknown: [2]", "unknown: id 2: it is b's already"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2}]\nunknown: rest", "unknown: 'rest': expected a list of ids"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2}]\nignore: [3]", "ignore: expected nothing but classes"),
        ("classes: [", "is no YAML file"),
        (b"\xff\xfe\x00", "is no YAML file"),
        ("!!python/object/apply:os.system [echo]", "is no YAML file"),
        ("[" * 5000, "is no YAML file"),
    ],
)  # fmt: skip
def test_a_problem_is_named(text: str | bytes, told: str, tmp_path: Path) -> None:
    message = refusal(write(tmp_path, text))
    assert told in message
    assert "classes.yaml" in message


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, "classes: [{name: 1, id: x}, {name: b, ids: []}]\nmore: 1"))
    assert "(4 found)" in message


def test_a_missing_file_and_a_huge_one_are_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(str(tmp_path / "none.yaml"))
    assert "larger than 1,000,000 bytes" in refusal(write(tmp_path, b"#" * 1_000_001))

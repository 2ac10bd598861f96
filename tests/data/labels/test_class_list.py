"""The classes of `data=folder`: valid files, and every problem that is reported."""

from pathlib import Path
from typing import Any

import pytest

from activation_study.config.identity import identity
from activation_study.config.schema import resolved
from activation_study.data.labels.class_list import declared_colors, read_classes
from activation_study.data.labels.class_problems import MAX_CLASSES
from activation_study.errors import BadInput
from activation_study.validation import from_hydra
from hydra_compose import composed

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


def refusal(path_or_content: Any) -> str:
    with pytest.raises(BadInput) as error:
        read_classes(path_or_content)
    return str(error.value)


def test_a_file_of_classes_is_read(tmp_path: Path) -> None:
    classes = read_classes(write(tmp_path, GOOD))
    assert classes == {
        "classes": [
            {"name": "sky", "ids": [0], "color": "#88CCEE"},  # the colour of this name in all data sets
            {"name": "road", "ids": [2, 17], "color": "#0A0B0C"},
            {"name": "Straße 2", "ids": [65535], "color": "#DDCC77"},
        ],
        "unknown": [255],
    }
    assert read_classes(classes) == classes, "the recorded form is valid too"


def test_records_may_have_a_class_named_unknown() -> None:
    entries = [{"name": "a", "ids": [0], "color": "#88CCEE"}, {"name": "unknown", "ids": [1], "color": "#DDCC77"}]
    assert read_classes({"classes": entries, "unknown": []})["classes"] == entries


def test_unknown_may_be_others_or_missing(tmp_path: Path) -> None:
    assert read_classes(write(tmp_path, GOOD.replace("[255]", "others")))["unknown"] == "others"
    assert read_classes(write(tmp_path, GOOD.replace("unknown: [255]", "")))["unknown"] == []


def test_classes_with_colours_alone_are_read_by_these(tmp_path: Path) -> None:
    text = """
classes:
  - {name: sky, color: "#808080"}
  - {name: vehicle, colors: ["#400080", "#c0c080"]}
unknown: ["#000000"]
"""
    classes = read_classes(write(tmp_path, text))
    assert classes == {
        "read_by": "colors",
        "classes": [
            {"name": "sky", "ids": [0], "color": "#808080"},
            {"name": "vehicle", "ids": [1], "color": "#400080", "colors": ["#400080", "#C0C080"]},
        ],
        "unknown": ["#000000"],
    }
    assert read_classes(classes) == classes, "the recorded form is valid too"
    assert declared_colors(classes) == [["#808080"], ["#400080", "#C0C080"]]


def test_given_colours_are_told_from_chosen_ones_in_the_recorded_form(tmp_path: Path) -> None:
    assert declared_colors(read_classes(write(tmp_path, GOOD))) == [[], ["#0A0B0C"], []]
    black_first = "classes: [{name: a, id: 0, color: '#000000'}, {name: b, id: 1}]"
    assert declared_colors(read_classes(write(tmp_path, black_first)))[0] == ["#000000"]


def test_a_colour_that_is_given_counts_though_the_program_would_have_chosen_it(tmp_path: Path) -> None:
    text = GOOD.replace("{name: sky, id: 0}", '{name: sky, id: 0, color: "#88ccee"}')
    classes = read_classes(write(tmp_path, text))
    assert declared_colors(classes) == [["#88CCEE"], ["#0A0B0C"], []]
    assert read_classes(classes) == classes, "the recorded form is valid too"
    plain = read_classes(write(tmp_path, GOOD))
    for unknown, equal in (([255], True), ("others", False)):
        configs = [
            resolved(from_hydra(composed(["data=scenes"])))
            | {"data": {"image_size": 8, "classes": each | {"unknown": unknown}}}
            for each in (classes, plain)
        ]
        assert (identity(configs[0]) == identity(configs[1])) == equal, "it decides what is unknown, if others are"


def test_the_way_that_labels_are_read_may_be_chosen(tmp_path: Path) -> None:
    both = '{name: a, id: 3, color: "#808080"}, {name: b, id: 4, color: "#800000"}'
    for read_by in ("ids", "colors"):
        classes = read_classes(write(tmp_path, f"classes: [{both}]\nread_by: {read_by}"))
        assert classes["read_by"] == read_by
        assert [entry["ids"] for entry in classes["classes"]] == [[3], [4]]
        assert read_classes(classes) == classes


def test_every_class_has_its_own_colour(tmp_path: Path) -> None:
    many = "\n".join(f"  - {{name: c{number}, id: {number}}}" for number in range(MAX_CLASSES))
    colors = [entry["color"] for entry in read_classes(write(tmp_path, f"classes:\n{many}"))["classes"]]
    assert len(set(colors)) == MAX_CLASSES


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected `classes:` with a list of classes, e.g. {name: sky, id: 0}"),
        ("- sky\n- road\n", "expected `classes:` with a list of classes"),
        ("classes: {sky: 0}", "expected `classes:` with a list of classes"),
        ("classes: [{name: a, id: 1}]", "number of classes: 1: expected 2 to 255"),
        ("classes: [{name: a, id: 1}, b]", "class 2: 'b': expected e.g. {name: sky, id: 0}"),
        ("classes: [{name: a, id: 1}, {name: no, id: 2}]", "class 2: name False: expected text; use quotes"),
        ("classes: [{name: a, id: 1}, {id: 2}]", "class 2: name None: expected text"),
        ("classes: [{name: a, id: 1}, {name: A, id: 2}]", "class 2: name 'A': another class has this name"),
        ("classes: [{name: a, id: 1}, {name: '../b', id: 2}]", "class 2: name '../b': expected letters, digits"),
        ("classes: [{name: a, id: 1}, {name: unknown, id: 2}]", "class 2: name 'unknown': pixels without a class are"),
        ("classes: [{name: a, id: 1}, {name: b}]", "b: id None: expected an integer from 0 to 65535"),
        ("classes: [{name: a, id: 1}, {name: b, ids: []}]", "b: ids: expected one or more"),
        ("classes: [{name: a, id: 1}, {name: b, ids: 2}]", "b: 2: expected a list of ids"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2, ids: [3]}]", "b: expected either id or ids, not both"),
        ("classes: [{name: a, id: 1}, {name: b, ids: [2, 1]}]", "b: id 1: already used by a"),
        ("classes: [{name: a, id: 1}, {name: b, id: true}]", "b: id True: expected an integer from 0 to 65535"),
        ("classes: [{name: a, id: -1}, {name: b, id: 65536}]", "b: id 65536: expected an integer from 0 to 65535"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2, color: red}]", "b: color 'red': expected \"#RRGGBB\""),
        ("classes: [{name: a, id: 1}, {name: b, id: 2, hue: 3}]", "b: unexpected key hue: only name, id or ids"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2}]\nunknown: [2]", "unknown: id 2: already used by b"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2}]\nunknown: rest", "unknown: 'rest': expected a list of ids or"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2}]\nignore: [3]", "unexpected key ignore: only classes, unknown"),
        ('classes: [{name: a, color: "#808080"}, {name: b}]', "b: color: expected \"#RRGGBB\", since label images are"),
        ('classes: [{name: a, color: "#80808A"}, {name: b, color: "#80808a"}]', "b: color #80808A: already used by a"),
        ('classes: [{name: a, color: "#808080"}, {name: b, colors: []}]', "b: colors: []: expected a list of colours"),
        ('classes: [{name: a, color: "#808080"}, {name: b, color: "#800000"}]\nunknown: [0]', "unknown: 0: expected"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2}]\nread_by: colours", "read_by: 'colours': expected ids or"),
        ("classes: [{name: a, id: 1}, {name: a, id: 2}]", "class 2: name 'a': another class has this name"),
        ("classes: [{name: a, id: 1, id: 7}, {name: b, id: 2}]", "id is given twice"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2}]\nunknown: 3\nunknown: [4]", "unknown is given twice"),
        ("classes: [{name: a, id: 1}, {name: b, id: 010}]", "010 is 8 in YAML: expected a number without leading"),
        ("classes: [{name: a, id: 1}, {name: b, id: 1:30}]", "1:30 is 90 in YAML"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2}]\nunknown: 0", "unknown: 0: expected a list of ids or colours"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2, color: '#808080', colors: 5}]", "b: colors: 5: expected a list"),
        ("classes: [{name: a, id: 1}, {name: b, id: 2, color: '#808080', colors: }]", "b: colors: None: expected a"),
        ("classes: [", "is not a valid YAML file"),
        (b"\xff\xfe\x00", "is not a valid YAML file"),
        ("!!python/object/apply:os.system [echo]", "is not a valid YAML file"),
        ("[" * 5000, "is not a valid YAML file"),
    ],
)  # fmt: skip
def test_a_problem_is_reported(text: str | bytes, problem: str, tmp_path: Path) -> None:
    message = refusal(write(tmp_path, text))
    assert problem in message
    assert "classes.yaml" in message


def test_colours_may_be_given_as_red_green_and_blue(tmp_path: Path) -> None:
    text = """
classes:
  - {name: sky, color: [128, 128, 128]}
  - {name: vehicle, colors: [[64, 0, 128], "#C0C080"]}
unknown: [[0, 0, 0]]
"""
    assert read_classes(write(tmp_path, text)) == {
        "read_by": "colors",
        "classes": [
            {"name": "sky", "ids": [0], "color": "#808080"},
            {"name": "vehicle", "ids": [1], "color": "#400080", "colors": ["#400080", "#C0C080"]},
        ],
        "unknown": ["#000000"],
    }


@pytest.mark.parametrize("color", ["[200, 220, 256]", "[200, 220]", "[200, 220, 1.5]", "[200, 220, true]", ""])
def test_a_list_that_is_no_colour_is_refused(color: str, tmp_path: Path) -> None:
    text = f"classes: [{{name: a, id: 1}}, {{name: b, id: 2, color: {color}}}]"
    expected = 'expected "#RRGGBB", in quotes since # starts a comment, or [red, green, blue] from 0 to 255'
    assert expected in refusal(write(tmp_path, text))


@pytest.mark.parametrize("entry", ["color: #C8DCFF", "colors: [#C8DCFF]", 'colors: ["#000000", #C8DCFF]'])
def test_a_colour_without_quotes_is_told_to_need_them(entry: str, tmp_path: Path) -> None:
    message = refusal(write(tmp_path, f"classes:\n  - {{name: sky, {entry}}}\n"))
    assert 'is not a valid YAML file: put colours in quotes, "#RRGGBB", since # starts a comment' in message
    assert "flow" not in message


def test_another_mistake_beside_a_comment_with_colours_keeps_its_reason(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, 'classes: [{name: a, color: "#000000"}\nunknown: others # e.g. #C8DCFF\n'))
    assert "while parsing a flow" in message


def test_all_problems_are_listed(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, "classes: [{name: 1, id: x}, {name: b, ids: []}]\nmore: 1"))
    assert "(4 found)" in message


def test_a_missing_file_and_a_huge_one_are_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(str(tmp_path / "none.yaml"))
    assert "larger than 1,000,000 bytes" in refusal(write(tmp_path, b"#" * 1_000_001))

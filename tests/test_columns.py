"""Lists of classes fit 80 columns."""

from rich.cells import cell_len

from activation_study.columns import in_columns


def test_few_names_take_one_line() -> None:
    assert in_columns({"sky": "0.912", "tree": "–"}, indent=2) == ["  sky  0.912   tree     –"]


def test_forty_classes_fit_80_columns_and_are_read_downwards() -> None:
    names = {f"class number {number}": f"0.{number:03}" for number in range(40)}
    lines = in_columns(names)
    assert max(map(len, lines)) <= 80
    assert len(lines) == 14
    assert [line.strip().split("   ")[0] for line in lines[:2]] == ["class number 0  0.000", "class number 1  0.001"]
    text = " ".join(" ".join(lines).split())
    assert all(f"{name} {value}" in text for name, value in names.items())


def test_wide_characters_and_long_names_are_measured_and_shortened() -> None:
    lines = in_columns({"天空": "0.500", "x" * 100: "0.100"})
    assert [cell_len(line) for line in lines] == [80, 80]
    assert lines[1].endswith("x… 0.100")
    assert in_columns({}) == []

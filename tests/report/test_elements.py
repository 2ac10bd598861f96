"""Tables in a terminal."""

import io

from rich.console import Console

from activation_study.report.elements import Table, print_table


def test_the_caption_of_a_narrow_table_is_as_wide_as_the_terminal() -> None:
    output = io.StringIO()
    caption = "Image sizes, width × height in pixels: widths 240 to 320, heights 213 to 320."
    print_table(Console(file=output, width=120), Table(("size",), (("1 × 2",),), caption))
    assert caption in output.getvalue().splitlines()


def printed(table: Table, width: int = 80) -> str:
    output = io.StringIO()
    print_table(Console(file=output, width=width), table)
    return output.getvalue()


def test_a_table_with_more_columns_than_fit_has_a_row_for_each() -> None:
    classes = tuple(f"class{number}" for number in range(60))
    table = Table(("split", *classes), (("train", *(["12.3"] * 60)), ("test", *(["45.6"] * 60))), "Caption.")
    text = printed(table)
    assert text.count("12.3") == text.count("45.6") == 60
    assert all(name in text for name in classes)
    assert "train" in text.splitlines()[1]


def test_brackets_in_names_are_no_markup() -> None:
    text = printed(Table(("image[s]",), (("odd[bold]_11.png",), ("odd[/x]_10",)), "Caption of [odd]."))
    for name in ("image[s]", "odd[bold]_11.png", "odd[/x]_10", "Caption of [odd]."):
        assert name in text

"""Tables in a terminal."""

import io

from rich.console import Console

from activation_study.report.elements import Table, print_table


def test_the_caption_of_a_narrow_table_is_as_wide_as_the_terminal() -> None:
    output = io.StringIO()
    caption = "Image sizes, width × height in pixels: widths 240 to 320, heights 213 to 320."
    print_table(Console(file=output, width=120), Table(("size",), (("1 × 2",),), caption))
    assert caption in output.getvalue().splitlines()

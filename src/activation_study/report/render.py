"""Writes a report as one self-contained HTML file, and as Markdown with SVG figures."""

from pathlib import Path
from typing import Any

from activation_study.files import write_text
from activation_study.location import command
from activation_study.report.elements import Contents, Section
from activation_study.report.gallery import RULE

FIGURES = "figures"
# Figures use currentColor, which the HTML page defines. As a file of its own, a figure needs the definition.
_TEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "$-$",
    "±": r"$\pm$",
    "<": "$<$",
    ">": "$>$",
}
INK = "<style>svg{color:#1b1f24}@media(prefers-color-scheme:dark){svg{color:#e6e9ec}}</style>"


def write_pages(folder: Path, contents: Contents) -> None:
    """Writes `index.html`, and `report.md` with its figures in `figures/`.

    Args:
        folder: folder of the report.
        contents: contents of both.
    """
    write_text(folder / "index.html", render("study.html.j2", True, contents=contents))
    for section in contents.sections:
        for name, figure in _figure_files(section).items():
            write_text(folder / FIGURES / name, _standalone(figure.svg))
    names = {name for section in contents.sections for name in _figure_files(section)}
    for path in (folder / FIGURES).glob("*.svg"):
        if path.name not in names:  # left over from an earlier report
            path.unlink()
    write_text(folder / "report.md", render("study.md.j2", False, contents=contents, figure_files=_figure_files))


def _figure_files(section: Section) -> dict[str, Any]:
    """The section's figures by file name."""
    return {f"{section.slug}-{figure.title.lower()}.svg": figure for figure in section.figures}


def _standalone(svg: str) -> str:
    start = svg.index(">") + 1
    return f"{svg[:start]}{INK}{svg[start:]}\n"


def tex(text: object) -> str:
    """Text as LaTeX prints it."""
    return "".join(_TEX.get(sign, sign) for sign in str(text))


def render(template: str, autoescape: bool, **context: Any) -> str:
    """Fills in a template of the folder `templates`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(rule=RULE, figures=FIGURES, reproduce=command("reproduce"))
    environment.filters["svg"] = Markup
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
    environment.filters["tex"] = tex
    return environment.get_template(template).render(**context)

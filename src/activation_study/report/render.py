"""A report as one HTML file that needs nothing else, and as Markdown beside its figures."""

from pathlib import Path
from typing import Any

from activation_study.files import write_text
from activation_study.report.elements import Contents, Section
from activation_study.report.gallery import RULE

FIGURES = "figures"
# A figure on its own takes the reader's ink; on the HTML page it takes the page's.
INK = "<style>svg{color:#1b1f24}@media(prefers-color-scheme:dark){svg{color:#e6e9ec}}</style>"


def write_pages(folder: Path, contents: Contents) -> None:
    """Writes `index.html`, and `report.md` with its figures in `figures/`.

    Args:
        folder: of the report.
        contents: what is on them.
    """
    write_text(folder / "index.html", render("study.html.j2", autoescape=True, contents=contents, named=_named))
    for section in contents.sections:
        for name, figure in _named(section).items():
            write_text(folder / FIGURES / name, _alone(figure.svg))
    made = {name for section in contents.sections for name in _named(section)}
    for path in (folder / FIGURES).glob("*.svg"):
        if path.name not in made:  # of an earlier report
            path.unlink()
    write_text(folder / "report.md", render("study.md.j2", autoescape=False, contents=contents, named=_named))


def _named(section: Section) -> dict[str, Any]:
    """The section's figures by the names of their files."""
    return {f"{section.name}-{figure.title.lower()}.svg": figure for figure in section.figures}


def _alone(svg: str) -> str:
    start = svg.index(">") + 1
    return f"{svg[:start]}{INK}{svg[start:]}\n"


def render(template: str, autoescape: bool, **context: Any) -> str:
    """A template of this folder, filled in."""
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
    environment.globals.update(rule=RULE, figures=FIGURES)
    environment.filters["svg"] = Markup
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
    return environment.get_template(template).render(**context)

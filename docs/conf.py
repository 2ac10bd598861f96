"""Sphinx configuration of the documentation site. `make docs` builds it into docs/_build/html.

The site is made from the Markdown files that GitHub shows: README.md is its first page. The API reference is read from
the source files without importing them. The notebook is executed in each build; DOCS_EXECUTE=off leaves it as it is.
"""

import os
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

project = "activation-study"
author = "The activation-study contributors"
project_copyright = author
release = re.findall('__version__ = "(.+)"', (ROOT / "src/activation_study/__init__.py").read_text("utf-8"))[0]

extensions = ["myst_nb", "autoapi.extension", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "_templates"]
highlight_language = "none"  # of blocks that name no language

# Markdown
myst_heading_anchors = 3  # [text](page.md#a-heading), as on GitHub

# The notebook
nb_execution_mode = os.environ.get("DOCS_EXECUTE", "force")  # force | cache | off
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True

# The API reference
autoapi_dirs = [str(ROOT / "src")]
autoapi_ignore = ["*/hydra_plugins/*"]
autoapi_root = "reference/api"
autoapi_add_toctree_entry = False
autoapi_options = ["members", "show-inheritance", "show-module-summary"]
autoapi_member_order = "bysource"
autoapi_python_class_content = "class"
autoapi_keep_files = False
autoapi_template_dir = "_templates"
# Constants made by unpacking (`SKY, TREE = range(2)`) are not found where another module imports them.
suppress_warnings = ["autoapi.python_import_resolution"]

# The pages
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_sourcelink = False
html_copy_source = False

linkcheck_ignore = [r"http://(127\.0\.0\.1|localhost)[:/].*", r"https?://[a-z.]*example\.org.*"]

# Links of the files in the root, as seen from docs/.
RELINK = {
    "](docs/": "](",
    "](CONTRIBUTING.md": "](contributing.md",
    "](CHANGELOG.md": "](changelog.md",
    "](SECURITY.md": "](security-policy.md",
    "](README.md": "](index.md",
    "](LICENSE)": "](../LICENSE)",
    "](CITATION.cff)": "](../CITATION.cff)",
}


def relink(app: Any, relative_path: Path, parent: str, content: list[str]) -> None:
    """Lets the links of an included root file work on the site as they do on GitHub."""
    for link, target in RELINK.items():
        content[0] = content[0].replace(link, target)


def relink_source(app: Any, docname: str, content: list[str]) -> None:
    """Leads the links of the pages to SECURITY.md, which is not in docs/, to the page that includes it."""
    content[0] = content[0].replace("](../../SECURITY.md", "](../security-policy.md")


def as_restructured_text(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Translates the docstrings' conventions: `code`, |x| for a number of pixels, and an indented block after an empty
    line, which is shown as it is.
    """
    found: list[str] = []
    literal = False
    for line in lines:
        indented = line.startswith("    ")
        if indented and not literal and len(found) > 1 and not found[-1] and not found[-2].startswith(" "):
            literal = True
            found += ["::", ""]
        elif line and not indented:
            literal = False
        if not literal:
            line = re.sub(r"(?<![`:\\])`([^`]+)`(?!`)", r"``\1``", line).replace("|", r"\|")
        found.append(line)
    lines[:] = found


def setup(app: Any) -> dict[str, bool]:
    """As Sphinx calls it."""
    app.connect("include-read", relink)
    app.connect("source-read", relink_source)
    app.connect("autodoc-process-docstring", as_restructured_text, priority=400)  # napoleon comes at 500
    return {"parallel_read_safe": True}

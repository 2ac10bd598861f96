"""Where the configuration files are: in a clone at its top level, in an installed package inside it."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
CLONE = PACKAGE.parents[1]


def in_clone() -> bool:
    """Whether this package runs from a clone of the project, and not from an installed copy."""
    return CLONE / "src" / PACKAGE.name == PACKAGE and (CLONE / "pyproject.toml").is_file()


def conf_dir() -> Path:
    """The folder of the configuration files."""
    return CLONE / "conf" if in_clone() else PACKAGE / "conf"

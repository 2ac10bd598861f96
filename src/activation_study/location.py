"""Where this program runs from: a clone, with `conf/` and the scripts at its top level, or an installed package."""

import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CLONE = PACKAGE.parents[1]
# Command → the script of a clone that does the same.
SCRIPTS = {
    "train": "train.py",
    "compare": "compare.py",
    "reproduce": "reproduce.py",
    "evaluate": "evaluate.py",
    "predict": "predict.py",
    "export": "export.py",
    "inspect": "inspect_data.py",
}


def in_clone() -> bool:
    """Whether this package runs from a clone of the project, and not from an installed copy."""
    return CLONE / "src" / PACKAGE.name == PACKAGE and (CLONE / "pyproject.toml").is_file()


def other_copy() -> str | None:
    """The message if a script of a clone runs an installed copy of this package instead of the clone's own code."""
    clone = Path(sys.argv[0]).resolve().parent
    own = clone / "src" / PACKAGE.name
    if Path(sys.argv[0]).name not in SCRIPTS.values() or own == PACKAGE or not own.is_dir():
        return None
    return (
        f"{Path(sys.argv[0]).name} belongs to the code in {clone}, but this environment runs the copy in {PACKAGE}, "
        f"so changes of src/ and conf/ would have no effect. In {clone}, run: pip install -e . -c constraints.txt"
    )


def conf_dir() -> Path:
    """The folder of the configuration files."""
    return CLONE / "conf" if in_clone() else PACKAGE / "conf"


def command(name: str) -> str:
    """How a command is called here, for messages: `python train.py`, or `activation-study train`."""
    installed = not in_clone() or name not in SCRIPTS or Path(sys.argv[0]).name == "activation-study"
    return f"activation-study {name}" if installed else f"python {SCRIPTS[name]}"


def install_hint(extra: str) -> str:
    """How an optional part of this package is installed here, for messages."""
    return (
        f"pip install -e '.[{extra}]' -c constraints.txt" if in_clone() else f"pip install 'activation-study[{extra}]'"
    )

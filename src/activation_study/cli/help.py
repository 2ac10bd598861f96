"""What `--help` prints, without loading Hydra: a text for each command, and its keys or groups as `conf/` has them."""

from collections.abc import Sequence
from pathlib import Path

from activation_study import __version__
from activation_study.location import command, conf_dir

TEXTS = Path(__file__).with_name("help_texts")
LAUNCHERS = "hydra/launcher"


def overview(commands: Sequence[str], version: bool) -> str:
    """The list of commands, or the version alone."""
    if version:
        return f"activation-study {__version__}"
    lines = [f"  {name:10} {_text(name).splitlines()[0]}" for name in commands]
    return "\n".join(
        [
            "Usage: activation-study COMMAND [KEY=VALUE …] [--config-dir DIR] [--json]",
            "",
            *lines,
            "",
            "`activation-study COMMAND --help` shows a command's examples and keys.",
            "--json, with any command: one object for programs on standard output, everything else on standard error.",
            "Exit codes: 0 success; 1 a run failed or differs; 2 bad input; 130 or 143 interrupted.",
        ]
    )


def command_help(name: str, arguments: Sequence[str]) -> str:
    """A command's purpose, examples, and keys.

    Args:
        name: of the command.
        arguments: of the command line; `--config-dir DIR` adds the groups of that folder.
    """
    text = _text(name).replace("{command}", command(name))
    if "{groups}" in text:
        text = text.replace("{groups}", _groups([conf_dir(), *_config_dirs(arguments)]))
    if "{keys}" in text:
        text = text.replace("{keys}", _keys(conf_dir() / f"{name}.yaml"))
    return text


def _text(name: str) -> str:
    return (TEXTS / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")


def _groups(folders: Sequence[Path]) -> str:
    """A line for each group with its options."""
    options: dict[str, set[str]] = {}
    for folder in folders:
        for path in folder.rglob("*.yaml"):
            relative = path.relative_to(folder).with_suffix("")
            group = LAUNCHERS if relative.is_relative_to(LAUNCHERS) else relative.parts[0]
            if path.parent != folder and group != "hydra":
                options.setdefault(group, set()).add(relative.relative_to(group).as_posix())
    return "\n".join(f"  {group}: {', '.join(sorted(names))}" for group, names in sorted(options.items()))


def _keys(path: Path) -> str:
    """The keys of a configuration file with their comments: what stands between its defaults and Hydra's own part."""
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    return "\n".join(
        f"  {line}" for block in blocks[1:] if not block.startswith("hydra:") for line in block.strip().splitlines()
    )


def _config_dirs(arguments: Sequence[str]) -> list[Path]:
    found = []
    for flag, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if flag in ("--config-dir", "-cd"):
            found.append(Path(value))
        elif flag.startswith("--config-dir="):
            found.append(Path(flag.partition("=")[2]))
    return found

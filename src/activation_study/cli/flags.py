"""The flags of a command line: Hydra's, checked before Hydra sees them, so that each error is one message."""

import argparse
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from activation_study.config.fields import declared
from activation_study.errors import BadInput, alternatives
from activation_study.location import command

_COMPLETION = re.compile("(install|uninstall|query)=(bash|fish|zsh)")
_REFUSED = {
    "config_name": "--config-name: a command's file is fixed; --config-dir DIR adds files of your own",
    "config_path": "--config-path: a command's folder is fixed; --config-dir DIR adds a folder of your own",
    "experimental_rerun": "--experimental-rerun: a run is trained again by `{reproduce} run=RUN`",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(message.removeprefix("argument "))


def checked_arguments(arguments: Sequence[str], name: str, schema: type) -> list[str]:
    """The arguments as Hydra takes them: flags, then overrides.

    Args:
        arguments: of the command line.
        name: of the command.
        schema: of the command's configuration.

    Raises:
        BadInput: an unknown flag, a flag without its value, flags that contradict each other, text that is not UTF-8.
    """
    try:
        for argument in arguments:
            if _is_unreadable(argument):
                raise BadInput(f"{argument!a}: expected UTF-8 text without control characters")
        given = _parser().parse_intermixed_args(arguments)
        _reject(given, name, schema)
    except BadInput as error:
        keys = [key for argument in arguments if (key := _as_key(argument)) in declared(schema)]
        if keys and "unrecognized" in str(error):
            raise BadInput(f"{error}; a key is written without dashes: {keys[0]}=VALUE") from None
        raise BadInput(f"{error}; `{command(name)} --help` shows the usage") from None
    return [*_flags(given), *given.overrides]


def _as_key(flag: str) -> str:
    """The key that a flag might stand for: --dry-run → dry_run."""
    return flag.lstrip("-").partition("=")[0].replace("-", "_") if flag.startswith("-") else ""


def _parser() -> argparse.ArgumentParser:
    """A parser of Hydra's flags; tests compare it with Hydra's own."""
    parser = _Parser(add_help=False)
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--hydra-help", action="store_true")
    parser.add_argument("--cfg", "-c", choices=["job", "hydra", "all"])
    parser.add_argument("--resolve", action="store_true")
    parser.add_argument("--package", "-p")
    parser.add_argument("--run", "-r", action="store_true")
    parser.add_argument("--multirun", "-m", action="store_true")
    parser.add_argument("--shell-completion", "--shell_completion", "-sc", action="store_true")
    parser.add_argument("--config-dir", "-cd")
    parser.add_argument("--config-path", "-cp")
    parser.add_argument("--config-name", "-cn")
    parser.add_argument("--experimental-rerun")
    infos = ["all", "config", "defaults", "defaults-tree", "plugins", "searchpath"]
    parser.add_argument("--info", "-i", nargs="?", const="all", choices=infos)
    return parser


def _reject(given: argparse.Namespace, name: str, schema: type) -> None:
    """Raises BadInput for flags that cannot be used here, or together."""
    for flag, message in _REFUSED.items():
        if getattr(given, flag):
            raise BadInput(message.replace("{reproduce}", command("reproduce")))
    if given.config_dir and not Path(given.config_dir).is_dir():
        raise BadInput(f"--config-dir {given.config_dir}: no such folder")
    modes = [flag for flag in ("run", "multirun", "cfg", "info", "shell_completion") if getattr(given, flag)]
    if len(modes) > 1:
        flags = " and ".join(f"--{flag.replace('_', '-')}" for flag in modes)
        fix = "; to print a configuration, leave out -m and give one value for each key" if given.cfg else ""
        raise BadInput(f"{flags} cannot be combined{fix}")
    if given.multirun and name not in ("train", "sync"):
        raise BadInput(f"-m makes a sweep, which only `{command('train')}` does; call this command once for each value")
    for flag in ("resolve", "package"):
        if getattr(given, flag) and not given.cfg:
            raise BadInput(f"--{flag} is used together with --cfg job")
    groups = {key.rpartition(".")[0] for key in declared(schema)} - {""}
    if given.package and not given.package.startswith(("_global_", "hydra", "activation.layer", *groups)):
        raise BadInput(
            f"--package {given.package}: expected a part of the configuration: {alternatives(sorted(groups))}"
        )
    if given.shell_completion and not any(map(_COMPLETION.fullmatch, given.overrides)):
        raise BadInput("-sc: expected install=SHELL, uninstall=SHELL or query=SHELL, with SHELL bash, fish or zsh")


def _flags(given: argparse.Namespace) -> list[str]:
    """The flags that were given, in the form that Hydra's parser reads."""
    found = []
    for flag, value in vars(given).items():
        if flag != "overrides" and value:
            option = f"--{flag.replace('_', '-')}"
            found.append(option if value is True else f"{option}={value}")
    return found


def _is_unreadable(argument: str) -> bool:
    """Whether an argument has control characters, or surrogates: what Python makes of bytes that are not UTF-8."""
    return any(unicodedata.category(sign) in ("Cc", "Cs") for sign in argument)

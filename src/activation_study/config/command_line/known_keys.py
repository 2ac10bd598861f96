"""What a command's configuration has: composed again after an error, to explain it."""

import difflib
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from activation_study.config.command_line.overrides import override_key, search_path
from activation_study.config.identity import flatten
from activation_study.location import conf_dir


def try_to_compose(config: str, arguments: Sequence[str]) -> Exception | None:
    """The error of composing a command's configuration; None if there is none.

    Args:
        config: the command's file in `conf/`, without its suffix.
        arguments: flags, of which --config-dir counts, and overrides.
    """
    try:
        _compose(config, tuple(arguments))
    except Exception as error:  # YAML, Hydra and OmegaConf have no common ancestor
        return error
    return None


def known_keys(config: str, wrong: str, arguments: Sequence[str]) -> list[str]:
    """All keys of the configuration as it is composed without the wrong one; those of an activation's layer are known
    only then.
    """
    right = [argument for argument in arguments if override_key(argument) != wrong]
    flags = [argument for argument in right if argument.startswith("-")]
    for given in (right, flags, []):  # another override may be wrong, too
        try:
            values = _compose(config, tuple(given), hydra=wrong.startswith("hydra."))
        except Exception:
            continue
        keys = [*values, *(key for key in flatten(values) if key not in values)]
        return [key for key in keys if not key.startswith("sweep.") and "._" not in key]  # not the program's own
    return []


def options_of(group: str, arguments: Sequence[str]) -> list[str]:
    """The options of a group of the configuration."""
    folders = [conf_dir(), *_config_dirs(arguments)]
    files = ((path, folder / group) for folder in folders for path in (folder / group).rglob("*.yaml"))
    return sorted({path.relative_to(folder).with_suffix("").as_posix() for path, folder in files})


def composed_values(config: str, arguments: Sequence[str]) -> dict[str, Any]:
    """The configuration by dotted keys; empty if it cannot be composed."""
    with suppress(Exception):
        return flatten(_compose(config, tuple(arguments)))
    return {}


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A hint where something known looks like it; names before whole keys, so that a wrong group does not hide one."""
    by_name = {key.rpartition(".")[2]: key for key in known}
    close = [key for key in difflib.get_close_matches(word, known, n=3, cutoff=0.6) if _last_parts_match(key, word)]
    last = difflib.get_close_matches(word.rpartition(".")[2], by_name, n=1, cutoff=0.75)
    found = close or [by_name[name] for name in last]
    return f"; did you mean {found[0]}?" if found else ""


def _last_parts_match(key: str, word: str) -> bool:
    last, typed = key.rpartition(".")[2], word.rpartition(".")[2]
    return difflib.SequenceMatcher(None, last, typed).ratio() >= 0.5


def _config_dirs(arguments: Sequence[str]) -> list[Path]:
    flag = "--config-dir="
    return [Path(argument.removeprefix(flag)) for argument in arguments if argument.startswith(flag)]


def forget() -> None:
    """Forgets what was composed: files may have changed since."""
    _compose.cache_clear()


@cache
def _compose(config: str, arguments: tuple[str, ...], hydra: bool = False) -> dict[str, Any]:
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.singleton import Singleton
    from omegaconf import OmegaConf

    search = [search_path(path) for path in _config_dirs(arguments)]
    overrides = [argument for argument in arguments if not argument.startswith("-")]
    before = Singleton.get_state()
    GlobalHydra.instance().clear()  # the error may come from inside a run of Hydra
    try:
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            composed = compose(config, [*search, *overrides], return_hydra_config=hydra)
            values = OmegaConf.to_container(composed, resolve=not hydra)  # Hydra's own part is not complete yet
    finally:
        Singleton.set_state(before)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}

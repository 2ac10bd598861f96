"""Hydra's and OmegaConf's errors about a configuration, as one short message with a hint."""

import difflib
import re
import sys
from collections.abc import Sequence

from activation_study.location import command, conf_dir

_KINDS = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
_NOISE = (
    "object_type=",
    "reference_type=",
    "full_key:",
    "Config search path",
    "provider=",
    "To append to",
    "See http",
)


def explain(error: Exception, name: str, config: str) -> str:
    """An error as one short message.

    Args:
        error: of Hydra or OmegaConf.
        name: of the command.
        config: the command's file in `conf/`, without its suffix.
    """
    lines = [line for link in (error, error.__cause__) if link for line in str(link).splitlines() if _is_useful(line)]
    text = "\n".join(dict.fromkeys(line.strip() for line in lines))
    bare = re.search("Error parsing override '([^'=]*)'", text)
    if bare:
        return f"{bare[1]}: expected KEY=VALUE; `{command(name)} --help` shows the keys"
    if re.search("LexerNoViableAlt|mismatched input|token recognition|no viable alternative", text):
        override = (text.partition(": ")[2].splitlines() or text.splitlines())[0]
        return f"{override} could not be parsed; quote values with special characters: 'key=\"value\"'"
    ambiguous = re.search("Ambiguous value for argument '(.+)'", text)
    if ambiguous:
        return f"{ambiguous[1]}: multiple values require a sweep; add -m. A list is written key=[1,2]"
    given = re.search(r"Multiple values for ([\w/]+)\. To override a value use 'override [\w/]+: (.+)'", text)
    if given:
        return f"+{given[1]}={given[2]}: the group has an option already; replace it with {given[1]}={given[2]}"
    value = re.search(r"Value '(.*)' of type '.*' could not be converted to (\w+)", text)
    full_key = _full_key(error)
    if value and full_key:
        return f"{full_key}={value[1]}: expected {_KINDS.get(value[2], value[2])}"
    option = re.search("Could not find '(.+)/(.+)'", text)
    if option:
        names = text.partition(f"Available options in '{option[1]}':")[2].split()
        hint = _did_you_mean(option[2], names)
        return f"{option[1]}={option[2]}: expected one of {', '.join(names)}{hint}"
    unknown = re.search(r"Could not override '([^']+)'|Key '([^']+)' is not in struct|Key '([^']+)' not in", text)
    key = next((group for group in unknown.groups() if group), "") if unknown else ""
    key = full_key if full_key and full_key.endswith(key) else key
    keys = _known_keys(config, key) if key else []
    if not key or key in keys:
        return text
    hint = _did_you_mean(key, keys) or f"; `{command(name)} --help` shows the keys"
    return f"{key}: unknown key{hint}"


def _full_key(error: Exception) -> str:
    """The dotted key that OmegaConf's error is about; empty if it names none."""
    found = re.search(r"full_key: (\S+)", f"{error}\n{error.__cause__}")
    return found[1] if found else ""


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    """A hint where something known looks like it; names before whole keys, so that a wrong group does not hide one."""
    by_name = {key.rpartition(".")[2]: key for key in known}
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    last = difflib.get_close_matches(word.rpartition(".")[2], by_name, n=1, cutoff=0.75)
    found = close or [by_name[name] for name in last]
    return f"; did you mean {found[0]}?" if found else ""


def _known_keys(config: str, wrong: str) -> list[str]:
    """All keys of the command's configuration as it is composed without the wrong one; those of an activation's layer
    are known only then.
    """
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from activation_study.config.identity import flatten

    overrides = [
        argument
        for argument in sys.argv[1:]
        if "=" in argument and not argument.startswith("-") and argument.lstrip("+~").partition("=")[0] != wrong
    ]
    for given in (overrides, []):  # another override may be wrong, too
        try:
            with initialize_config_dir(str(conf_dir()), version_base="1.3"):
                values = OmegaConf.to_container(compose(config, given))
        except Exception:
            continue
        assert isinstance(values, dict)
        nested = {str(key): value for key, value in values.items()}
        return [*nested, *(key for key in flatten(nested) if key not in nested)]
    return []


def _is_useful(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith(_NOISE) and "$VALUE" not in line

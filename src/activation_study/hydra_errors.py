"""Hydra's and OmegaConf's errors about a configuration, in words that help."""

import difflib
import re
from dataclasses import fields, is_dataclass
from typing import Any

from activation_study.config.schema import Config


def explain(error: Exception) -> str:
    """Hydra's and OmegaConf's errors about a configuration, as one short message with the mend."""
    lines = [line for link in (error, error.__cause__) if link for line in str(link).splitlines() if _tells(line)]
    text = "\n".join(dict.fromkeys(line.strip() for line in lines))
    if re.search("LexerNoViableAlt|mismatched input|token recognition|no viable alternative", text):
        given = (text.partition(": ")[2].splitlines() or text.splitlines())[0]
        return f"{given} cannot be read; a value with special signs wants quotes within quotes: 'key=\"value\"'"
    ambiguous = re.search("Ambiguous value for argument '(.+)'", text)
    if ambiguous:
        return f"{ambiguous[1]}: several values make a sweep: say -m; a list is written key=[1,2]"
    option = re.search("Could not find '(.+)/(.+)'", text)
    if option:
        names = text.partition(f"Available options in '{option[1]}':")[2].split()
        close = difflib.get_close_matches(option[2], names, n=1, cutoff=0.6)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"{option[1]}={option[2]}: expected one of {', '.join(names)}{hint}"
    unknown = re.search(r"Could not override '([^']+)'|Key '([^']+)' is not in struct|Key '([^']+)' not in", text)
    key = next((group for group in unknown.groups() if group), "") if unknown else ""
    known = _keys(Config)
    if not key or key in known:
        return text
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]}?" if close else "`python train.py --cfg job` shows all keys."
    return f"{key} is no key of the configuration; {hint}"


def _tells(line: str) -> bool:
    noise = (
        "object_type=",
        "reference_type=",
        "full_key:",
        "Config search path",
        "provider=",
        "To append to",
        "See http",
    )
    return bool(line.strip()) and not line.strip().startswith(noise) and "$VALUE" not in line


def _keys(schema: Any, prefix: str = "") -> list[str]:
    keys = []
    for field in fields(schema):
        keys.append(prefix + field.name)
        if is_dataclass(field.type):
            keys += _keys(field.type, f"{prefix}{field.name}.")
    return keys

"""Values of the command line as they were typed.

Hydra takes 2026_11 for the number 202611, 1e5 for 100000.0, and it cannot read ü, (1) or a=b. Where a key holds text
(a name, a path, a run ID), that is not what was meant. So such a value is quoted before Hydra reads it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any

from activation_study.config.fields import declared, holds_text, leaf_types
from activation_study.location import conf_dir

# Values that are written in Hydra's own syntax: quoted, a dict, a function such as choice(a,b); with an escape, an
# interpolation, or quotes inside a list.
_HYDRA_SYNTAX = re.compile(
    r"""['"{]|.*\\|.*\$\{|\[.*['"]|(?:choice|range|interval|glob|sort|shuffle|extend_list|str|int|float|bool|json_str)\("""
)


def as_typed(arguments: Iterable[str], schema: type) -> list[str]:
    """The overrides, with the values of keys that hold text quoted where Hydra would read something else.

    Repeating it changes nothing. Commas still separate the values of a sweep, and `null` is still nothing where a key
    may be empty.

    Args:
        arguments: of a command line; flags are unchanged.
        schema: of the command's configuration.
    """
    keys, whole = text_keys(schema), {key for key, each in declared(schema).items() if each.metadata.get("whole")}
    return [_as_typed(argument, keys, whole) for argument in arguments]


def text_keys(schema: type) -> Mapping[str, bool]:
    """The keys that hold text, and the groups, whose options are names: key → whether it may be null."""
    found = {path.name: True for path in conf_dir().iterdir() if path.is_dir()}
    for key, declaration in declared(schema).items():
        if holds_text(declaration):
            found[key] = bool({Any, NoneType} & leaf_types(declaration.type))
    return found


def override_key(override: str) -> str:
    """The key of an override, without the + or ~ in front of it."""
    return override.partition("=")[0].lstrip("+~")


def without_keys(overrides: Sequence[str], keys: Sequence[str]) -> list[str]:
    """The overrides of other keys than these."""
    return [override for override in overrides if override_key(override) not in keys]


def _as_typed(argument: str, keys: Mapping[str, bool], whole: Set[str]) -> str:
    key, equals, value = argument.partition("=")
    name = key.lstrip("+").partition("@")[0].replace("/", ".")
    if equals and name in whole:
        return f"{key}={_quoted(value, keys[name])}"
    if not equals or name not in keys or _HYDRA_SYNTAX.match(value):
        return argument
    pieces = re.split(r"([\[\],])" if value.startswith("[") else "(,)", value)
    return f"{key}={''.join(_quoted(piece, keys[name]) for piece in pieces)}"


@cache
def _quoted(text: str, nullable: bool) -> str:
    """A name or path in quotes, unless Hydra reads it as this very text."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Quote, QuotedString
    from hydra.errors import HydraException

    bare = text.strip()
    if bare in ("", ",", "[", "]") or bare[0] in "'\"" or (nullable and bare.lower() == "null"):
        return text
    try:
        if OverridesParser.create().parse_override(f"key={text}").value() == bare:
            return text
    except HydraException:  # characters that it reads in quotes only
        pass
    return QuotedString(bare, Quote.single).with_quotes()


def search_path(folder: Path) -> str:
    """The override that makes Hydra look for options in a folder, too, whatever characters its path has."""
    from hydra.core.override_parser.types import Quote, QuotedString

    return f"hydra.searchpath=[{QuotedString(f'file://{folder.resolve()}', Quote.single).with_quotes()}]"

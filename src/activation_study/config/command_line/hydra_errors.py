"""Hydra's and OmegaConf's errors about a configuration, as one short message with a hint."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from activation_study.config.command_line.file_errors import explain_file
from activation_study.config.command_line.known_keys import (
    composed_values,
    did_you_mean,
    forget,
    known_keys,
    options_of,
    try_to_compose,
)
from activation_study.config.command_line.overrides import override_key
from activation_study.errors import MAX_LISTED, alternatives, problems_message
from activation_study.location import command

_KINDS = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false", "bool": "true or false"}
_NOISE = (
    "object_type=",
    "reference_type=",
    "full_key:",
    "Config search path",
    "provider=",
    "To append to",
    "See http",
)
_CLOSING = {"[": "]", "{": "}", "(": ")", "'": "'", '"': '"'}
_SYNTAX = "LexerNoViableAlt|mismatched input|token recognition|no viable alternative|extraneous input|missing .* at"


def explanation(error: Exception, name: str, config: str, arguments: Sequence[str]) -> str | None:
    """One message for everything that Hydra would reject, not only what it met first; None if it rejects nothing, so
    that the error is one of this program.

    Args:
        error: what ended the command.
        name: of the command.
        config: the command's file in `conf/`, without its suffix.
        arguments: of the command line: flags, then overrides.
    """
    forget()
    if isinstance(error, OSError) and not isinstance(error, HydraException):
        return explain_file(error, composed_values(config, _first_run(arguments)))
    problems = list(dict.fromkeys(_problems(name, config, arguments)))
    if not problems:  # not a matter of single overrides
        expected = isinstance(error, HydraException | OmegaConfBaseException | YAMLError)
        return _explain(error, name, config, arguments) if expected else None
    if len(problems) == 1:
        return problems[0]
    return problems_message("These arguments cannot be used", problems, f"`{command(name)} --help` shows the keys.")


def _problems(name: str, config: str, arguments: Sequence[str]) -> Iterator[str]:
    """What is wrong with each override."""
    flags = [argument for argument in arguments if argument.startswith("-")]
    jobs: list[list[str]] = []
    for override in (argument for argument in arguments if not argument.startswith("-")):
        try:
            values = _values(override, flags)
        except HydraException as error:
            yield _explain(error, name, config, [*flags, override])
            continue
        if values:
            jobs.append(values)
        else:
            options = options_of(override.partition("=")[0], flags)
            expected = f"some of {', '.join(options)}" if options else "values; glob picks options of a group"
            yield f"{override}: nothing matches; expected {expected}"
    for row in zip_longest(*jobs):  # each value of a sweep once
        given = [value or others[0] for value, others in zip(row, jobs, strict=True)]
        yield from _problems_of_run(name, config, flags, given)


def _problems_of_run(name: str, config: str, flags: Sequence[str], overrides: list[str]) -> Iterator[str]:
    """What is wrong with each override of a single run: the one that an error names is taken out, and so on."""
    found: list[tuple[Exception, str]] = []
    error = try_to_compose(config, [*flags, *overrides])
    while error is not None:
        for culprit in sorted(overrides, key=lambda override: not _is_named(override, error)):
            others = [override for override in overrides if override is not culprit]
            next_error = try_to_compose(config, [*flags, *others])
            if str(next_error) != str(error):
                found.append((error, culprit))
                overrides, error = others, next_error
                break
        else:  # not a matter of single overrides
            break
    for each, culprit in found:  # explained by what is known with all that is right
        yield _explain(each, name, config, [*flags, *overrides, culprit])


def _first_run(arguments: Sequence[str]) -> list[str]:
    """The arguments of a sweep's first run."""
    first = [text if text.startswith("-") else next(iter(_values(text, arguments)), "") for text in arguments]
    return [text for text in first if text not in ("", "--multirun")]


def _is_named(override: str, error: Exception | None) -> bool:
    """Whether an error's text has an override, or its key."""
    text, key = f"{error}\n{error.__cause__ if error else None}", override_key(override)
    return override in text or bool(key and re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", text))


def _values(override: str, flags: Sequence[str]) -> list[str]:
    """The overrides of the single runs that an override of a sweep makes; none if it is a pattern without a match."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Glob

    parsed = OverridesParser.create().parse_override(override)
    if "--multirun" in flags and parsed.is_sweep_override() and parsed.is_discrete_sweep():
        key, value = parsed.get_key_element(), parsed.value()
        if isinstance(value, Glob):
            return [f"{key}={name}" for name in value.filter(options_of(key, flags))]
        return [f"{key}={value}" for value in parsed.sweep_string_iterator()]
    return [override]


def _explain(error: Exception, name: str, config: str, arguments: Sequence[str]) -> str:
    """An error as one short message; the last of the arguments caused it, if one did."""
    if isinstance(error, UnicodeDecodeError):
        return f"{arguments[-1]}: its file is not UTF-8 text"
    lines = [line for link in (error, error.__cause__) if link for line in str(link).splitlines() if _is_useful(line)]
    text = "\n".join(dict.fromkeys(line.strip() for line in lines))
    bare = re.search("Error parsing override '([^'=]*)'", text)
    if bare:
        return f"{bare[1]}: expected KEY=VALUE; `{command(name)} --help` shows the keys"
    if re.search(_SYNTAX, text):
        if not re.search("[=~]", arguments[-1]):
            return f"{arguments[-1]}: expected KEY=VALUE; `{command(name)} --help` shows the keys"
        if bracket := _unpaired(arguments[-1]):
            return f"{arguments[-1]}: {bracket}"
        return f"{arguments[-1]} could not be parsed; quote values with special characters: 'key=\"value\"'"
    ambiguous = re.search("Ambiguous value for argument '(.+)'", text)
    if ambiguous:
        return f"{ambiguous[1]}: {_one_value(name)}. A list is written key=[1,2]"
    sweep = re.search("Sweep parameters '(.+)' requires --multirun", text)
    if sweep and "--multirun" in arguments:
        return f"{sweep[1]}: expected values: a,b or choice(a,b), range(1,5), glob(PATTERN)"
    if sweep:
        return f"{sweep[1]}: {_one_value(name)}"
    given = re.search(r"Multiple values for ([\w/]+)\. To override a value use 'override [\w/]+: (.+)'", text)
    if given:
        return f"+{given[1]}={given[2]}: the group has an option already; replace it with {given[1]}={given[2]}"
    value = re.search(r"Value '(.*)' (?:of type '.*' could not be converted to|is not a valid) (\w+)", text)
    full_key = _full_key(error)
    if value and full_key:
        return f"{full_key}={value[1]}: expected {_KINDS.get(value[2], value[2])}"
    if full_key and text.endswith("is not Optional"):
        return f"{full_key}=null: expected a value"
    option = re.search("Could not (?:find|load) '(.+)/(.+?)'", text)
    if option:
        return _wrong_option(option[1], option[2], text, arguments)
    unknown = re.search(r"Could not override '([^']+)'|Key '([^']+)' is not in struct|Key '([^']+)' not in", text)
    key = next((group for group in unknown.groups() if group), "") if unknown else ""
    key = full_key if key and full_key.endswith(key) else key
    keys = known_keys(config, key, arguments) if key else []
    if key and arguments[-1].startswith(f"{key}={{"):
        return f"{arguments[-1]}: the option lacks some of these keys; +{arguments[-1]} adds them"
    if re.search("No match in the defaults list|Invalid type assigned", text):
        group = key or full_key
        inside = [each for each in known_keys(config, "", arguments[:-1]) if each.startswith(f"{group}.")]
        if inside:
            expected = alternatives(f"{each}=…" for each in inside[:MAX_LISTED])
            return f"{arguments[-1]}: {group} has no options here; expected {expected}"
    if not key or key in keys:
        return _in_short(text, arguments[-1] if arguments else "")
    if key.startswith("hydra."):
        beside = [each for each in keys if each.rpartition(".")[0] == key.rpartition(".")[0]]
        return f"{key}: unknown key" + (f"; expected {alternatives(beside)}" if beside else "")
    hint = did_you_mean(key, keys) or f"; `{command(name)} --help` shows the keys"
    return f"{key}: unknown key{hint}"


def _wrong_option(group: str, option: str, text: str, arguments: Sequence[str]) -> str:
    """An option that a group does not have: its own options, and those in its subfolders."""
    listed = text.partition(f"Available options in '{group}':")[2].split()
    if not group.startswith("hydra"):
        top, *subfolders = group.split("/")
        listed = ["/".join([*subfolders, name]) for name in listed]
        group, option = top, "/".join([*subfolders, option])
    names = sorted({*listed, *options_of(group, arguments)})
    return f"{group}={option}: expected one of {', '.join(names)}{did_you_mean(option, names)}"


def _unpaired(override: str) -> str | None:
    """Which bracket or quote has no partner; None if each has one."""
    expected: list[str] = []
    for sign in re.sub(r"\\.", "", override.partition("=")[2]):
        quoted = expected[-1:] in (["'"], ['"'])
        if expected and sign == expected[-1]:
            expected.pop()
        elif not quoted and sign in _CLOSING:
            expected.append(_CLOSING[sign])
        elif not quoted and sign in _CLOSING.values():
            return f"the closing {expected[-1]} is missing" if expected else f"{sign} without its opening bracket"
    return f"the closing {expected[-1]} is missing" if expected else None


def _one_value(name: str) -> str:
    """What to do instead of giving several values without a sweep."""
    if name in ("train", "sync"):
        return f"multiple values require a sweep; add -m to `{command(name)}`"
    return "expected one value; call this command once for each"


def _in_short(text: str, override: str) -> str:
    """Any other error: what was given, and a library's words in one line."""
    reason = "; ".join(line for line in text.splitlines() if not line.startswith("Error merging override"))
    if "is not a ListConfig, list or tuple" in reason:
        inner = re.search(r"=\[[^\[]", override)
        reason = "expected a list of lists, e.g. [[a,b]]" if inner else "expected a list, e.g. [a,b]"
    elif "Cannot convert 'list'" in reason or "Cannot convert 'dict'" in reason:
        reason = "expected one value"
    elif re.search("Cannot assign .* to Dict", reason):
        reason = f"expected keys with values: {override.partition('=')[0]}.KEY=VALUE"
    elif "does not support deletion" in reason:
        reason = "a key of the configuration cannot be removed; give it another value"
    elif "Config group override must be a string" in reason:
        reason = "expected the name of an option"
    reason = reason.replace("Invalid value ", "", 1) if "expected one of" in reason else reason
    return reason if override in reason else f"{override}: {reason}"


def _full_key(error: Exception) -> str:
    """The dotted key that OmegaConf's error is about; empty if it names none."""
    found = re.search(r"full_key: (\S+)", f"{error}\n{error.__cause__}")
    return found[1] if found else ""


def _is_useful(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith(_NOISE) and "$VALUE" not in line

"""Objects of configured classes: which classes a configuration may name, and what is said where one cannot be used."""

import inspect
from collections.abc import Collection, Mapping
from typing import Any


def find_class(key: str, target: str, base: type, modules: Mapping[str, Mapping[str, Any]]) -> type:
    """The class that a key names.

    Args:
        key: of the configuration, for messages, e.g. `optimizer._target_`.
        target: its value, `<module>.<class>`.
        base: what the class must be derived from.
        modules: the allowed modules with their contents, by their names.

    Raises:
        ValueError: the module is not allowed, or has no such class.
    """
    module, _, name = target.rpartition(".")
    if module not in modules:
        raise ValueError(f"{key}={target}: only classes of {' or '.join(modules)} are allowed")
    candidate = modules[module].get(name)
    if not (inspect.isclass(candidate) and issubclass(candidate, base)):
        raise ValueError(f"{key}={target}: {module} has no {base.__name__.lower()} of that name")
    return candidate


def arguments_of(options: Mapping[str, Any], others: Collection[str] = ()) -> dict[str, Any]:
    """The arguments of a component's class: all of its keys but `name`, `_target_` and the others."""
    return {key: value for key, value in options.items() if key not in ("name", "_target_", *others)}


def check_arguments(key: str, value: Any) -> None:
    """Raises ValueError if arguments name an object outside Keras, or contain code as text."""
    if isinstance(value, dict):
        module, name = str(value.get("module") or "keras"), str(value.get("class_name", ""))
        if module.partition(".")[0] != "keras" or "lambda" in name.lower():
            raise ValueError(f"{key}: its arguments name {module} {name}: only objects of Keras are allowed")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        check_arguments(key, item)

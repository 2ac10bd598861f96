"""Objects of configured classes: which classes a configuration may name, and what is said where one cannot be used.

An option of a group has `name`, `_target_` (a class, or a function) and that class's arguments.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from activation_study import plugins
from activation_study.errors import BadInput

# Module → what a configuration may name of it.
Modules = Mapping[str, Mapping[str, Any]]


def make_component(
    key: str, options: Mapping[str, Any], base: type | None, modules: Modules, name: str | None = None, **context: Any
) -> Any:
    """What an option of the configuration describes.

    Args:
        key: of the configuration, for messages, e.g. `optimizer`.
        options: `_target_` and its arguments; `name` is left out.
        base: what the class must be derived from; None: the target is a function.
        modules: the allowed modules.
        name: of a layer.
        **context: arguments that the program has, such as a seed; passed on if they are taken and not given.

    Raises:
        BadInput: the target is not allowed, or rejects the arguments; the message has both.
    """
    target, arguments = str(options.get("_target_")), arguments_of(options)
    found = find_target(f"{key}._target_", target, base, modules)
    check_arguments(key, arguments)
    try:
        taken = inspect.signature(found).parameters.keys() - arguments.keys()
        known = {key: value for key, value in context.items() if key in taken}
        return found(**arguments, **known, **({} if name is None else {"name": name}))
    except Exception as error:  # whatever it raises about its arguments
        raise BadInput(f"{key}: {target} rejects {arguments}: {error}") from error


def find_target(key: str, target: str, base: type | None, modules: Modules) -> Callable[..., Any]:
    """The class or function that a key names.

    Args:
        key: of the configuration, for messages, e.g. `optimizer._target_`.
        target: its value, `<module>.<name>`.
        base: as of `make_component`.
        modules: the allowed modules.

    Raises:
        BadInput: the module is not allowed, or has nothing of that name.
    """
    module, _, name = target.rpartition(".")
    found = modules.get(module) or plugins.contents(module)
    if found is None:
        allowed = " or ".join([*modules, "modules in plugins=[…]"])
        raise BadInput(f"{key}={target}: only classes of {allowed} are allowed")
    candidate = found.get(name)
    if base is None:
        fits = inspect.isfunction(candidate)
    else:
        fits = inspect.isclass(candidate) and issubclass(candidate, base) and candidate is not base
    own = getattr(candidate, "__module__", "").partition(".")[0] == module.partition(".")[0]
    if not fits or (module not in modules and not own) or (base is None and candidate.__module__ != module):
        kind = "function" if base is None else base.__name__.lower()
        raise BadInput(f"{key}={target}: {module} has no {kind} of that name")
    assert callable(candidate)
    return candidate


def arguments_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a component's class: all of its keys but `name` and `_target_`."""
    return {key: value for key, value in options.items() if key not in ("name", "_target_")}


def check_arguments(key: str, value: Any) -> None:
    """Raises BadInput if arguments name an object outside Keras, or contain code as text."""
    if isinstance(value, dict):
        module, name = str(value.get("module") or "keras"), str(value.get("class_name", ""))
        if module.partition(".")[0] != "keras" or "lambda" in name.lower():
            raise BadInput(f"{key}: its arguments name {module} {name}: only objects of Keras are allowed")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        check_arguments(key, item)

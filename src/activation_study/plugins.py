"""Modules from outside of this project whose classes a configuration may name: `plugins=[my_parts.layers]`.

Such a module is code that runs. So it is allowed by the user's own command line alone, never by a record that names it,
and it is imported when the first of its classes is needed.
"""

import hashlib
import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from activation_study.errors import BadInput

ENTRY_POINTS = "activation_study.plugins"  # the group whose names may stand in the place of modules
_allowed: set[str] = set()


def allow(names: Iterable[str]) -> None:
    """Allows the classes of these modules for the rest of this process.

    Args:
        names: given by the user: modules that can be imported from here, or names of installed entry points.

    Raises:
        BadInput: there is no such module.
    """
    for name in names:
        if str(Path.cwd()) not in sys.path:
            sys.path.append(str(Path.cwd()))
        module = module_of(name)
        _source(module)
        _allowed.add(module)


def require(names: Sequence[str], who: str) -> None:
    """Raises BadInput if a run needs modules that the user has not allowed.

    Args:
        names: `plugins` of its configuration.
        who: the run, for the message.
    """
    if missing := sorted({module_of(name) for name in names} - _allowed):
        listed = f"plugins=[{','.join(missing)}]"
        raise BadInput(
            f"{who} uses {listed}, which is code from outside of this project. It runs only if you say so: add {listed}"
        )


def contents(module: str) -> Mapping[str, Any] | None:
    """What an allowed module has, by name; None if it is not allowed.

    Raises:
        BadInput: it cannot be imported.
    """
    if module not in _allowed:
        return None
    try:
        return vars(importlib.import_module(module))
    except Exception as error:  # whatever it does when it is imported
        raise BadInput(f"plugins=[{module}]: it cannot be imported: {type(error).__name__}: {error}") from error


def module_of(name: str) -> str:
    """The module that a name stands for: that of the entry point of this name, otherwise itself."""
    found = metadata.entry_points(group=ENTRY_POINTS, name=name)
    return next(iter(found)).module if found else name


def digest(names: Sequence[str]) -> str:
    """A SHA-256 of the source files of these plug-ins; of none without any."""
    total = hashlib.sha256()
    for name, path in sorted(sources(names).items()):
        total.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def sources(names: Sequence[str]) -> dict[str, Path]:
    """The source files of the packages that these plug-ins are in, by their names below the packages' folders."""
    found: dict[str, Path] = {}
    for place in {_source(module_of(name)) for name in names}:
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        found |= {path.relative_to(place.parent).as_posix(): path for path in files}
    return found


def packages(modules: Iterable[str]) -> Iterator[Path]:
    """The folders, or single files, of the packages that these modules are in."""
    yield from sorted({_source(module) for module in modules})


def _source(module: str) -> Path:
    """The folder of the package that a module is in, or its file if it is in none. Nothing of it is imported."""
    top, *parts = module.split(".")
    spec = find_spec(top) if top and all(part.isidentifier() for part in (top, *parts)) else None
    places = [Path(each) for each in (spec.submodule_search_locations or ())] if spec else []
    if spec and spec.origin and not places and not parts:
        return Path(spec.origin)
    for place in places:
        path = place.joinpath(*parts)
        if path.is_dir() or path.with_suffix(".py").is_file():
            return place
    raise BadInput(
        f"plugins=[{module}]: there is no such module; expected one that Python finds from this folder, or that is "
        "installed, e.g. plugins=[my_parts.layers]"
    )

"""Modules from outside of this project whose classes a configuration may name: `plugins=[my_parts.layers]`.

Such a module is code that runs. So it is allowed by the user's own command line alone, never by a record that names it,
and it is imported when the first of its classes is needed.
"""

import ast
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
_INSTALLED = {"site-packages", "dist-packages"}
_allowed: dict[str, str] = {}  # module → digest of its files before it was imported


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
        _allowed.setdefault(module, digest([name]))


def require(names: Sequence[str], who: str) -> None:
    """Raises BadInput if a run needs modules that the user has not allowed.

    Args:
        names: `plugins` of its configuration.
        who: the run, for the message.
    """
    if missing := sorted({module_of(name) for name in names} - _allowed.keys()):
        listed = f"plugins=[{','.join(missing)}]"
        raise BadInput(
            f"{who} uses {listed}, which is code from outside of this project. It runs only if you say so: add {listed}"
        )


def changed(names: Sequence[str]) -> list[str]:
    """Those of these plug-ins whose files are not those that this process imported any more."""
    return [name for name in names if digest([name]) != _allowed.get(module_of(name))]


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
    """The source files of these plug-ins' `packages`, by their names below the packages' folders."""
    found: dict[str, Path] = {}
    for place in packages(map(module_of, names)):
        found |= {path.relative_to(place.parent).as_posix(): path for path in _files(place)}
    return found


def packages(modules: Iterable[str]) -> list[Path]:
    """The folders, or single files, of the packages that these modules are in, and of those beside that they import."""
    found: set[Path] = set()
    todo = [_source(module) for module in modules]
    while todo:
        place = todo.pop()
        if place not in found:
            found.add(place)
            todo += _imported_beside(place)
    return sorted(found)


def _imported_beside(place: Path) -> Iterator[Path]:
    """The packages in the same folder that a package imports; what lies beside an installed one is not part of it."""
    if not _INSTALLED.isdisjoint(place.parts):
        return
    for name in {name for file in _files(place) for name in _imported(file)}:
        for beside in (place.parent / name, place.parent / f"{name}.py"):
            if beside.is_file() or any(beside.glob("*.py")):
                yield beside


def _imported(file: Path) -> Iterator[str]:
    """The first parts of the names of the modules that a file imports."""
    try:
        nodes = list(ast.walk(ast.parse(file.read_bytes())))
    except (SyntaxError, ValueError):  # its import will say so
        return
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


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

"""A SQLite store's file, and the absolute paths of artifacts in it: mended when a project was moved or copied."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

ARTIFACTS = "mlruns"  # MLflow's own default, beside its database
_COLUMNS = (
    *(("experiments", "artifact_location"), ("runs", "artifact_uri")),
    *(("logged_models", "artifact_location"), ("model_versions", "storage_location")),
)


def database_path(uri: str) -> Path | None:
    """The file of a SQLite store; None for a server."""
    name = uri.partition("sqlite:///")[2]
    return Path(name) if name else None


def relocate_artifacts(database: Path) -> int:
    """Points a SQLite store to the artifacts in the `mlruns/` beside it, where it names another folder for them.

    A copy points to its own artifacts then, and no more to those of its original. Artifacts that are not beside the
    database are left alone.

    Args:
        database: the file; may be missing.

    Returns:
        How many paths were changed.
    """
    root = database.resolve().parent / ARTIFACTS
    changed = 0
    if not (database.is_file() and root.is_dir()):
        return changed
    with suppress(sqlite3.Error), closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        for old in _roots(connection) - {str(root)}:
            places = {each: _below(connection, old, *each) for each in _COLUMNS}
            if not any((root / rest).is_dir() for _, rest in places["runs", "artifact_uri"]):
                continue  # those beside the database are another one's
            for (table, column), found in places.items():
                for row, rest in found:
                    if (root / rest).is_dir() or not Path(old, rest).is_dir():
                        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (str(root / rest), row))
                        changed += 1
    return changed


def _roots(connection: sqlite3.Connection) -> set[str]:
    """The folders that the store's experiments lie in."""
    located = connection.execute("SELECT experiment_id, artifact_location FROM experiments").fetchall()
    return {place.removesuffix(f"/{number}") for number, place in located if place.endswith(f"/{ARTIFACTS}/{number}")}


def _below(connection: sqlite3.Connection, old: str, table: str, column: str) -> list[tuple[int, str]]:
    """The rows whose path lies below `old`, and the rest of it."""
    found = connection.execute(
        f"SELECT rowid, substr({column}, ?) FROM {table} WHERE substr({column}, 1, ?) = ?",
        (len(old) + 2, len(old) + 1, f"{old}/"),
    )
    return list(found)

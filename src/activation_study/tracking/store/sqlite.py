"""Updates the absolute artifact paths in a SQLite store after its project was moved or copied."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

LOCK_TIMEOUT = 5.0  # seconds to wait for another process that has locked the database
ARTIFACTS_FOLDER = "mlruns"  # MLflow's default, beside the database
_PATH_COLUMNS = (
    *(("experiments", "artifact_location"), ("runs", "artifact_uri")),
    *(("logged_models", "artifact_location"), ("model_versions", "storage_location")),
)


def database_path(uri: str) -> Path | None:
    """The database file of a SQLite store; None for a server."""
    name = uri.partition("sqlite:///")[2]
    return Path(name) if name else None


def relocate_artifacts(database: Path) -> int:
    """Points a SQLite store to the artifacts in the `mlruns/` beside it, if it names another folder for them.

    So a copied project uses its own artifacts instead of those of the original. Paths of artifacts that are not beside
    the database are unchanged.

    Args:
        database: the database file; may be missing.

    Returns:
        The number of changed paths.
    """
    root = database.resolve().parent / ARTIFACTS_FOLDER
    changed = 0
    if not (database.is_file() and root.is_dir()):
        return changed
    with suppress(sqlite3.Error), closing(sqlite3.connect(database, timeout=LOCK_TIMEOUT)) as connection, connection:
        for old_root in _artifact_roots(connection) - {str(root)}:
            paths = {key: _paths_below(connection, old_root, *key) for key in _PATH_COLUMNS}
            if not any((root / relative).is_dir() for _, relative in paths["runs", "artifact_uri"]):
                continue  # the artifacts beside the database belong to another one
            for (table, column), rows in paths.items():
                for row_id, relative in rows:
                    new_path = root / relative
                    if new_path.is_dir() or not Path(old_root, relative).is_dir():
                        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (str(new_path), row_id))
                        changed += 1
    return changed


def _artifact_roots(connection: sqlite3.Connection) -> set[str]:
    """The folders that contain the artifacts of the store's experiments."""
    rows = connection.execute("SELECT experiment_id, artifact_location FROM experiments").fetchall()
    return {
        path.removesuffix(f"/{experiment}")
        for experiment, path in rows
        if path.endswith(f"/{ARTIFACTS_FOLDER}/{experiment}")
    }


def _paths_below(connection: sqlite3.Connection, root: str, table: str, column: str) -> list[tuple[int, str]]:
    """Row ID and relative path of each path in a column that is below `root`."""
    rows = connection.execute(
        f"SELECT rowid, substr({column}, ?) FROM {table} WHERE substr({column}, 1, ?) = ?",
        (len(root) + 2, len(root) + 1, f"{root}/"),
    )
    return list(rows)

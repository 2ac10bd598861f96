"""Files and folders that programs leave in a data set and that are no part of it."""

# Of Windows, macOS and file servers, in lower case; others start with a dot.
_NAMES = frozenset(
    {
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),
        *("__macosx", "icon\r", "@eadir", "#recycle", "lost+found"),
    }
)


def is_hidden(path: str) -> bool:
    """Whether a file, or a folder that it is in, is hidden or left by a program: `.git/`, `__MACOSX/`, `Thumbs.db`.

    Args:
        path: below the data set's folder, with "/" as separator.
    """
    return any(part.startswith(".") or part.lower() in _NAMES for part in path.split("/"))

"""What is copied of a file into a store: earlier versions wrote passwords and any changed file into a run's folder."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from activation_study.credentials import without_credentials
from activation_study.errors import counted
from activation_study.records.code_patch import publishable

PATCH_FILE = "changes.patch"
TEXT = (".json", ".jsonl", ".yaml", ".txt", ".csv", ".md", ".html", ".svg")
MAX_LISTED = 5


@contextmanager
def public_copy(path: Path) -> Iterator[Path]:
    """The file, or a temporary copy of the same name without what must not be copied; the file itself is unchanged.

    Args:
        path: of a file in the folder of a run or a report.
    """
    before = path.read_bytes() if path.name == PATCH_FILE or path.suffix in TEXT else b""
    content = _without_files(path, before) if path.name == PATCH_FILE else _without_credentials(before)
    if content == before:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, path.name)
        copy.write_bytes(content)
        yield copy


def _without_credentials(text: bytes) -> bytes:
    return without_credentials(text.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _without_files(path: Path, patch: bytes) -> bytes:
    changes = publishable(patch)
    if changes.left_out:
        listed = [*changes.left_out[:MAX_LISTED], *(["…"] if len(changes.left_out) > MAX_LISTED else [])]
        print(
            f"note: {path} is copied without {counted(len(changes.left_out), 'file')}: {'; '.join(listed)}",
            file=sys.stderr,
        )
    return changes.patch

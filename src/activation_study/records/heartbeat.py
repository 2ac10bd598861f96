"""A running run's sign of life: where it is and when it was there, for `watch` on this and other machines.

Over a shared file system, locks may not tell whether a run of another machine is alive; a recent file does. It is
hidden, so it is not mirrored, and removed when the run ends.
"""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from activation_study.files import replacing
from activation_study.records.environment import current_process

HEARTBEAT_FILE = ".heartbeat.json"
INTERVAL = 10.0  # seconds between two heartbeats
MAX_FRACTION = 0.0005  # of the time; on a slow file system, heartbeats are rarer


class Heartbeat:
    """The heartbeat of one run.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._due = folder, 0.0

    def beat(self, phase: str, **progress: Any) -> None:
        """Writes where the run is, unless it did so a moment ago; a failure to write is ignored.

        Args:
            phase: `training`, `validation` or `evaluation`.
            **progress: `epoch`, `step`, `steps`, `loss`, `seconds`: see `TrainState`; `steps` is the number per epoch.
        """
        started = time.monotonic()
        if started < self._due or not self._folder.is_dir():
            return
        content = {**current_process(), "time": time.time(), "phase": phase, **progress}
        with suppress(OSError), replacing(self._folder / HEARTBEAT_FILE, durable=False) as temporary:
            temporary.write_text(json.dumps(content))
        now = time.monotonic()
        self._due = now + max(INTERVAL, (now - started) / MAX_FRACTION)

    def remove(self) -> None:
        """Deletes the file: the record says how the run ended."""
        with suppress(OSError):
            (self._folder / HEARTBEAT_FILE).unlink(missing_ok=True)


def read_heartbeat(folder: Path) -> dict[str, Any]:
    """The last heartbeat in a run folder; empty if there is none."""
    try:
        content = json.loads((folder / HEARTBEAT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}

"""Cards for several processes of one machine: each takes one, and has it as long as it lives."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import filelock

from activation_study.hardware import gpu_capabilities

_held: list[filelock.BaseFileLock] = []  # by this process, to its end


def visible_gpus() -> tuple[str, ...]:
    """What CUDA_VISIBLE_DEVICES would say of each card that this process may use, one by one."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = len(gpu_capabilities())
    return tuple(visible.split(",")[:count]) if visible else tuple(map(str, range(count)))


def acquire_gpu(cards: Sequence[str], jobs_per_gpu: int, place: Path | None = None) -> bool:
    """Takes the first card that has room, by CUDA_VISIBLE_DEVICES; before TensorFlow or JAX looks for cards.

    Args:
        cards: from `visible_gpus` of the process that started this one; nothing is done where there are none.
        jobs_per_gpu: how many processes may share one.
        place: of the locks; the same for all processes of a user on this machine.

    Returns:
        Whether this process has what it needs now; false: all are taken.
    """
    if not cards or _held:
        return True
    place = place or Path(tempfile.gettempdir()) / f"activation_study-{os.getuid()}"
    place.mkdir(parents=True, exist_ok=True)
    for share in range(jobs_per_gpu):
        for card in cards:
            lock = filelock.FileLock(place / f"card-{card}-{share}.lock")
            try:
                lock.acquire(blocking=False)
            except filelock.Timeout:
                continue
            _held.append(lock)
            os.environ |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": card}
            return True
    return False

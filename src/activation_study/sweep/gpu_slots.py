"""Distributes the GPUs of one machine over processes: each process takes one and keeps it until it ends."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import filelock

from activation_study.hardware import gpu_capabilities

_held: list[filelock.BaseFileLock] = []  # by this process, until it ends


def visible_gpus() -> tuple[str, ...]:
    """The value of CUDA_VISIBLE_DEVICES for each GPU that this process may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = len(gpu_capabilities())
    return tuple(visible.split(",")[:count]) if visible else tuple(map(str, range(count)))


def acquire_gpu(gpus: Sequence[str], jobs_per_gpu: int, lock_folder: Path | None = None) -> bool:
    """Takes the first GPU with a free slot and sets CUDA_VISIBLE_DEVICES to it.

    Call it before TensorFlow or JAX looks for GPUs.

    Args:
        gpus: from `visible_gpus` of the parent process; nothing happens if there are none.
        jobs_per_gpu: how many processes may share one GPU.
        lock_folder: holds the locks; the same for all processes of a user on this machine.

    Returns:
        Whether this process has a GPU or needs none; False if all slots are taken.
    """
    if not gpus or _held:
        return True
    lock_folder = lock_folder or Path(tempfile.gettempdir()) / f"activation_study-{os.getuid()}"
    lock_folder.mkdir(parents=True, exist_ok=True)
    for slot in range(jobs_per_gpu):
        for gpu in gpus:
            lock = filelock.FileLock(lock_folder / f"gpu-{gpu}-{slot}.lock")
            try:
                lock.acquire(blocking=False)
            except filelock.Timeout:
                continue
            _held.append(lock)
            os.environ |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": gpu}
            return True
    return False

"""Samples processor, memory, disk, network and GPUs while a run trains; the run folder keeps them, MLflow mirrors them.

The monitors and the names are MLflow's, so its page shows them as system metrics. GPUs need the package nvidia-ml-py.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SAMPLES_FILE = "system_metrics.jsonl"  # a line is {"time": Unix time in seconds, "system/…": value, …}
INTERVAL = 10.0  # seconds


@contextmanager
def sampled(folder: Path, enabled: bool, interval: float = INTERVAL) -> Iterator[None]:
    """Appends a sample to the run folder every `interval` seconds inside the block, and one at its end.

    A thread takes them, with no influence on the results; whatever it cannot measure or write is left out.
    """
    if not enabled:
        yield
        return
    finished = threading.Event()

    def sample() -> None:
        with suppress(Exception):  # no measurement may end a training
            monitors = _monitors()
            while True:
                stop = finished.wait(interval)
                _append(folder / SAMPLES_FILE, _measure(monitors))
                if stop:
                    return

    thread = threading.Thread(target=sample, daemon=True, name="system metrics")
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join(timeout=interval)


def read_samples(folder: Path) -> list[dict[str, float]]:
    """The samples in a run folder, the oldest first; a line that was cut off is left out."""
    samples = []
    with suppress(FileNotFoundError):
        for line in (folder / SAMPLES_FILE).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                samples.append(json.loads(line))
    return samples


def _monitors() -> list[Any]:
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    monitors: list[Callable[[], Any]] = [CPUMonitor, DiskMonitor, NetworkMonitor, GPUMonitor]
    working = []
    for monitor in monitors:
        with suppress(Exception):  # no GPU, or no package that reads it
            working.append(monitor())
    return working


def _measure(monitors: list[Any]) -> dict[str, float]:
    values = {"time": time.time()}
    for monitor in monitors:
        monitor.collect_metrics()
        values |= {f"system/{name}": float(value) for name, value in monitor.aggregate_metrics().items()}
        monitor.clear_metrics()
    return values


def _append(path: Path, sample: dict[str, float]) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(sample) + "\n")

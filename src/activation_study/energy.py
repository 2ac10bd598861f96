"""Measures the energy that a training uses, with Zeus: RAPL counters of processor and memory, NVML counters of a GPU.

Nothing is estimated. The counters belong to whole devices, so they include whatever else runs there.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from activation_study.errors import BadInput
from activation_study.hardware import gpu_capabilities

Counter = Callable[[], float]  # millijoules since some moment

READABLE = "sudo find /sys/devices/virtual/powercap -name energy_uj -exec chmod a+r {} +"
HOW_TO_GO_ON = "Nothing is estimated; leave out tracking.energy to train without it."


class EnergyMeter:
    """Counts the joules of an epoch.

    Args:
        source: what is measured, and by which counters.
        counters: of the devices; their sum counts.
    """

    def __init__(self, source: str, counters: Sequence[Counter]) -> None:
        self.source = source
        self._counters = counters
        self._before: float | None = None
        self._start: float | None = None

    def start(self, joules: float | None) -> None:
        """Starts to count, on top of the joules of the epoch's first part; None: these are unknown."""
        self._before, self._start = joules, self._read()

    @property
    def joules(self) -> float | None:
        """The joules of the epoch so far; None if a part of it could not be measured."""
        now = self._read()
        if self._before is None or self._start is None or now is None or now < self._start:
            return None
        return self._before + now - self._start

    def _read(self) -> float | None:
        with suppress(Exception):  # no measurement may end a training
            return sum(counter() for counter in self._counters) / 1000
        return None


def is_installed() -> bool:
    """Whether the package that reads the counters is installed."""
    return find_spec("zeus") is not None


def open_meter(enabled: bool) -> EnergyMeter | None:
    """The meter of what a training uses on this machine; None if it is not enabled. Zeus must be installed.

    Raises:
        BadInput: what trains has no counter that can be read.
    """
    if not enabled:
        return None
    processor, memory, problem = _processor_counters()
    found = {"processor (RAPL)": processor, "memory (RAPL)": memory}
    if gpu_capabilities():
        found["GPU (NVML)"], problem = _gpu_counters()
    if problem:
        raise BadInput(f"tracking.energy=true: {problem}. {HOW_TO_GO_ON}")
    counters = [counter for group in found.values() for counter in group]
    meter = EnergyMeter(", ".join(name for name, group in found.items() if group), counters)
    meter.start(0.0)
    if meter.joules is None:
        raise BadInput(f"tracking.energy=true: the counters of {meter.source} cannot be read. {HOW_TO_GO_ON}")
    return meter


def _processor_counters() -> tuple[list[Counter], list[Counter], str]:
    """The counters of all processors and of their memory, and why there are none."""
    from zeus.device import get_cpus
    from zeus.device.cpu.common import ZeusCPUNoPermissionError

    try:
        cpus = get_cpus()
        # A zone "psys" is the whole machine, processors included.
        zones = [cpu for cpu in cpus.cpus if getattr(cpu, "rapl_file", None) is None or cpu.rapl_file.name != "psys"]
    except ZeusCPUNoPermissionError:
        return [], [], f"only root may read the processor's energy counters (RAPL); until the next boot: {READABLE}"
    except Exception:
        zones = []
    if not zones:
        reason = "this machine shows no energy counters of its processor (RAPL); most virtual machines do not"
        return [], [], reason
    processors = [_counter(zone, "cpu_mj") for zone in zones]
    with_memory = [zone for zone in zones if zone.supports_get_dram_energy_consumption()]
    memory = [_counter(zone, "dram_mj") for zone in with_memory]
    return processors, memory, ""


def _counter(zone: Any, part: str) -> Counter:
    return lambda: float(getattr(zone.get_total_energy_consumption(), part))


def _gpu_counters() -> tuple[list[Counter], str]:
    """The counter of the GPU that trains, the first one that CUDA_VISIBLE_DEVICES allows, and why there is none."""
    from zeus.device import get_gpus

    try:
        gpus = get_gpus()
        if gpus.supports_get_total_energy_consumption(0):
            return [lambda: gpus.get_total_energy_consumption(0)], ""
        reason = "it is older than Volta"
    except Exception as error:
        reason = str(error)
    return [], f"the energy counter of the GPU (NVML) cannot be read: {reason}"

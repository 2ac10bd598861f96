"""Energy is measured by counters, for a whole training, or not reported; Zeus is replaced where it is called."""

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from activation_study import compose, energy
from activation_study.energy import EnergyMeter, open_meter
from activation_study.errors import BadInput
from activation_study.records.record import Record, read_record
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import write_run
from hydra_plugins.study_joblib import StudyJoblibLauncher


class NoPermission(Exception):
    pass


class Zone:
    """A processor whose counter, and that of its memory, rise by 1 J and 0.5 J at each reading."""

    def __init__(self, name: str = "package-0") -> None:
        self.rapl_file, self.readings = SimpleNamespace(name=name), 0

    def get_total_energy_consumption(self) -> Any:
        self.readings += 1
        return SimpleNamespace(cpu_mj=1000.0 * self.readings, dram_mj=500.0 * self.readings)

    def supports_get_dram_energy_consumption(self) -> bool:
        return True


class Machine:
    """What Zeus finds on a machine."""

    def __init__(self) -> None:
        self.processor: Any = SimpleNamespace(cpus=[Zone(), Zone("psys")])
        self.gpu: Any = None

    def get_cpus(self) -> Any:
        return self._found(self.processor)

    def get_gpus(self) -> Any:
        return self._found(self.gpu)

    def _found(self, device: Any) -> Any:
        if isinstance(device, Exception):
            raise device
        return device


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    contents = {
        "zeus": {"__spec__": ModuleSpec("zeus", None)},
        "zeus.device": {"get_cpus": machine.get_cpus, "get_gpus": machine.get_gpus},
        "zeus.device.cpu": {},
        "zeus.device.cpu.common": {"ZeusCPUNoPermissionError": NoPermission},
    }
    for name, content in contents.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return machine


def with_gpu(machine: Machine, monkeypatch: pytest.MonkeyPatch, gpu: Any) -> None:
    machine.gpu = gpu
    monkeypatch.setattr(energy, "gpu_capabilities", lambda: (9.0,))


def test_processor_and_memory_are_measured_and_the_whole_machine_is_not_counted_again(machine: Machine) -> None:
    meter = open_meter(True)
    assert meter is not None
    assert meter.source == "processor (RAPL), memory (RAPL)"
    package, psys = machine.processor.cpus
    assert package.readings
    assert not psys.readings


def test_the_gpu_is_measured_where_it_trains_also_without_rapl(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.processor = RuntimeError("RAPL unavailable")
    with_gpu(
        machine,
        monkeypatch,
        SimpleNamespace(
            supports_get_total_energy_consumption=lambda index: True,
            get_total_energy_consumption=lambda index: 7.0,
        ),
    )
    meter = open_meter(True)
    assert meter is not None
    assert meter.source == "GPU (NVML)"


@pytest.mark.parametrize(
    ("processor", "message"),
    [
        (RuntimeError("RAPL unavailable"), "this machine shows no energy counters of its processor"),
        (SimpleNamespace(cpus=[]), "this machine shows no energy counters of its processor"),
        (NoPermission(), "only root may read .* sudo find /sys/devices/virtual/powercap"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_training(machine: Machine, processor: Any, message: str) -> None:
    machine.processor = processor
    with pytest.raises(BadInput, match=f"tracking.energy=true: {message}.*Nothing is estimated; leave out"):
        open_meter(True)
    assert open_meter(False) is None


def test_a_gpu_that_cannot_be_measured_is_not_left_out_silently(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for gpu in (
        RuntimeError("NVML: driver not loaded"),
        SimpleNamespace(supports_get_total_energy_consumption=lambda index: False),
    ):
        with_gpu(machine, monkeypatch, gpu)
        with pytest.raises(BadInput, match=r"the energy counter of the GPU \(NVML\) cannot be read"):
            open_meter(True)


def test_without_zeus_the_configuration_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "is_installed", lambda: False)
    with pytest.raises(BadInput, match=r"tracking.energy=true: Zeus is not installed: pip install -e '\.\[energy\]'"):
        compose("tracking.energy=true")


def test_several_processes_cannot_be_measured_apart() -> None:
    config = OmegaConf.create({"tracking": {"energy": True}})
    with pytest.raises(BadInput, match=r"joblib trains 2 runs at once.*hydra.launcher.processes=1"):
        StudyJoblibLauncher(processes=2).setup(hydra_context=None, task_function=None, config=config)


def test_joules_add_up_over_the_parts_of_an_epoch_or_are_unknown() -> None:
    readings = iter([1000.0, 4000.0, 9000.0, 9500.0, 9600.0, 20.0])
    meter = EnergyMeter("GPU (NVML)", [lambda: next(readings)])
    meter.start(0.0)
    assert meter.joules == 3.0
    meter.start(3.0)
    assert meter.joules == 3.5
    meter.start(None)
    assert meter.joules is None
    meter.start(0.0)
    assert meter.joules is None, "a counter that cannot be read ends no training"
    backwards = iter([5000.0, 20.0])
    meter = EnergyMeter("GPU (NVML)", [lambda: next(backwards)])
    meter.start(0.0)
    assert meter.joules is None, "the counter began anew"


def test_the_energy_of_a_run_is_that_of_all_its_epochs_or_none(tmp_path: Path) -> None:
    record = read_record(write_run(tmp_path / "study", "relu", 0))
    assert isinstance(record, Record)
    assert record.training_joules is None
    record.epochs = [{"energy_joules": 2.0}, {"energy_joules": 3.0}]
    assert record.training_joules == 5.0
    record.epochs.append({"epoch_seconds": 1.0})
    assert record.training_joules is None


def measured_run(study: Path, activation: str, seed: int, source: str | None) -> None:
    folder = write_run(study, activation, seed)
    record = read_record(folder)
    assert record is not None
    if source:
        record.environment["energy"], record.results["energy_kwh"] = source, 0.0012 + seed / 1000
    record.write(folder)


@pytest.mark.parametrize("other", ["GPU (NVML)", "processor (RAPL)", None])
def test_the_cost_table_has_the_energy_if_all_runs_were_measured_alike(other: str | None, tmp_path: Path) -> None:
    for seed in (0, 1, 2):
        measured_run(tmp_path / "study", "relu", seed, "GPU (NVML)")
        measured_run(tmp_path / "study", "mish", seed, other if seed == 2 else "GPU (NVML)")
    text = (make_report(tmp_path / "study", ReportOptions(pictures=False)) / "report.md").read_text()
    shown = other == "GPU (NVML)"
    assert ("energy, Wh | mean IoU, %" in text) == shown
    assert ("measured by the counters of the GPU (NVML)" in text) == shown
    assert ("| 2.2 |" in text) == shown

"""What the steps of one run share: its configuration, data, network, record and state, and what they do to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from activation_study.config.schema import Config
from activation_study.data.augmentation import Step
from activation_study.data.dataset import Dataset
from activation_study.energy import EnergyMeter
from activation_study.outcome import warn
from activation_study.records.heartbeat import Heartbeat
from activation_study.records.record import Record
from activation_study.signals import GracefulShutdown
from activation_study.tracking.mirror import Mirror
from activation_study.training.checkpoint import Checkpoints
from activation_study.training.loop import TrainState

if TYPE_CHECKING:
    from activation_study.model.network import Network


class StopRequested(Exception):
    """Somebody has stopped this run in MLflow's page; a sweep continues with its next run."""


@dataclass(frozen=True)
class RunContext:
    """Everything that the steps of one run share."""

    config: Config
    dataset: Dataset
    network: "Network"
    augmentation: Sequence[Step]
    record: Record
    state: TrainState
    mirror: Mirror
    checkpoints: Checkpoints
    shutdown: GracefulShutdown
    heartbeat: Heartbeat
    meter: EnergyMeter | None

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.config.run_folder

    def check_stop(self) -> None:
        """Raises `Interrupted` if a signal has arrived, `StopRequested` if the run was stopped in MLflow."""
        self.shutdown.check()
        if self.mirror.stop_requested():
            raise StopRequested

    def beat(self, phase: str) -> None:
        """Leaves a sign of life, now and then."""
        state, batch_size = self.state, self.config.training.batch_size
        self.heartbeat.beat(
            phase,
            epoch=state.epoch,
            step=state.step,
            steps=-(-len(self.dataset.split.train) // batch_size),
            loss=state.totals.loss if state.totals.images else None,
            seconds=state.seconds,
        )

    def save(self) -> None:
        """Saves a checkpoint; a failure is reported and the run continues."""
        if self.meter and self.state.step:
            self.state.joules = self.meter.joules
        try:
            self.checkpoints.save(self.network, self.state)
        except OSError as error:
            warn(f"{self.folder}: the checkpoint could not be saved: {error}")

"""Resuming a run: its state, and whether epochs that are trained again are as they were recorded."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from activation_study.config.schema import Config
from activation_study.errors import BadInput
from activation_study.records.record import RECORD_FILE, Record
from activation_study.runs.reuse_weights import reuse_weights
from activation_study.training.checkpoint import Checkpoints
from activation_study.training.loop import TIMING_METRICS, TrainState

if TYPE_CHECKING:
    from activation_study.model.network import Network


class NondeterminismError(ArithmeticError):
    """An epoch that was trained again after an interruption gave different results."""


def restore_state(
    config: Config, record: Record, resumed: bool, network: "Network", checkpoints: Checkpoints, initial: TrainState
) -> TrainState:
    """The state to train from: a checkpoint's, that of a finished run with the same training, or the initial one."""
    saved = checkpoints.restore(network, initial.schedule, by_this_code=not record.changes) if resumed else None
    for number, (recorded, metrics) in enumerate(zip(record.epochs, saved.history if saved else [], strict=False), 1):
        if differing := _differing_metric(recorded, metrics):
            raise BadInput(
                f"{config.run_folder / RECORD_FILE}: epoch {number}, {differing} in the checkpoint: the record was "
                f"changed. Restore it, or delete {config.run_folder} to start from scratch."
            )
    if saved is None and config.rerun != "all" and not config.suffix:  # reproductions have a suffix and must train
        saved = reuse_weights(record, config.run_folder, network, initial)
    state = saved or initial
    if resumed:
        record.resumed.append({"time": time.time(), "epoch": state.epoch, "step": state.step})
        record.epochs += state.history[len(record.epochs) :]
    return state


def record_epoch(record: Record, state: TrainState) -> None:
    """Adds the last epoch to the record; one that was trained again after an interruption keeps its recorded metrics.

    Raises:
        NondeterminismError: the repeated epoch gave different results, and no change was allowed.
    """
    number, metrics = len(state.history), state.history[-1]
    if number > len(record.epochs):
        record.epochs.append(metrics)
        return
    recorded = record.epochs[number - 1]
    if not record.changes and (differing := _differing_metric(recorded, metrics)):
        raise NondeterminismError(
            f"epoch {number} was trained again after an interruption, and {differing} now: the record was edited, or "
            f"the hardware is not deterministic (rerun=all starts from scratch)"
        )
    state.history[-1] = recorded


def _differing_metric(recorded: Mapping[str, float], metrics: Mapping[str, float]) -> str | None:
    """The first metric of an epoch that is not as recorded, with both values; times do not count."""
    keys = (key for key in metrics if key not in TIMING_METRICS and recorded.get(key) != metrics[key])
    return next((f"{key} was recorded as {recorded.get(key)!r} and is {metrics[key]!r}" for key in keys), None)

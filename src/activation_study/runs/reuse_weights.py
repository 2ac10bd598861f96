"""A run that differs from a finished one only in its evaluation takes its weights instead of training again."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from activation_study.config.identity import training_key
from activation_study.config.scored_weights import WEIGHTS, weights_file
from activation_study.errors import BadInput
from activation_study.outcome import warn
from activation_study.records.consistency import Contradiction
from activation_study.records.environment import differences
from activation_study.records.record import Record, read_record, run_folders
from activation_study.records.run import read_run
from activation_study.records.weights import WrongWeights, load_recorded_weights
from activation_study.training.loop import TrainState

if TYPE_CHECKING:
    from activation_study.model.network import Network

LINK = "weights_of"


def reuse_weights(record: Record, folder: Path, network: "Network", state: TrainState) -> TrainState | None:
    """The final training state of a finished run of the same study with the same training and environment.

    The record gets that run's epochs, and its name as a link.

    Args:
        record: the record of the run that starts; changed if a matching run is found.
        folder: the run folder.
        network: untrained; unchanged.
        state: the state before the first step.

    Returns:
        None if there is no matching run.
    """
    record.links.pop(LINK, None)
    untrained = network.weights()
    for other in run_folders(folder.parent):
        trained = _read(other)
        if trained is None or trained.name == record.name or not _same_training(trained, record):
            continue
        try:
            read_run(other, trained)
        except Contradiction as error:
            warn(f"the weights of {trained.name} are not used: {error.problems[0]}")
            continue
        weights = _weights(trained, other, network)
        network.set_weights(untrained)
        if weights is None:
            continue
        epochs = [{key: epoch[key] for key in epoch if key != "energy_joules"} for epoch in trained.epochs]
        record.epochs, record.links[LINK] = epochs, trained.name  # this run uses no energy for its training
        best_epoch = int(trained.results["best_epoch"])
        return dataclasses.replace(
            state,
            epoch=len(trained.epochs) + 1,
            done=True,
            best_value=trained.epochs[best_epoch - 1]["val/loss"],
            best_epoch=best_epoch,
            best_weights=weights["best"],
            ema_weights=weights["ema"],
            last_weights=weights["last"],
            history=list(epochs),
        )
    return None


def _weights(trained: Record, folder: Path, network: "Network") -> dict[str, list[NDArray[Any]]] | None:
    """All weights of a run, read by means of the network; None if a file is missing or damaged."""
    found = {}
    for name in WEIGHTS:
        try:
            load_recorded_weights(network.unet, trained, folder / weights_file(name))
        except WrongWeights:
            return None
        found[name] = network.weights()
    return found


def _read(folder: Path) -> Record | None:
    try:
        return read_record(folder)
    except BadInput:
        return None


def _same_training(trained: Record, record: Record) -> bool:
    return (
        trained.status == "FINISHED"
        and not trained.changes
        and training_key(trained.config) == training_key(record.config)
        and not differences(trained, record)
    )

"""A run that differs from a finished one only in its evaluation takes its weights instead of training again."""

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from activation_study.config.identity import training_key
from activation_study.errors import BadInput
from activation_study.outcome import warn
from activation_study.records.artifacts import WEIGHTS_FILE
from activation_study.records.consistency import Contradiction
from activation_study.records.environment import differences
from activation_study.records.record import Record, read_record, run_folders
from activation_study.records.run import read_run
from activation_study.training.loop import TrainState

if TYPE_CHECKING:
    from activation_study.model.network import Network

LINK = "weights_of"


def reuse_weights(record: Record, folder: Path, network: "Network", state: TrainState) -> TrainState | None:
    """The final training state of a finished run of the same study with the same training and environment.

    The network gets that run's best weights. The record gets its epochs, and its name as a link.

    Args:
        record: the record of the run that starts; changed if a matching run is found.
        folder: the run folder.
        network: untrained; its weights are replaced if a matching run is found.
        state: the state before the first step.

    Returns:
        None if there is no matching run; the network is then unchanged.
    """
    from activation_study.model.network import weights_digest

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
        with suppress(OSError, ValueError):
            network.load(other / WEIGHTS_FILE)
        weights = network.weights()
        if weights_digest(weights) != trained.digests.get("weights"):  # the file is missing or damaged
            network.set_weights(untrained)
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
            best_weights=weights,
            history=list(epochs),
        )
    return None


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

"""A run that differs from a finished one in its evaluation alone takes its weights: it is scored, not trained."""

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from activation_study.config.identity import training_key
from activation_study.errors import BadInput
from activation_study.records.artifacts import WEIGHTS_FILE
from activation_study.records.environment import differences
from activation_study.records.record import RECORD_FILE, Record, read_record
from activation_study.training.loop import TrainState

if TYPE_CHECKING:
    from activation_study.model.network import Network

LINK = "weights_of"


def reuse_weights(record: Record, folder: Path, network: "Network", state: TrainState) -> TrainState | None:
    """The state after the training of a finished run of the same study, configuration and circumstances.

    The record gets that run's epochs and its name as a link. The network gets its best weights.

    Args:
        record: of the run that begins; changed where there is such a run.
        folder: the run's.
        network: untrained.
        state: before the first step.

    Returns:
        None where there is no such run; the network is then as it was.
    """
    from activation_study.model.network import weights_digest

    record.links.pop(LINK, None)
    untrained = network.weights()
    for path in sorted(folder.parent.glob(f"*/{RECORD_FILE}")):
        found = _read(path.parent)
        if found is None or found.name == record.name or not _same_training(found, record):
            continue
        with suppress(OSError, ValueError):
            network.load(path.parent / WEIGHTS_FILE)
        weights = network.weights()
        if weights_digest(weights) != found.digests["weights"]:  # damaged, or not there
            network.set_weights(untrained)
            continue
        record.epochs, record.links[LINK] = list(found.epochs), found.name
        best = int(found.results["best_epoch"])
        return dataclasses.replace(
            state,
            epoch=len(found.epochs) + 1,
            done=True,
            best_value=found.epochs[best - 1]["val/loss"],
            best_epoch=best,
            best_weights=weights,
            history=list(found.epochs),
        )
    return None


def _read(folder: Path) -> Record | None:
    try:
        return read_record(folder)
    except BadInput:
        return None


def _same_training(found: Record, record: Record) -> bool:
    return (
        found.status == "FINISHED"
        and not found.changes
        and training_key(found.config) == training_key(record.config)
        and not differences(found, record)
    )

"""A record that was changed while its run was interrupted is not continued."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from activation_study.config.schema import resolved
from activation_study.errors import BadInput
from activation_study.records.record import Record
from activation_study.runs.restore_state import restore_state
from activation_study.training.loop import TrainState, initial_state
from activation_study.training.schedule import Plateau
from activation_study.validation import from_hydra
from hydra_compose import composed

EPOCHS = [{"val/loss": loss, "val/mean_iou": 0.5, "epoch_seconds": loss} for loss in (3.0, 2.0, 1.0)]


def restored(epochs: list[dict[str, float]], saved: list[dict[str, float]]) -> tuple[Record, TrainState]:
    """A record with these epochs, and the state from a checkpoint with those."""
    config = from_hydra(composed(["data=scenes"]))
    record = Record(config.run_name, config.study, "0", resolved(config), [], [], {}, {}, epochs=list(epochs))
    initial = initial_state(Plateau(0.2, 3, 0.0), config.training.early_stopping)
    state = replace(initial, history=list(saved))
    checkpoints: Any = SimpleNamespace(restore=lambda network, schedule, by_this_code: state)
    network: Any = None
    return record, restore_state(config, record, True, network, checkpoints, initial)


@pytest.mark.parametrize(("recorded", "saved"), [(2, 2), (3, 1), (1, 3), (0, 2)])
def test_equal_epochs_are_continued_and_the_record_gets_those_that_it_lacks(recorded: int, saved: int) -> None:
    times_differ = [{**epoch, "epoch_seconds": 9.0} for epoch in EPOCHS[:recorded]]
    record, state = restored(times_differ, EPOCHS[:saved])
    assert record.epochs == [*times_differ, *EPOCHS[recorded:saved]]
    assert len(state.history) == saved


def test_an_edited_epoch_is_named_with_both_values() -> None:
    edited = [EPOCHS[0], {**EPOCHS[1], "val/mean_iou": 0.99}, EPOCHS[2]]
    message = r"run.json: epoch 2, val/mean_iou was recorded as 0.99 and is 0.5 in the checkpoint: .*or delete "
    with pytest.raises(BadInput, match=message):
        restored(edited, EPOCHS)
    with pytest.raises(BadInput, match=r"val/loss was recorded as None and is 3\.0"):
        restored([{"val/mean_iou": 0.5}], EPOCHS)

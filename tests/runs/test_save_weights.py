"""The weights that are saved after a training."""

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from activation_study.data.preprocessing import PreprocessedData
from activation_study.runs.reuse_weights import LINK
from activation_study.runs.save_weights import save_weights


class RunningMean:
    """A network of one weight and a running mean of its inputs, to which each pass over the images adds."""

    def __init__(self) -> None:
        self._weights: list[Any] = []

    def set_weights(self, weights: list[Any]) -> None:
        self._weights = [weight.copy() for weight in weights]

    def weights(self) -> list[Any]:
        return [weight.copy() for weight in self._weights]

    def recompute_statistics(self, batches: Iterable[Any]) -> None:
        for images in batches:
            self._weights[1] += images.mean()

    def save(self, path: Path) -> None:
        path.write_bytes(b"")


def context(folder: Path) -> Any:
    weights = {name: [np.float32([value]), np.float32([0])] for name, value in (("best", 1), ("last", 2), ("ema", 3))}
    images = np.full((4, 2, 2, 3), 10, np.uint8)
    return SimpleNamespace(
        state=SimpleNamespace(ema_weights=weights["ema"], weights=weights.__getitem__),
        record=SimpleNamespace(links={}, digests={}),
        network=RunningMean(),
        folder=folder,
        config=SimpleNamespace(
            evaluation=SimpleNamespace(weights="ema"),
            seeding=SimpleNamespace(order=0),
            training=SimpleNamespace(batch_size=2),
        ),
        dataset=SimpleNamespace(
            split=SimpleNamespace(train=np.arange(4)),
            preprocessed=PreprocessedData(images, np.zeros((4, 2, 2), np.int8)),
        ),
        check_stop=lambda: None,
        beat=lambda what: None,
    )


def test_a_repetition_after_an_interruption_saves_the_same_weights(tmp_path: Path) -> None:
    run = context(tmp_path)
    first = save_weights(run)
    digests = dict(run.record.digests)
    assert [float(value[0]) for value in first["ema"]] == [3, 20], "the average with statistics of its own"
    assert [float(value[0]) for value in first["best"]] == [1, 0]
    assert [float(value[0]) for value in run.state.ema_weights] == [3, 0], "as a checkpoint has it"
    second = save_weights(run)
    assert [float(value[0]) for value in second["ema"]] == [3, 20]
    assert run.record.digests == digests
    assert digests["weights"] == digests["ema_weights"] != digests["best_weights"]


def test_weights_of_another_run_have_their_statistics(tmp_path: Path) -> None:
    run = context(tmp_path)
    run.record.links[LINK] = "another-run"
    assert [float(value[0]) for value in save_weights(run)["ema"]] == [3, 0]

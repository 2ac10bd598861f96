"""The whole state of a training on disk, so that a killed run goes on with the same bits.

Two saves alternate, each with the sums by which a zip file knows its content: one that is torn or damaged costs the
time since the one before, never the run.
"""

import json
import shutil
import time
import zipfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.files import remove_temporaries, replacing
from activation_study.training.loop import PlateauRule, RunningMetrics, StoppingRule, TrainState

if TYPE_CHECKING:
    from activation_study.model.network import Network

CHECKPOINT_FOLDER = ".checkpoint"  # hidden: no artifact
_SEAL = "seal"  # in a save: its number and attempt
_LISTS = ("weights", "optimizer", "best")
MAX_SAVING_FRACTION = 0.005  # of the time that saving may take


class Checkpoints:
    """The saves of one run, in its folder.

    Args:
        folder: the run's.
        attempt: names the attempt whose saves they are; those of others do not count.
    """

    def __init__(self, folder: Path, attempt: str) -> None:
        self._folder, self._attempt = folder / CHECKPOINT_FOLDER, attempt
        self._number = max((number for number, _ in self._saves()), default=0)
        self._last, self._cost = time.monotonic(), 0.0

    def due(self, minutes: float) -> bool:
        """Whether the last save is `minutes` ago, and so long that saving costs at most its share; 0: always."""
        return time.monotonic() - self._last >= (max(60 * minutes, self._cost / MAX_SAVING_FRACTION) if minutes else 0)

    def save(self, network: "Network", state: TrainState) -> None:
        """Writes network, optimizer and loop state over the older of the two saves."""
        started, number = time.monotonic(), self._number + 1
        try:
            arrays = {_SEAL: np.array(json.dumps([number, self._attempt])), **_packed(network, state)}
            with replacing(self._folder / f"state{number % 2}.npz") as temporary:
                np.savez(temporary, **arrays)  # type: ignore[arg-type]  # of numpy: it means allow_pickle
            self._number = number
        finally:
            self._last = time.monotonic()
            self._cost = self._last - started

    def restore(self, network: "Network") -> TrainState | None:
        """Puts the newest whole save that fits into the network; its loop state, or None where there is none."""
        remove_temporaries(self._folder)
        for _, path in sorted(self._saves(), reverse=True):
            with np.load(path, allow_pickle=False) as arrays, suppress(KeyError, TypeError, ValueError):
                return _unpacked(network, arrays)  # else other code saved it (allow_changes=true)
        return None

    def _saves(self) -> list[tuple[int, Path]]:
        """Number and path of each whole save of the attempt."""
        found = []
        for path in self._folder.glob("state?.npz"):
            with suppress(Exception):  # a damaged file may raise anything
                with zipfile.ZipFile(path) as content:
                    damaged = content.testzip()
                with np.load(path, allow_pickle=False) as arrays:
                    number, attempt = json.loads(str(arrays[_SEAL]))
                if damaged is None and attempt == self._attempt:
                    found.append((number, path))
        return found


def remove_saves(folder: Path) -> None:
    """Deletes the saves in a run's folder, whatever attempt they are of."""
    shutil.rmtree(folder / CHECKPOINT_FOLDER, ignore_errors=True)


def _packed(network: "Network", state: TrainState) -> dict[str, NDArray[Any]]:
    scalars = {
        "plateau": asdict(state.plateau),
        "stopping": asdict(state.stopping),
        "totals": {"loss_sum": state.totals.loss_sum, "pictures": state.totals.pictures},
        **{
            key: getattr(state, key)
            for key in ("epoch", "step", "seconds", "done", "best_value", "best_epoch", "history")
        },
    }
    lists = (network.weights(), network.optimizer_state(), state.best_weights)
    arrays = {
        f"{name}{place}": array for name, each in zip(_LISTS, lists, strict=True) for place, array in enumerate(each)
    }
    return {**arrays, "confusion": state.totals.confusion, "state": np.array(json.dumps(scalars))}


def _unpacked(network: "Network", arrays: Any) -> TrainState:
    weights, optimizer, best = (
        [arrays[f"{name}{place}"] for place in range(sum(key.startswith(name) for key in arrays))] for name in _LISTS
    )
    now = [array.shape for array in (*network.weights(), *network.optimizer_state())]
    if [array.shape for array in (*weights, *optimizer)] != now:
        raise ValueError("the saved state is that of another network")
    scalars = json.loads(str(arrays["state"]))
    state = TrainState(
        plateau=PlateauRule(**scalars.pop("plateau")),
        stopping=StoppingRule(**scalars.pop("stopping")),
        totals=RunningMetrics(confusion=arrays["confusion"], **scalars.pop("totals")),
        best_weights=best,
        **scalars,
    )
    network.set_weights(weights)
    network.set_optimizer_state(optimizer)
    return state

"""The complete state of a training on disk, so that a killed run can resume bit for bit.

Two saves alternate, and the zip format has a checksum of each array. A truncated or damaged save therefore costs only
the work since the previous one.
"""

import copy
import json
import shutil
import time
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.errors import BadInput
from activation_study.files import remove_temporaries, replacing
from activation_study.training.early_stopping import StoppingRule
from activation_study.training.loop import RunningMetrics, TrainState
from activation_study.training.schedule import Schedule

if TYPE_CHECKING:
    from activation_study.model.network import Network

CHECKPOINT_FOLDER = ".checkpoint"  # hidden, so it is not mirrored as an artifact
_HEADER = "seal"  # the array with a save's number and attempt
_ARRAY_LISTS = ("weights", "optimizer", "random", "best", "ema", "last")
_SCALARS = ("epoch", "step", "seconds", "joules", "done", "best_value", "best_epoch", "history")
MAX_SAVING_FRACTION = 0.005  # of the training time


class Checkpoints:
    """The saves of one run, in its folder.

    Args:
        folder: the run folder.
        attempt: identifies the current attempt; saves of other attempts are ignored.
    """

    def __init__(self, folder: Path, attempt: str) -> None:
        self._folder, self._attempt = folder / CHECKPOINT_FOLDER, attempt
        self._number = max((number for number, _ in self._saves()), default=0)
        self._last, self._duration = time.monotonic(), 0.0

    def due(self, minutes: float) -> bool:
        """Whether to save now: `minutes` after the last save, and never above `MAX_SAVING_FRACTION`; always for 0."""
        interval = max(60 * minutes, self._duration / MAX_SAVING_FRACTION) if minutes else 0
        return time.monotonic() - self._last >= interval

    def save(self, network: "Network", state: TrainState) -> None:
        """Writes network, seed generators, optimizer and training state over the older of the two saves."""
        started, number = time.monotonic(), self._number + 1
        try:
            arrays = {_HEADER: np.array(json.dumps([number, self._attempt])), **_to_arrays(network, state)}
            with replacing(self._folder / f"state{number % 2}.npz") as temporary:
                np.savez(temporary, **arrays)  # type: ignore[arg-type]  # NumPy's stub: it could be allow_pickle
            self._number = number
        finally:
            self._last = time.monotonic()
            self._duration = self._last - started

    def restore(self, network: "Network", schedule: Schedule, by_this_code: bool = True) -> TrainState | None:
        """Loads the newest intact save into the network; a save that does not fit changes nothing.

        Args:
            network: gets the saved weights, seed generators and optimizer.
            schedule: as it was at the start; the returned state has one of its own.
            by_this_code: a save that does not fit is an error, as only other code can have written it.

        Returns:
            The training state of the save; None without a save that fits.

        Raises:
            BadInput: a save does not fit, although nothing has changed.
        """
        remove_temporaries(self._folder)
        for _, path in sorted(self._saves(), reverse=True):
            try:
                with np.load(path, allow_pickle=False) as arrays:
                    return _from_arrays(network, schedule, arrays)
            except (KeyError, TypeError, ValueError) as error:
                if by_this_code:
                    raise BadInput(
                        f"{path}: the run cannot go on from this checkpoint: {error}. rerun=all starts from scratch"
                    ) from error
        return None

    def _saves(self) -> list[tuple[int, Path]]:
        """Number and path of each intact save of the attempt."""
        saves = []
        for path in self._folder.glob("state?.npz"):
            with suppress(Exception):  # a damaged file may raise anything
                with zipfile.ZipFile(path) as content:
                    damaged = content.testzip()
                with np.load(path, allow_pickle=False) as arrays:
                    number, attempt = json.loads(str(arrays[_HEADER]))
                if damaged is None and attempt == self._attempt:
                    saves.append((number, path))
        return saves


def remove_saves(folder: Path) -> None:
    """Deletes the saves of all attempts in a run folder."""
    shutil.rmtree(folder / CHECKPOINT_FOLDER, ignore_errors=True)


def _to_arrays(network: "Network", state: TrainState) -> dict[str, NDArray[Any]]:
    scalars = {
        "schedule": state.schedule.state(),
        "stopping": asdict(state.stopping),
        "totals": {"loss_sum": state.totals.loss_sum, "pictures": state.totals.images},
        **{name: getattr(state, name) for name in _SCALARS},
    }
    of_network = (network.weights(), network.optimizer_state(), network.random_state())
    lists = (*of_network, state.best_weights, state.ema_weights, state.last_weights)
    arrays = {
        f"{name}{index}": array
        for name, list_of_arrays in zip(_ARRAY_LISTS, lists, strict=True)
        for index, array in enumerate(list_of_arrays)
    }
    return {**arrays, "confusion": state.totals.confusion, "state": np.array(json.dumps(scalars))}


def _from_arrays(network: "Network", schedule: Schedule, arrays: Any) -> TrainState:
    weights = _list_of("weights", arrays, network.weights())
    optimizer = _list_of("optimizer", arrays, network.optimizer_state())
    random = _list_of("random", arrays, network.random_state())
    best, ema, last = (
        _list_of(name, arrays, weights) if f"{name}0" in arrays else [] for name in ("best", "ema", "last")
    )
    scalars = json.loads(str(arrays["state"]))
    totals = scalars.pop("totals")
    schedule = copy.deepcopy(schedule)
    schedule.restore(scalars.pop("schedule"))
    state = TrainState(
        schedule=schedule,
        stopping=StoppingRule(**scalars.pop("stopping")),
        totals=RunningMetrics(totals["loss_sum"], totals["pictures"], arrays["confusion"]),
        best_weights=best,
        ema_weights=ema,
        last_weights=last,
        **scalars,
    )
    network.set_weights(weights)
    network.set_optimizer_state(optimizer)
    network.set_random_state(random)
    return state


def _list_of(name: str, arrays: Any, expected: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """The arrays of a list, whose shapes and types are those of the expected ones.

    NumPy saves types that are not its own, such as bfloat16, as bytes.
    """
    found = [arrays[f"{name}{index}"] for index in range(sum(key.startswith(name) for key in arrays))]
    if [(array.shape, array.itemsize) for array in found] != [(array.shape, array.itemsize) for array in expected]:
        raise ValueError(f"it has other {name} than the network")
    typed = [
        array.view(like.dtype) if array.dtype.kind == "V" else array
        for array, like in zip(found, expected, strict=True)
    ]
    if [array.dtype for array in typed] != [array.dtype for array in expected]:
        raise ValueError(f"it has {name} of other types than the network")
    return typed

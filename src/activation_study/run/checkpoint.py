"""The whole state of a training on disk, so that a killed run goes on with the same bits.

Two saves alternate, each with its digest: one that is torn or damaged costs the time since the one before,
never the run.
"""

import hashlib
import json
import shutil
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.files import remove_temporaries, replacing, write_json
from activation_study.run.training import LoopState, PlateauRule, StoppingRule, Totals

if TYPE_CHECKING:
    from activation_study.run.network import Network

FOLDER = ".checkpoint"  # hidden: no artifact
_LISTS = ("weights", "optimizer", "best")


class Checkpoints:
    """The saves of one run, in its folder.

    Args:
        folder: the run's.
        attempt: names the attempt whose saves they are; those of others do not count.
    """

    def __init__(self, folder: Path, attempt: str) -> None:
        self._folder, self._attempt = folder / FOLDER, attempt
        self._number = max((seal["number"] for seal in self._seals().values()), default=0)

    def save(self, network: "Network", state: LoopState) -> None:
        """Writes network, optimizer and loop state over the older of the two saves."""
        number = self._number + 1
        slot = number % 2
        arrays = _packed(network, state)
        with replacing(self._folder / f"state{slot}.npz") as temporary:
            np.savez(temporary, **arrays)  # type: ignore[arg-type]  # of numpy: it means allow_pickle
            digest = _digest(temporary)
        # Until this line the slot has a new state under an old seal, and counts as damaged.
        write_json(self._seal(slot), {"number": number, "sha256": digest, "attempt": self._attempt})
        self._number = number

    def restore(self, network: "Network") -> LoopState | None:
        """Puts the newest whole save that fits into the network; its loop state, or None where there is none."""
        remove_temporaries(self._folder)
        seals = sorted(self._seals().items(), key=lambda item: -item[1]["number"])
        for slot, seal in seals:
            path = self._folder / f"state{slot}.npz"
            if path.exists() and _digest(path) == seal["sha256"]:
                with np.load(path, allow_pickle=False) as arrays, suppress(KeyError, TypeError, ValueError):
                    return _unpacked(network, arrays)  # else other code saved it (allow_changes=true)
        return None

    def _seal(self, slot: int) -> Path:
        return self._folder / f"state{slot}.json"

    def _seals(self) -> dict[int, dict[str, Any]]:
        found = {}
        for slot in (0, 1):
            try:
                seal = json.loads(self._seal(slot).read_text(encoding="utf-8"))
                if seal["attempt"] == self._attempt:
                    found[slot] = {"number": int(seal["number"]), "sha256": str(seal["sha256"])}
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return found


def remove_saves(folder: Path) -> None:
    """Deletes the saves in a run's folder, whatever attempt they are of."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def _digest(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _packed(network: "Network", state: LoopState) -> dict[str, NDArray[Any]]:
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


def _unpacked(network: "Network", arrays: Any) -> LoopState:
    weights, optimizer, best = (
        [arrays[f"{name}{place}"] for place in range(sum(key.startswith(name) for key in arrays))] for name in _LISTS
    )
    now = [array.shape for array in (*network.weights(), *network.optimizer_state())]
    if [array.shape for array in (*weights, *optimizer)] != now:
        raise ValueError("the saved state is that of another network")
    scalars = json.loads(str(arrays["state"]))
    state = LoopState(
        plateau=PlateauRule(**scalars.pop("plateau")),
        stopping=StoppingRule(**scalars.pop("stopping")),
        totals=Totals(confusion=arrays["confusion"], **scalars.pop("totals")),
        best_weights=best,
        **scalars,
    )
    network.set_weights(weights)
    network.set_optimizer_state(optimizer)
    return state

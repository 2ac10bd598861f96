"""Trials of a search without training."""

from collections.abc import Sequence
from typing import Any

from activation_study.config.search_space import Range, Space
from activation_study.records.record import Record
from activation_study.tuning.searches import Search
from activation_study.tuning.trials import Trial

SPACE: Space = {"optimizer.learning_rate": Range(1e-4, 1e-2, log=True)}
TUNING = {
    **{"space": {"optimizer.learning_rate": {}}, "trials": 12, "epochs": None, "sampler": "tpe", "batch": 4},
    **{"seeds": 1, "pruner": "none", "search_per": "arm", "untuned": False, "of_seed": None, "trial": 0},
}


def a_record(curve: Sequence[float], seed: int = 1000, status: str = "FINISHED", **tuning: Any) -> Record:
    """A record of a run with this mean IoU on validation after each epoch; the last weights are scored."""
    config = {"seed": seed, "tuning": {**TUNING, **tuning}, "evaluation": {"weights": "last"}}
    record = Record("run", "study", "0", config, [], ["sky"], {}, {})
    record.status = status  # type: ignore[assignment]
    record.epochs = [{"val/mean_iou": value, "epoch_seconds": 2.0} for value in curve]
    record.results = {"evaluation_seconds": 1.0}
    return record


def a_trial(number: int, rate: float, score: float | Sequence[float], state: str = "finished", **tuning: Any) -> Trial:
    """A trial of one run; the score may be that of each epoch."""
    curve = [score] if isinstance(score, int | float) else score
    status = {"finished": "FINISHED", "pruned": "PRUNED", "failed": "FAILED"}.get(state, "RUNNING")
    return Trial(number, {"optimizer.learning_rate": rate}, (a_record(curve, status=status, **tuning),), state)


def a_search(ended: Sequence[Trial] = (), space: Space = SPACE, arm: str = "relu", **tuning: Any) -> Search:
    """A search with these trials."""
    settings = {**TUNING, **tuning}
    return Search(arm, settings["of_seed"], space, settings, tuple(ended))

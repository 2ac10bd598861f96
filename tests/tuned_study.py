"""The folders of a study whose arms were tuned, without training."""

from collections.abc import Mapping
from pathlib import Path

from fake_runs import write_run
from fake_trials import TUNING

KEY = "optimizer.learning_rate"
SPACE = {KEY: {"low": 1e-4, "high": 1e-2, "log": True}}
RATES = {"relu": (1e-3, 3e-4, 3e-3), "mish": (1e-3, 4e-4, 9.8e-3)}  # of their trials
BEST = {"relu": 3e-3, "mish": 9.8e-3}


def write_tuned(
    study: Path,
    seeds: int = 5,
    levels: Mapping[str, float] | None = None,
    batch_sizes: Mapping[str, int] | None = None,
    after: float = 0.0,
    **tuning: object,
) -> None:
    """Two arms with three trials each, runs with their best rates, and with `untuned` those as configured.

    Args:
        study: its folder.
        seeds: of the comparison.
        levels: the accuracy of each arm with its best rate.
        batch_sizes: of each arm.
        after: when it was planned.
        tuning: other settings.
    """
    settings = {**TUNING, "space": SPACE, "spaces": None, "trials": 3, "untuned": True, "trial": None, **tuning}
    accuracies = {"relu": 0.7, "mish": 0.8} if levels is None else levels
    sizes = batch_sizes or {"relu": 16, "mish": 16}
    started = after
    for name, rates in RATES.items():
        for number, rate in enumerate(rates):
            started += 1
            config = {"tuning": {**settings, "trial": number}, "training": {"batch_size": sizes[name]}}
            score = 0.6 if rate == BEST[name] else 0.5
            write_run(study, name, 1000, learning_rate=rate, validation=score, config=config, started=started)
    for seed in range(seeds):
        for name, rates in RATES.items():
            started += 1
            config = {"tuning": settings, "training": {"batch_size": sizes[name]}}
            write_run(study, name, seed, accuracies[name], learning_rate=BEST[name], config=config, started=started)
            if settings["untuned"]:
                write_run(study, name, seed, 0.7, learning_rate=rates[0], config=config, started=started + 0.5)

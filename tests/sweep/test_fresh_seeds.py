"""Settings that were chosen on validation get fresh seeds before they are compared, with simulated jobs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hydra.core.utils import JobReturn, JobStatus

from activation_study.config.schema import Config
from activation_study.errors import BadInput
from activation_study.records.record import read_record, run_folders
from activation_study.sweep.run_sweep import run_sweep
from activation_study.validation import from_hydra
from simulated_sweep import composed, finish

BEST = {("relu", 1e-3): 0.7, ("mish", 3e-4): 0.7}  # on validation
CHOICE = "comparison.chosen_on_validation=optimizer.learning_rate"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def choice(*keys: str) -> list[list[str]]:
    return [
        [
            CHOICE,
            "comparison.fresh_seeds=2",
            *keys,
            f"activation={name}",
            f"optimizer.learning_rate={rate}",
            f"seed={seed}",
        ]
        for name in ("relu", "mish")
        for rate in (1e-3, 3e-4)
        for seed in (0, 1)
    ]


class Launcher:
    """Simulates the jobs."""

    def __init__(self) -> None:
        self.rounds: list[list[tuple[str, float, int]]] = []

    def __call__(self, jobs: Sequence[Sequence[str]]) -> list[JobReturn]:
        configs = [from_hydra(composed(job)) for job in jobs]
        self.rounds.append([(each.activation.name, each.optimizer["learning_rate"], each.seed) for each in configs])
        for config in configs:
            self._write(config)
        return [JobReturn(status=JobStatus.COMPLETED) for _ in jobs]

    def _write(self, config: Config) -> None:
        counts = np.random.default_rng([config.seed, *config.activation.name.encode()]).integers(1, 90, (4, 2, 1))
        finish(config, counts, ("sky",), BEST.get((config.activation.name, config.optimizer["learning_rate"]), 0.5))


def test_the_winners_of_the_choice_get_fresh_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    launch = Launcher()
    run_sweep(choice(), composed, launch)
    first, second = launch.rounds
    assert len(first) == 8
    assert second == [("relu", 1e-3, 2), ("relu", 1e-3, 3), ("mish", 3e-4, 2), ("mish", 3e-4, 3)]
    output = " ".join(capsys.readouterr().out.split())
    assert (
        "8 runs choose optimizer.learning_rate on validation; then the winners get 2 fresh seeds each: 4 runs more."
        in output
    )
    assert "Chosen: ReLU optimizer.learning_rate=0.001 and Mish optimizer.learning_rate=0.0003." in output
    assert "compared by 2 seeds that took no part in the selection" in output
    records = [read_record(folder) for folder in run_folders(Path("multirun/simulated"))]
    fresh = {record.config["seed"]: record.config["comparison"]["fresh"] for record in records if record is not None}
    assert fresh == {0: False, 1: False, 2: True, 3: True}


def test_the_same_command_has_nothing_left_to_do() -> None:
    run_sweep(choice(), composed, Launcher())
    again = Launcher()
    run_sweep(choice(), composed, again)
    assert again.rounds == []


def test_seeds_of_an_earlier_choice_are_not_fresh_and_fresh_ones_do_not_choose() -> None:
    run_sweep(choice(), composed, Launcher())
    more = [job if not job[-1].endswith("=1") else [*job[:-1], "seed=2"] for job in choice()]
    with pytest.raises(BadInput, match="seed 2 was trained afresh for winners of an earlier choice"):
        run_sweep(more, composed, Launcher())


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        (choice("comparison.fresh_seeds=1"), "comparison.fresh_seeds=1: expected 2 or more"),
        ([["comparison.fresh_seeds=2"]], "comparison.fresh_seeds needs comparison.chosen_on_validation"),
        ([*choice(), *choice("study=other")], "expected runs of one study"),
    ],
)
def test_choices_that_cannot_get_fresh_seeds_are_refused(jobs: list[list[str]], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        run_sweep(jobs, composed, Launcher())

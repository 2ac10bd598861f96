"""Each arm gets its own best values by a search, and fresh seeds with them, with simulated jobs."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hydra.core.utils import JobReturn, JobStatus

from activation_study.analysis.findings import compare_study
from activation_study.analysis.results import read_study
from activation_study.config.schema import Config
from activation_study.errors import BadInput
from activation_study.records.looks import read_looks
from activation_study.records.record import Record, read_record, run_folders
from activation_study.sweep.run_sweep import run_sweep
from activation_study.validation import from_hydra
from simulated_sweep import composed, finish

BEST = {"relu": 5e-4, "mish": 3e-3}  # learning rates
STUDY = Path("multirun/simulated")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tuned(*keys: str, seeds: Sequence[int] = (0, 1)) -> list[list[str]]:
    return [
        ["tuning=learning_rate", "tuning.trials=6", "tuning.batch=3", *keys, f"activation={name}", f"seed={seed}"]
        for name in ("relu", "mish")
        for seed in seeds
    ]


class Launcher:
    """Simulates the jobs: validation is best near one learning rate of each activation."""

    def __init__(self, killed_after: int | None = None) -> None:
        self.rounds: list[list[tuple[str, float, int]]] = []
        self._left = killed_after

    def __call__(self, jobs: Sequence[Sequence[str]]) -> list[JobReturn]:
        configs = [from_hydra(composed(job)) for job in jobs]
        self.rounds.append([(each.activation.name, each.optimizer["learning_rate"], each.seed) for each in configs])
        for config in configs:
            if self._left == 0:
                raise KeyboardInterrupt
            self._left = None if self._left is None else self._left - 1
            self.write(config)
        return [JobReturn(status=JobStatus.COMPLETED) for _ in jobs]

    def write(self, config: Config) -> None:
        counts = np.random.default_rng([config.seed, *config.activation.name.encode()]).integers(1, 90, (4, 2, 1))
        distance = abs(math.log10(config.optimizer["learning_rate"] / BEST[config.activation.name]))
        finish(config, counts, ("sky",), 0.7 - 0.1 * distance)


def records() -> list[Record]:
    return [record for folder in run_folders(STUDY) if (record := read_record(folder)) is not None]


def trials(name: str) -> dict[int, float]:
    found = [record for record in records() if record.config["activation"]["name"] == name]
    return {
        record.config["tuning"]["trial"]: record.config["optimizer"]["learning_rate"]
        for record in found
        if record.config["tuning"]["trial"] is not None
    }


def test_each_arm_is_searched_and_then_compared_by_fresh_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    launch = Launcher()
    run_sweep(tuned(), composed, launch)
    first, second, third = launch.rounds
    assert len(first) == len(second) == 6
    assert {seed for _, _, seed in first + second} == {1000}
    best = {name: min(trials(name).values(), key=lambda rate: abs(math.log10(rate / BEST[name]))) for name in BEST}
    assert third == [(name, best[name], seed) for name in ("relu", "mish") for seed in (0, 1)]
    assert trials("relu")[0] == trials("mish")[0] == 1e-3  # as configured
    output = " ".join(capsys.readouterr().out.split())
    assert "2 searches (optimizer.learning_rate 0.0001 to 0.01 (logarithmic)) of up to 6 trials, 3 at a time" in output
    assert "at most 12 runs; then 4 runs with the best values" in output
    assert f"ReLU: 6 of 6 trials, best optimizer.learning_rate={best['relu']}" in output
    again = Launcher()
    run_sweep(tuned(), composed, again)
    assert again.rounds == []


def test_a_killed_search_goes_on_with_the_same_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_sweep(tuned(), composed, Launcher())
    whole = {name: trials(name) for name in BEST}
    for killed_after in (1, 4, 7):
        (tmp_path / str(killed_after)).mkdir()
        monkeypatch.chdir(tmp_path / str(killed_after))
        with pytest.raises(KeyboardInterrupt):
            run_sweep(tuned(), composed, Launcher(killed_after))
        run_sweep(tuned(), composed, Launcher())
        assert {name: trials(name) for name in BEST} == whole


def test_trials_are_no_runs_of_the_comparison() -> None:
    run_sweep(tuned("tuning.untuned=true"), composed, Launcher())
    conditions, problems = read_study(STUDY)
    assert problems == []
    assert [condition.variant for condition in conditions] == [
        ("optimizer.learning_rate=tuned",),
        ("optimizer.learning_rate=0.001",),
    ]
    findings = compare_study("simulated", conditions, problems, [])
    assert [condition.searches != () for condition in findings.main] == [True]
    assert findings.ablations[0].base is conditions[1]


@pytest.mark.parametrize("untuned", ["false", "true"])
def test_planned_looks_follow_the_search(untuned: str) -> None:
    launch = Launcher()
    looks = ["seeds=auto", "comparison.looks=[3,5]", "comparison.futility=0", f"tuning.untuned={untuned}"]
    run_sweep(tuned(*looks, seeds=range(5)), composed, launch)
    first = 12 if untuned == "true" else 6
    assert [len(each) for each in launch.rounds] == [6, 6, first, 2 * first // 3]
    assert [{seed for _, _, seed in each} for each in launch.rounds[2:]] == [{0, 1, 2}, {3, 4}]


def test_the_plan_of_the_looks_may_change_until_their_first_run() -> None:
    looks = ["seeds=auto", "comparison.looks=[3,5]", "comparison.futility=0"]
    with pytest.raises(KeyboardInterrupt):
        run_sweep(tuned(*looks, "comparison.margin=1", seeds=range(5)), composed, Launcher(7))
    run_sweep(tuned(*looks, "comparison.margin=2", seeds=range(5)), composed, Launcher())
    assert read_looks(STUDY)["plan"]["margin"] == 2
    assert read_looks(STUDY)["looks"]
    with pytest.raises(BadInput, match=r"declared with margin 2\.0, now 1\.0"):
        run_sweep(tuned(*looks, "comparison.margin=1", seeds=range(5)), composed, Launcher())


def test_a_failed_trial_tells_its_search_so() -> None:
    class Failing(Launcher):
        def write(self, config: Config) -> None:
            super().write(config)
            if config.tuning.trial == 1:
                record = read_record(config.run_folder)
                assert record is not None
                record.end(config.run_folder, "FAILED", "the training loss is nan")

    launch = Failing()
    run_sweep(tuned(), composed, launch)
    assert len(launch.rounds) == 3


def test_a_search_per_seed_makes_the_search_the_unit() -> None:
    launch = Launcher()
    run_sweep(tuned("tuning.search_per=seed"), composed, launch)
    assert [len(each) for each in launch.rounds] == [12, 12, 4]
    assert {seed for _, _, seed in launch.rounds[0]} == {2000, 3000}
    conditions, problems = read_study(STUDY)
    assert problems == []
    assert [len(condition.searches) for condition in conditions] == [4]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("tuning.batch=2", "tuning.batch=3, now 2; a search cannot be changed after it has begun"),
        ("tuning.trials=4", "tuning.trials=6, now 4; a search may become longer, not shorter"),
        ("rerun=all", "rerun=all: a search follows from its trials"),
        ("tuning.trials=8", "tuning.trials=6, now 8; a search cannot be changed after its arms were compared"),
    ],
)
def test_a_search_cannot_be_changed(changed: str, message: str) -> None:
    run_sweep(tuned(), composed, Launcher())
    with pytest.raises(BadInput, match=message):
        run_sweep(tuned(changed), composed, Launcher())


def test_a_search_may_become_longer_until_its_arms_are_compared() -> None:
    with pytest.raises(KeyboardInterrupt):
        run_sweep(tuned(), composed, Launcher(7))
    run_sweep(tuned("tuning.trials=9"), composed, Launcher())
    assert {len(trials(name)) for name in BEST} == {9}
    again = Launcher()
    run_sweep(tuned("tuning.trials=9"), composed, again)
    assert again.rounds == []


def test_a_tuned_key_cannot_be_swept_over() -> None:
    jobs = [[*job, f"optimizer.learning_rate={rate}"] for job in tuned(seeds=[0]) for rate in (1e-3, 1e-2)]
    with pytest.raises(BadInput, match=r"the sweep gives optimizer\.learning_rate several values"):
        run_sweep(jobs, composed, Launcher())


def test_optimizers_are_compared_each_at_its_own_rate() -> None:
    jobs = [
        [
            *("tuning=learning_rate", "tuning.trials=3", "tuning.batch=3", "tuning.untuned=true"),
            *("comparison.factor=optimizer", f"optimizer={name}", f"seed={seed}"),
        ]
        for name in ("adam", "lion")
        for seed in (0, 1)
    ]
    run_sweep(jobs, composed, Launcher())
    conditions, problems = read_study(STUDY)
    assert problems == []
    assert [condition.variant for condition in conditions] == [
        ("optimizer.learning_rate=tuned",),
        ("optimizer.learning_rate=configured",),
    ]
    assert [[arm.name for arm in condition.arms] for condition in conditions] == [["adam", "lion"], ["adam", "lion"]]
    assert [search.arm for search in conditions[0].searches] == ["adam", "lion"]


def test_wilcoxon_ends_trials_seed_by_seed() -> None:
    class Seeded(Launcher):
        def write(self, config: Config) -> None:
            counts = np.random.default_rng(config.seed).integers(1, 90, (4, 2, 1))
            distance = abs(math.log10(config.optimizer["learning_rate"] / BEST[config.activation.name]))
            finish(config, counts, ("sky",), 0.7 - 0.1 * distance + 0.001 * config.seed % 7)

    keys = ("tuning.seeds=6", "tuning.pruner=wilcoxon", "tuning.batch=2")
    launch = Seeded()
    run_sweep(tuned(*keys), composed, launch)
    assert {len({name for name, _, _ in each}) for each in launch.rounds[:-1]} <= {1, 2}
    assert all(len(each) <= 4 for each in launch.rounds[:-1]), "each seed of a trial decides about the next"
    conditions, problems = read_study(STUDY)
    assert problems == []
    pruned = [trial for search in conditions[0].searches for trial in search.trials if trial.state == "pruned"]
    assert pruned
    assert {len(trial.records) for trial in pruned} <= {4, 5}, "with three differences p cannot be small enough"
    again = Seeded()
    run_sweep(tuned(*keys), composed, again)
    assert again.rounds == []

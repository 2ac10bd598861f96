"""What the sweeps of a study have planned."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from activation_study.config.algorithms import algorithms_of
from activation_study.config.identity import PROTOCOL_VERSION
from activation_study.config.schema import Config, resolved
from activation_study.records.planned_runs import PLANNED_FILE, plan_runs, planned_runs, planned_seeds
from activation_study.records.record import Record
from activation_study.records.source_code import MANIFESTS_FOLDER
from activation_study.validation import from_hydra
from hydra_compose import composed


def configurations(activations: Sequence[str], seeds: Sequence[int]) -> list[Config]:
    configs = [from_hydra(composed([f"activation={name}", f"seed={seed}"])) for name in activations for seed in seeds]
    for config in configs:
        config.sweep.label = f"{config.activation.name}-seed{config.seed}"
    return configs


def test_runs_stay_in_the_order_in_which_they_were_planned_first(tmp_path: Path) -> None:
    plan_runs(tmp_path, configurations(["mish", "relu"], [0]))
    first = planned_runs(tmp_path)
    plan_runs(tmp_path, configurations(["frelu", "relu", "mish"], [0, 1]))
    later = planned_runs(tmp_path)
    names = [run.name for run in sorted(later.values(), key=lambda run: run.at)]
    assert [name.rpartition("-")[0] for name in names] == [
        *("mish-seed0", "relu-seed0", "frelu-seed0", "frelu-seed1", "relu-seed1", "mish-seed1")
    ]
    assert {key: later[key].at for key in first} == {key: run.at for key, run in first.items()}


def test_a_run_that_gets_another_name_stays_the_same(tmp_path: Path) -> None:
    configs = configurations(["relu"], [0])
    plan_runs(tmp_path, configs)
    (first,) = planned_runs(tmp_path).values()
    configs[0].sweep.label = "relu-lr1e-3-seed0"
    plan_runs(tmp_path, configs)
    (later,) = planned_runs(tmp_path).values()
    assert later.at == first.at
    assert later.name.startswith("relu-lr1e-3-seed0-")


def test_a_run_is_planned_with_what_its_sweep_compares(tmp_path: Path) -> None:
    plan_runs(tmp_path, configurations(["mish"], [2021]))
    (run,) = planned_runs(tmp_path).values()
    assert (run.factor, run.value, run.seed, run.is_trial) == ("activation", "mish", 2021, False)
    assert replace(run, trial=None).is_trial, "files of earlier versions tell trials by their seeds alone"


def test_only_the_last_sweep_has_runs_to_wait_for(tmp_path: Path) -> None:
    plan_runs(tmp_path, configurations(["relu", "mish"], [0]))
    plan_runs(tmp_path, configurations(["mish"], [0, 1]))
    assert [(run.seed, run.last) for run in planned_runs(tmp_path).values()] == [(0, False), (0, True), (1, True)]


def test_sweeps_of_several_processes_are_all_kept(tmp_path: Path) -> None:
    sweeps = [configurations([name], [seed]) for name in ("relu", "mish", "frelu") for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda configs: plan_runs(tmp_path, configs), sweeps))
    assert len(planned_runs(tmp_path)) == 12


def test_the_seeds_of_an_arm_are_those_of_all_sweeps(tmp_path: Path) -> None:
    plan_runs(tmp_path, configurations(["relu"], [0, 1]))
    plan_runs(tmp_path, configurations(["relu", "mish"], [7]))
    relu, mish = configurations(["relu", "mish"], [3])
    assert planned_seeds(planned_runs(tmp_path).values()) == {arm(relu): {0, 1, 7}, arm(mish): {7}}


def arm(config: Config) -> str:
    """The identity that a run's record has of its arm."""
    values = resolved(config)
    record = Record("r", "s", "0", values, [], [], {}, {}, protocol=PROTOCOL_VERSION, algorithms=algorithms_of(values))
    return record.arm_identity


@pytest.mark.parametrize("text", [None, "", "[]", '{"surfaces-relu-seed0": 10}', '{"surfaces-relu-seed0": {}}'])
def test_without_a_file_of_this_version_nothing_is_known(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / MANIFESTS_FOLDER).mkdir()
        (tmp_path / MANIFESTS_FOLDER / PLANNED_FILE).write_text(text)
    assert planned_runs(tmp_path) == {}
    assert planned_seeds(planned_runs(tmp_path).values()) == {}

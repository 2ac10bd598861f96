"""`seeds=auto`: seeds are added look by look, to the arms whose contrasts are open, with simulated jobs."""

import json
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hydra.core.utils import JobReturn, JobStatus

from activation_study.config.planned_seeds import STANDARD_LOOKS, look_problem, with_planned_seeds
from activation_study.config.schema import Config
from activation_study.errors import BadInput
from activation_study.files import write_json
from activation_study.records.lock import run_lock
from activation_study.records.looks import LOOKS_FILE
from activation_study.sweep.run_sweep import run_sweep
from activation_study.validation import from_hydra
from simulated_sweep import composed, finish

ACCURACY = {"relu": 0.7, "mish": 0.9, "frelu": 0.7}
STUDY = Path("multirun/simulated")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plan(*keys: str, activations: Sequence[str] = ("relu", "mish", "frelu"), seeds: int = 7) -> list[list[str]]:
    """The combinations of a sweep, as the sweeper makes them."""
    looks = [] if any(key.startswith("comparison.looks") for key in keys) else ["comparison.looks=[3,5,7]"]
    common = ["seeds=auto", *looks, "comparison.margin=0.1", "comparison.futility=0", *keys]
    return [[*common, f"activation={name}", f"seed={seed}"] for name in activations for seed in range(seeds)]


class Launcher:
    """Simulates the jobs: runs that predict a share of the pixels correctly, of FReLU with more noise.

    Args:
        failing: jobs that die, as (activation, seed).
    """

    def __init__(self, *failing: tuple[str, int]) -> None:
        self.failing, self.rounds = set(failing), list[list[tuple[str, int]]]()
        self.code: set[str | None] = set()

    def __call__(self, jobs: Sequence[Sequence[str]]) -> list[JobReturn]:
        self.rounds.append([])
        for job in jobs:
            config = from_hydra(composed(job))
            name, seed = config.activation.name, config.seed
            self.code.add(config.sweep.code)
            self.rounds[-1].append((name, seed))
            if (name, seed) not in self.failing:
                self._write(config, name, seed)
        return [JobReturn(status=JobStatus.COMPLETED) for _ in jobs]

    def _write(self, config: Config, name: str, seed: int) -> None:
        generator, counts = np.random.default_rng([seed, *name.encode()]), np.zeros((10, 4, 3), np.int64)
        for image, row in np.ndindex(10, 3):
            fraction = np.clip(ACCURACY[name] + 0.05 * generator.normal(), 0, 1)
            counts[image, row] = np.round(1000 * np.where(np.arange(3) == row, fraction, (1 - fraction) / 2))
        finish(config, counts, ("sky", "horizontal", "vertical"))


def test_all_rounds_expect_the_code_of_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    launch, manifests = Launcher(), []
    monkeypatch.setattr("activation_study.sweep.run_sweep.write_manifest", lambda *_: manifests.append(1) or "00ff")
    run_sweep(plan(), composed, launch)
    assert len(launch.rounds) == 3
    assert (launch.code, len(manifests)) == ({"00ff"}, 1)


def test_arms_get_seeds_until_their_contrasts_are_settled(capsys: pytest.CaptureFixture[str]) -> None:
    launch = Launcher()
    run_sweep(plan(), composed, launch)
    first, *later = launch.rounds
    assert first == [(name, seed) for name in ("relu", "mish", "frelu") for seed in (0, 1, 2)]
    assert later == [[(name, seed) for name in ("relu", "frelu") for seed in seeds] for seeds in ((3, 4), (5, 6))]
    output = " ".join(capsys.readouterr().out.split())
    assert "9 runs of multirun/simulated: 9 new" in output
    assert "Planned looks at 3, 5 and 7 seeds, 2 contrasts: 9 runs up to the first look, at most 21." in output
    assert "points after 3 seeds: Mish is above ReLU" in output
    assert "goes on to 5 seeds" in output
    assert "points after 7 seeds: stays open" in output
    assert "Seeds were added at planned looks (3, 5 and 7 seeds)" in output
    kept = json.loads((STUDY / LOOKS_FILE).read_text())
    assert kept["plan"]["contrasts"] == [["scenes", "surfaces", name, "relu"] for name in ("mish", "frelu")]
    assert [[each["seeds"] for each in look["contrasts"]] for look in kept["looks"]] == [[3, 3], [3, 5], [3, 7]]
    record = json.loads(next(STUDY.glob("*frelu-seed6*/run.json")).read_text())
    assert record["config"]["comparison"]["looks"] == [3, 5, 7]
    assert record["config"]["comparison"]["contrasts"] == [["mish", "relu"], ["frelu", "relu"]]


def test_the_same_command_goes_on_where_it_stopped_and_then_has_nothing_to_do() -> None:
    stopped = Launcher(("frelu", 4))
    with pytest.raises(SystemExit) as exit_code:
        run_sweep(plan(), composed, stopped)
    assert exit_code.value.code == 1
    assert len(stopped.rounds) == 2, "no further look after a run that failed"
    launch = Launcher()
    run_sweep(plan(), composed, launch)
    assert launch.rounds == [[("frelu", 4)], [(name, seed) for name in ("relu", "frelu") for seed in (5, 6)]]
    again = Launcher()
    run_sweep(plan(), composed, again)
    assert again.rounds == []


def test_runs_are_not_replaced_one_by_one_between_looks() -> None:
    launch = Launcher()
    run_sweep(plan("rerun=all"), composed, launch)
    trained = [job for of_round in launch.rounds for job in of_round]
    assert len(trained) == 17, "nothing is there that could be replaced"
    (damaged,) = STUDY.glob("*-relu-seed0*")
    (damaged / "evaluation/confusions.npz").write_bytes(b"damaged")
    with pytest.raises(BadInput, match=r"rerun=all: .* delete the folders of the runs that are to be trained again"):
        run_sweep(plan("rerun=all"), composed, Launcher())
    shutil.rmtree(damaged)
    again = Launcher()
    run_sweep(plan(), composed, again)
    assert again.rounds == [[("relu", 0)]]


def test_a_look_that_was_interrupted_is_finished_before_the_next_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_sweep(plan(), composed, Launcher(("frelu", 4)))
    kept = (STUDY / LOOKS_FILE).read_text()
    run_sweep(plan("dry_run=true"), composed, Launcher())
    assert (STUDY / LOOKS_FILE).read_text() == kept, "a dry run looks, and keeps nothing"
    run_sweep(plan(), composed, Launcher())
    looks = json.loads((STUDY / LOOKS_FILE).read_text())["looks"]
    assert [[each["seeds"] for each in look["contrasts"]] for look in looks] == [[3, 3], [3, 5], [3, 7]]


def test_a_last_look_that_was_not_kept_is_kept_by_a_sweep_with_nothing_to_do() -> None:
    run_sweep(plan(), composed, Launcher())
    kept = json.loads((STUDY / LOOKS_FILE).read_text())
    write_json(STUDY / LOOKS_FILE, {**kept, "looks": kept["looks"][:-1]})
    again = Launcher()
    run_sweep(plan("dry_run=true"), composed, again)
    assert len(json.loads((STUDY / LOOKS_FILE).read_text())["looks"]) == 2, "a dry run keeps nothing"
    run_sweep(plan(), composed, again)
    assert again.rounds == []
    looks = json.loads((STUDY / LOOKS_FILE).read_text())["looks"]
    assert [look["contrasts"] for look in looks] == [look["contrasts"] for look in kept["looks"]]


def test_a_look_is_taken_while_another_process_copies_a_finished_run() -> None:
    with ExitStack() as copying:

        class Copied(Launcher):
            def __call__(self, jobs: Sequence[Sequence[str]]) -> list[JobReturn]:
                returned = super().__call__(jobs)
                if len(self.rounds) == 1:
                    copying.enter_context(run_lock(next(STUDY.glob("*relu-seed0*"))))
                return returned

        launch = Copied()
        run_sweep(plan(), composed, launch)
    assert len(launch.rounds) == 3


def test_the_foretold_time_is_that_of_several_runs_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_sweep(plan(), composed, Launcher(("frelu", 2)))
    capsys.readouterr()
    for at_once, times in ((1, ("3 s", "39 s")), (3, ("1 s", "13 s"))):
        run_sweep(plan("dry_run=true"), composed, Launcher(), at_once=at_once)
        first, most = times
        assert f"9 runs ({first}) up to the first look, at most 21 ({most})." in capsys.readouterr().out


def test_runs_of_other_settings_or_without_the_plan_are_refused() -> None:
    run_sweep(plan(), composed, Launcher())
    with pytest.raises(BadInput, match=r"that this command does not plan, e\.g\. .*; a plan cannot be changed after"):
        run_sweep(plan("training.batch_size=2"), composed, Launcher())
    with pytest.raises(BadInput, match="was begun with seeds=auto, and seeds added otherwise would spoil its plan"):
        run_sweep([["activation=relu", "seed=30"]], composed, Launcher())


def test_a_study_without_its_file_of_looks_goes_on_by_what_its_runs_recorded() -> None:
    run_sweep(plan(), composed, Launcher())
    (STUDY / LOOKS_FILE).unlink()
    launch = Launcher()
    run_sweep(plan(), composed, launch)
    assert launch.rounds == []
    with pytest.raises(BadInput, match=r"its plan was declared with margin 0\.1, now 0\.2"):
        run_sweep(plan("comparison.margin=0.2"), composed, Launcher())


def test_a_plan_of_which_no_run_started_may_be_replaced() -> None:
    class Nothing(Launcher):
        def _write(self, config: Config, name: str, seed: int) -> None:
            pass

    with pytest.raises(SystemExit):
        run_sweep(plan(), composed, Nothing())
    run_sweep(plan("comparison.margin=0.2"), composed, Launcher())
    assert json.loads((STUDY / LOOKS_FILE).read_text())["plan"]["margin"] == 0.2


def test_a_dry_run_foretells_and_keeps_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run_sweep(plan("dry_run=true"), composed, Launcher())
    assert "9 runs up to the first look, at most 21." in capsys.readouterr().out
    assert not STUDY.exists()


def test_a_declared_plan_cannot_be_changed() -> None:
    run_sweep(plan(), composed, Launcher())
    for changed, key in (
        (plan("comparison.looks=[3,6]"), "looks"),
        (plan("comparison.margin=0.2"), "margin"),
        (plan("comparison.futility=0.9"), "futility"),
        (plan("comparison.contrasts=[[mish,frelu]]"), "contrasts"),
    ):
        with pytest.raises(BadInput, match=f"its plan was declared with {key} .* use another study: study=NAME"):
            run_sweep(changed, composed, Launcher())


def test_a_study_that_was_begun_without_a_plan_is_refused() -> None:
    run_sweep([["activation=relu", "seed=0"]], composed, Launcher())
    with pytest.raises(BadInput, match="has runs that were made without planned looks"):
        run_sweep(plan(), composed, Launcher())


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        (
            plan("comparison.contrasts=[[elu,relu]]"),
            "the contrasts name elu, which the sweep does not train on scenes",
        ),
        (plan(activations=("relu",)), "expected two or more activations, e.g. activation=relu,mish"),
        ([*plan(), *plan("training.batch_size=2")], "the sweep varies training.batch_size=.*; expected activations"),
        (
            [*plan(), *plan("data.image_size=64")],
            r"to compare it, too: 'comparison.factor=\[activation,data.image_size\]'",
        ),
        (
            [*plan(), *plan("activation.layer.kernel_size=5", activations=("frelu",))],
            "varies options of one activation",
        ),
        ([*plan(), *plan("study=other")], "expected runs of one study"),
        ([*plan(), ["activation=elu", "seed=0"]], "seeds: expected the same value for all runs of a sweep"),
        (
            plan(activations=("relu", "mish", "frelu", "elu", "gelu", "silu", "prelu"), seeds=1),
            "6 contrasts, expected 5 or fewer; declare those that matter",
        ),
        ([["comparison.looks=[3,5]", "activation=relu"]], "comparison.looks needs seeds=auto"),
    ],
)
def test_sweeps_that_cannot_be_planned_are_refused(jobs: list[list[str]], message: str) -> None:
    launch = Launcher()
    with pytest.raises(BadInput, match=message):
        run_sweep(jobs, composed, launch)
    assert launch.rounds == []


def test_the_sweep_goes_through_the_seeds_of_its_looks() -> None:
    parameters, arguments = with_planned_seeds(["activation=relu,mish", "seed=0,1"], ["seeds=auto"], [])
    assert parameters == ["activation=relu,mish"]
    looks, seeds = (",".join(map(str, numbers)) for numbers in (STANDARD_LOOKS, range(20)))
    assert arguments == ["seeds=auto", f"comparison.looks=[{looks}]", f"seed={seeds}"]
    _, arguments = with_planned_seeds([], ["comparison.looks=[3,4]", "seeds=auto"], [3, 4])
    assert arguments == ["seeds=auto", "comparison.looks=[3,4]", "seed=0,1,2,3"]


@pytest.mark.parametrize("looks", [[2, 5], [5, 5], [8, 5], [5, 500], list(range(3, 40))])
def test_looks_that_cannot_be_planned_are_named(looks: list[int]) -> None:
    assert "expected up to 20 ascending numbers of seeds from 3 to 200, e.g. [5,8,12,20]" in (look_problem(looks) or "")
    with pytest.raises(BadInput, match=r"comparison\.looks="):
        with_planned_seeds([], [], looks)


def test_seeds_are_either_given_or_planned() -> None:
    with pytest.raises(BadInput, match="seed=0,1 and seeds=auto exclude each other"):
        with_planned_seeds([], ["seed=0,1", "seeds=auto"], [])
    assert look_problem([]) is None
    assert look_problem(STANDARD_LOOKS) is None

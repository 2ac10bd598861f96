"""What the arms of a study had in common, by the digests of their runs."""

from pathlib import Path

import pytest

from activation_study.analysis.fairness import fairness
from activation_study.analysis.findings import compare_study
from activation_study.analysis.results import read_study
from activation_study.records.record import read_record
from activation_study.sweep.plan import make_plan
from activation_study.sweep.plan_notes import notes_of
from fake_runs import write_run
from simulated_sweep import composed


def statement(study: Path, digests: dict[str, dict[str, str]], seeds: int = 2) -> str:
    """Of a study whose runs have these digests, by activation; {seed} is theirs."""
    study.mkdir(exist_ok=True)
    for activation, values in digests.items():
        for seed in range(seeds):
            folder = write_run(study, activation, seed)
            record = read_record(folder)
            assert record is not None
            record.digests |= {name: value.format(seed=seed) for name, value in values.items()}
            record.write(folder)
    (condition,), _ = read_study(study)
    return fairness(condition)


EQUAL = {"order": "o{seed}", "initial_weights": "w{seed}", "initial_convolutions": "c{seed}"}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (EQUAL, "had the same split and order of the training images, and the same initial convolutions (their"),
        ({**EQUAL, "initial_weights": "x"}, "and the same initial convolutions (their digests agree)."),
        ({**EQUAL, "initial_convolutions": "x"}, "(their digests agree); their initial convolutions differ."),
        ({**EQUAL, "order": "x"}, "the same initial convolutions (their digests agree); the split or the order"),
        ({"order": "x", "initial_convolutions": "x"}, "training images differs, and so do the initial convolutions."),
    ],
)
def test_what_agrees_is_said(tmp_path: Path, other: dict[str, str], expected: str) -> None:
    assert expected in statement(tmp_path, {"relu": EQUAL, "mish": other})


def test_runs_of_earlier_versions_have_the_digest_of_all_shared_layers(tmp_path: Path) -> None:
    old = {"order": "o{seed}", "initial_weights": "w{seed}"}
    assert "the same initial convolutions (their digests agree)" in statement(tmp_path, {"relu": EQUAL, "mish": old})


def test_nothing_is_said_without_digests_or_of_a_single_arm(tmp_path: Path) -> None:
    assert statement(tmp_path / "a", {"relu": {}, "mish": EQUAL}) == ""
    assert statement(tmp_path / "b", {"relu": EQUAL}) == ""


def test_the_answer_names_another_setting_in_which_the_arms_differ(tmp_path: Path) -> None:
    for seed in range(2):
        write_run(tmp_path, "relu", seed, learning_rate=1e-3)
        write_run(tmp_path, "mish", seed, learning_rate=3e-3)
    findings = compare_study("study", *read_study(tmp_path), [])
    named = "optimizer.learning_rate is 0.003 with Mish, 0.001 with ReLU."
    assert [text for text in findings.summary if text.endswith(named)]


def test_the_plan_names_another_setting_in_which_the_arms_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    jobs = make_plan([["activation=relu"], ["activation=mish", "optimizer.learning_rate=3e-3"]], composed)
    (warning,) = notes_of(jobs)
    assert warning.startswith("warning: The arms differ in more than the activation")
    assert list(notes_of(make_plan([["activation=relu"], ["activation=mish"]], composed))) == []


def summary(study: Path) -> str:
    return " ".join(compare_study("s", *read_study(study), []).summary)


def test_the_answer_names_circumstances_in_which_the_arms_differ(tmp_path: Path) -> None:
    for name, device in (("relu", "CPU"), ("mish", "NVIDIA H100")):
        for seed in range(3):
            folder = write_run(tmp_path, name, seed)
            record = read_record(folder)
            assert record is not None
            record.environment = {"device": device, "backend": "jax", "processor": "Xeon" if seed else "EPYC"}
            record.environment |= {"processor": "EPYC"} if (name, seed) == ("relu", 1) else {}
            record.digests["code"] = "a" if seed == 0 else name
            record.changes = ["code"] if (name, seed) == ("mish", 2) else []
            record.write(folder)
    assert (
        "The arms differ in code for 2 of 3 seeds, device for 3 of 3 seeds and processor for 1 of 3 seeds; 1 run went "
        "on although code or settings had changed (allow_changes): a difference may come from that, too."
    ) in summary(tmp_path)


def test_the_answer_names_randomness_that_all_runs_share(tmp_path: Path) -> None:
    for name in ("relu", "mish"):
        for seed in range(3):
            seeding = {"weights": seed, "order": 0, "augmentation": seed}
            write_run(tmp_path / "pinned", name, seed, config={"seeding": seeding})
            write_run(tmp_path / "free", name, seed, config={"seeding": dict.fromkeys(seeding, seed)})
    told = "In all runs, seeding.order is 0: the intervals leave out what other values would change."
    assert told in summary(tmp_path / "pinned")
    assert "In all runs" not in summary(tmp_path / "free")

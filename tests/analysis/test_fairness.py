"""What the arms of a study had in common, by the digests of their runs."""

from pathlib import Path

import pytest

from activation_study.analysis.fairness import fairness
from activation_study.analysis.results import read_study
from activation_study.records.record import read_record
from fake_runs import write_run


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

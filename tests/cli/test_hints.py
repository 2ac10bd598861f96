"""A mistyped key: the hint belongs to the command."""

from pathlib import Path

import pytest

from cli_runner import command

pytestmark = pytest.mark.integration

MISTYPED = [
    ("train.py", ["training.epochz=3"], "training.epochz", "training.epochs"),
    ("train.py", ["training.schedule.patience=3"], "training.schedule.patience", "schedule.patience"),
    (
        "train.py",
        ["activation=frelu", "activation.layer.kernelsize=5"],
        "activation.layer.kernelsize",
        "activation.layer.kernel_size",
    ),
    ("compare.py", ["packed=foo"], "packed", "pack"),
    ("reproduce.py", ["run=1f", "epoch=3"], "epoch", "epochs"),
    ("evaluate.py", ["run=1f", "data.splitt=shuffled"], "data.splitt", "data.split"),
    ("predict.py", ["run=1f", "image=x"], "image", "images"),
    ("export.py", ["run=1f", "outptu=x"], "outptu", "output"),
    ("inspect_data.py", ["lable_type=regions"], "lable_type", "label_type"),
]


@pytest.mark.parametrize(("script", "arguments", "key", "meant"), MISTYPED)
def test_a_mistyped_key_is_answered_with_a_key_of_that_command(
    script: str, arguments: list[str], key: str, meant: str, tmp_path: Path
) -> None:
    result = command(tmp_path, script, *arguments)
    assert result.returncode == 2
    assert result.stderr == f"error: {key}: unknown key; did you mean {meant}?\n"


def test_a_key_like_no_other_is_answered_with_the_way_to_see_all(tmp_path: Path) -> None:
    result = command(tmp_path, "compare.py", "zzz=1")
    assert result.returncode == 2
    assert result.stderr == "error: zzz: unknown key; `python compare.py --help` shows the keys\n"


def test_all_mistyped_keys_are_reported_at_once(tmp_path: Path) -> None:
    wrong = ("activation.layer.kernelsize=5", "trainin.epochs=3", "sed=1", "seed=x")
    result = command(tmp_path, "train.py", "activation=frelu", *wrong)
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == "error: These arguments cannot be used (4 found):"
    for line in (
        "activation.layer.kernelsize: unknown key; did you mean activation.layer.kernel_size?",
        "trainin.epochs: unknown key; did you mean training.epochs?",
        "sed: unknown key; did you mean seed?",
        "seed=x: expected a whole number",
    ):
        assert f"\n  {line}\n" in result.stderr
    assert result.stderr.endswith("`python train.py --help` shows the keys.\n")

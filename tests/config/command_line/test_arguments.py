"""Arguments that Hydra would store, or that would train instead of planning, are refused."""

import pytest

from activation_study.config.command_line.arguments import unusable


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "dry_run=true", "hydra/sweeper=basic"], "dry_run=true needs hydra/sweeper=study, the default;"),
        (
            ["sync=True", "hydra/sweeper=optuna"],
            "sync=true needs hydra/sweeper=study, the default; hydra/sw",
        ),
        (["hydra/sweeper=basic", "tracking.uri=http://a:b@c"], "make Hydra store the command line"),
        (["hydra.output_subdir=.hydra", "tracking.uri=http://a:b@c"], "make Hydra store the command line"),
        (["experiment=[demo, small]"], "expected one experiment; `-m experiment=demo,small` runs each of them"),
        (["protocol=[a,b]"], "protocol=[a,b]: expected one protocol; `-m protocol=a,b` runs each of them"),
    ],
)
def test_such_arguments_are_refused(arguments: list[str], message: str) -> None:
    assert message in (unusable(arguments) or "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-m", "seed=0,1", "dry_run=true"],
        ["-m", "dry_run=true", "hydra/sweeper=study", "hydra/launcher=joblib"],
        ["-m", "hydra/sweeper=basic", "dry_run=false"],
        ["tracking.uri=http://a:b@c"],
        ["hydra.output_subdir=.hydra"],
        ["-m", "experiment=demo,small"],
        ["experiment=[demo]"],
        [],
    ],
)
def test_others_are_not(arguments: list[str]) -> None:
    assert unusable(arguments) is None

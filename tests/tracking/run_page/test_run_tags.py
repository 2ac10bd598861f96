"""Where a run's code comes from and what it ran on, as tags of MLflow."""

from pathlib import Path
from typing import Any

from activation_study.class_findings import ClassFindings
from activation_study.palette import ACTIVATION_COLORS, activation_colors
from activation_study.records.record import Record
from activation_study.tracking.run_page.run_tags import color_tags, run_tags
from activation_study.tracking.study_run import NEUTRAL_COLOR

ENVIRONMENT = {
    "activation_study": "0.1.0",
    "versions": {"python": "3.11.7", "tensorflow": "2.21.0", "jax": "0.10.2", "keras": "3.15.1", "scipy": "1.17"},
    "device": "CPU", "processor": "EPYC", "threads": 2, "backend": "tensorflow",
    "git": {"commit": "abc", "branch": "mish", "url": "https://example.org/study", "clean": False},
}  # fmt: skip


def tags(environment: dict[str, Any] = ENVIRONMENT, links: dict[str, str] | None = None, **values: Any) -> dict:
    config = {"training": {"precision": "float32"}}
    record = Record("run", "study", "1234", config, [], ["sky"], environment, {"data": "d" * 64}, links=links or {})
    for name, value in values.items():
        setattr(record, name, value)
    return run_tags(record, Path("multirun/study/run"))


def test_a_run_names_its_commit_branch_and_repository() -> None:
    assert {name: value for name, value in tags().items() if name.startswith("mlflow.source")} == {
        "mlflow.source.name": "train.py",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": "abc",
        "mlflow.source.git.branch": "mish",
        "mlflow.source.git.repoURL": "https://example.org/study",
        "mlflow.source.git.dirty": "true",
    }


def test_a_record_from_before_branches_were_recorded_has_the_rest() -> None:
    assert "mlflow.source.git.branch" not in tags({"git": {"commit": "abc", "clean": True}})
    assert tags({"git": {"commit": "abc", "clean": True}})["mlflow.source.git.dirty"] == "false"
    assert not [name for name in tags({}) if name.startswith("mlflow.source.git")]


def test_device_and_versions_can_be_read_and_filtered() -> None:
    expected = {
        "device": "CPU", "threads": "2", "backend": "tensorflow", "precision": "float32", "activation_study": "0.1.0",
        "python": "3.11.7", "tensorflow": "2.21.0", "keras": "3.15.1", "processor": "EPYC",
    }  # fmt: skip
    assert expected.items() <= tags().items()
    assert "None" not in tags({}).values()
    assert "tensorflow" not in tags({**ENVIRONMENT, "backend": "jax"})


def test_reproductions_and_evaluations_name_their_own_command() -> None:
    assert tags(links={"reproduces": "run"})["mlflow.source.name"] == "reproduce.py"
    assert tags(links={"evaluates": "run"})["mlflow.source.name"] == "evaluate.py"


def test_hashes_are_grouped_under_one_prefix() -> None:
    assert tags()["digest.data"] == "d" * 64
    assert [name for name, value in tags().items() if len(value) == 64] == ["digest.data"]


def test_the_runs_of_one_activation_have_its_colour_in_the_report_unless_a_person_chose_another() -> None:
    for name in ("mish", "my_own"):
        record = Record("run", "study", "1", {"activation": {"name": name}}, [], ["sky"], {}, {})
        assert color_tags({}, record) == {"mlflow.runColor": activation_colors(("relu", name))[name]}
        assert color_tags({"mlflow.runColor": "#123456"}, record) == {}


def test_activations_that_are_compared_have_different_colours() -> None:
    names = [*ACTIVATION_COLORS, *(f"own{number}" for number in range(20))]
    assert len({*activation_colors(names).values(), NEUTRAL_COLOR}) == len(names) + 1


def test_what_stands_out_in_the_classes_is_short_enough_for_a_tag() -> None:
    names = tuple(f"class with a rather long name {number}" for number in range(255))
    record = Record("run", "study", "1234", {}, [], list(names), {}, {}, status="FINISHED")
    tags = run_tags(record, Path("x"), ClassFindings("test", never_predicted=("crack",), missing=names))
    assert tags["never_predicted"] == "crack"
    assert len(tags["not_in_test"]) == 8000
    assert "almost_everything" not in tags

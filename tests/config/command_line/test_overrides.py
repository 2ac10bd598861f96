"""Names, paths and run IDs reach the configuration as they were typed."""

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from activation_study.api import compose as compose_run
from activation_study.cli.commands import COMMANDS, register_schema
from activation_study.config.command_line.overrides import as_typed, text_keys
from activation_study.config.fields import declared, holds_text
from activation_study.config.schema import Config
from activation_study.location import conf_dir

NAMES = [
    "2026_11",
    "1e5",
    "007",
    "12e45",
    "on",
    "true",
    "nan",
    "-1",
    "1.50",
    "a=b",
    "ümlaut",
    "holiday (1)",
    "it's",
    "#1",
]
# What is read from a file is checked elsewhere; a digest is set by the program.
ELSEWHERE = ("data.classes", "data.split_files", "model.encoder_weights_digest")


def value_of(command: str, overrides: list[str], key: str) -> Any:
    chosen = COMMANDS[command]
    register_schema(chosen)
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return OmegaConf.select(compose(chosen.config, as_typed(overrides, chosen.schema)), key)


def scalar_keys(command: str) -> list[str]:
    schema = COMMANDS[command].schema
    return [
        key
        for key, field in declared(schema).items()
        if holds_text(field) and "list" not in str(field.type) and key not in ELSEWHERE
    ]


CASES = [(command, key) for command in COMMANDS for key in scalar_keys(command) if command not in ("inspect", "sync")]


@pytest.mark.parametrize(("command", "key"), CASES)
def test_every_key_that_holds_text_takes_a_name_as_it_was_typed(command: str, key: str) -> None:
    names = NAMES if key in ("study", "run") else NAMES[:2]
    for name in names:
        assert value_of(command, [f"{key}={name}"], key) == name


def test_null_empties_what_may_be_empty_and_is_a_name_otherwise() -> None:
    assert value_of("train", ["tracking.uri=null"], "tracking.uri") is None
    assert value_of("train", ["study=null"], "study") == "null"


@pytest.mark.parametrize(
    ("command", "override", "expected"),
    [
        ("predict", "runs=[12e45,1_0,abc]", ["12e45", "1_0", "abc"]),
        ("compare", "contrasts=[[1e5,on],[relu,007]]", [["1e5", "on"], ["relu", "007"]]),
        ("predict", "runs=[\"a,b\",'1e5']", ["a,b", "1e5"]),
    ],
)
def test_so_do_lists_of_names(command: str, override: str, expected: list[Any]) -> None:
    assert value_of(command, [override], override.partition("=")[0]) == expected


@pytest.mark.parametrize(
    ("override", "values"),
    [
        ("study=2026_11,1e5,b", ["2026_11", "1e5", "b"]),
        ("study=choice(a,b)", ["a", "b"]),
        ("activation=1e5,relu", ["1e5", "relu"]),
    ],
)
def test_so_do_the_values_of_a_sweep(override: str, values: list[str]) -> None:
    (typed,) = as_typed([override], Config)
    parsed = OverridesParser.create().parse_override(typed)
    jobs = [OverridesParser.create().parse_override(f"key={text}").value() for text in parsed.sweep_string_iterator()]
    assert jobs == values


@pytest.mark.parametrize(
    "argument",
    ["seed=1_0", "study='1e5'", "study=${oc.env:HOME}", "data={name: x}", "-m", "--config-dir=1e5", "~seed", "study=a"],
)
def test_all_else_is_left_to_hydra(argument: str) -> None:
    assert as_typed([argument], Config) == [argument]


def test_repeating_it_changes_nothing() -> None:
    once = as_typed([f"study={name}" for name in NAMES], Config)
    assert as_typed(once, Config) == once


def test_the_api_takes_names_as_they_are(tmp_path: Path) -> None:
    assert compose_run("study=2026_11").study == "2026_11"
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "2026_11.yaml").write_text("# @package _global_\nseed: 3\n")
    assert compose_run("experiment=2026_11", config_dir=tmp_path).seed == 3


def test_every_group_takes_options_by_name() -> None:
    assert {"activation", "experiment", "protocol", "data"} <= text_keys(Config).keys()


@pytest.mark.parametrize(
    "pattern", [r"^(\d+)_", "^([^_]+)_", "[a-z]{2,3}", "(a|b)", "^(.{4})", "'a'", "{x}", "groups.csv"]
)
def test_a_pattern_is_taken_as_it_was_typed(pattern: str) -> None:
    for command in ("train", "evaluate"):
        assert value_of(command, ["run=x", f"data.groups={pattern}"][command == "train" :], "data.groups") == (
            pattern.strip("'")
        )
    assert value_of("train", ["data.groups=null"], "data.groups") is None

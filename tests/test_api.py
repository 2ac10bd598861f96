"""`compose` and `run`, as a notebook uses them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import initialize_config_dir

from activation_study import compose, run
from activation_study.config.identity import identity
from activation_study.config.schema import resolved
from activation_study.errors import BadInput
from cli_runner import ROOT, TINY


def test_a_configuration_is_composed_as_on_the_command_line() -> None:
    config = compose("activation=mish", "seed=3", "training.learning_rate=3e-4")
    assert (config.activation.name, config.seed, config.optimizer["learning_rate"]) == ("mish", 3, 3e-4)
    assert config.overrides == ["activation=mish", "seed=3", "training.learning_rate=3e-4"]
    assert config.run_name == f"surfaces-mish-seed3-{identity(resolved(config))}"
    assert "overrides" not in resolved(config)


def test_it_is_composed_whatever_hydra_was_used_for_before() -> None:
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        assert compose("seed=1").seed == 1
        assert compose("seed=2").seed == 2


@pytest.mark.parametrize("name", ["options", "my conf (v2), x", "conf_it's", 'a "b" {c}'])
def test_options_of_ones_own(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    (folder / "activation").mkdir(parents=True)
    layer = "name: celu\nlayer:\n  _target_: keras.layers.Activation\n  activation: celu\n"
    (folder / "activation/celu.yaml").write_text(layer)
    assert compose("activation=celu", config_dir=folder).activation.name == "celu"
    with pytest.raises(BadInput, match=r"^sed: unknown key"):
        compose("activation=celu", "sed=1", config_dir=folder)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["seed=-1"], "seed=-1: expected 0 or more"),
        (["trainin.epochs=3"], "trainin.epochs: unknown key; did you mean training.epochs?"),
        (["activation=mishh"], "did you mean mish?"),
        (
            ["training.epochs=x", "sed=1"],
            "(2 found):\n  training.epochs=x: expected a whole number\n  sed: unknown",
        ),
        (["seed=0,1"], "seed=0,1: multiple values require a sweep; add -m to `python train.py`"),
        (["experiment=[demo,article]"], "expected one experiment"),
        (["data.image_size=[64,64"], "data.image_size=[64,64: the closing ] is missing"),
        (["seed=1]"], "seed=1]: ] without its opening bracket"),
        (["data={a: [1, 2}"], "data={a: [1, 2}: the closing ] is missing"),
        (["study='it"], "study='it: the closing ' is missing"),
        (["-m", "seed=1"], "-m: expected KEY=VALUE"),
        (["comparison=fixed"], "comparison=fixed: comparison has no options here; expected comparison.factor=…"),
    ],
)
def test_bad_overrides_are_answered_as_on_the_command_line(overrides: list[str], message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        compose(*overrides)


def test_a_folder_of_options_has_to_exist(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"config_dir=.*nowhere: no such folder"):
        compose("seed=1", config_dir=tmp_path / "nowhere")


@pytest.mark.integration
def test_a_run_is_carried_out_and_read_again(tmp_path: Path) -> None:
    overrides = [*TINY, "training.epochs=1", "tracking=off", f"folder={tmp_path}"]
    code = f"""
from activation_study import compose, run
config = compose(*{overrides})
record = run(config)
assert record.status == "FINISHED"
assert record.overrides == {overrides}
assert 0 < record.results["test/mean_iou"] <= 1
assert run(config).started == record.started
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 0, result.stderr


def test_what_only_a_sweep_does_is_answered_as_on_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="seeds=auto needs a sweep over activations"):
        run(compose(*TINY, "seeds=auto", f"folder={tmp_path}"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["dry_run", "sync"])
def test_a_plan_is_not_trained(key: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"{key}=true: a run was started all the same"):
        run(compose(*TINY, f"{key}=true", f"folder={tmp_path}"))
    assert not list(tmp_path.iterdir())

"""Configurations as they compose: every group's option, every fault."""

from pathlib import Path

import pytest
import yaml

from activation_study.config.identity import affects_result, identity
from activation_study.config.schema import Config, declared, resolved
from activation_study.errors import BadInput
from activation_study.validation import from_hydra
from hydra_compose import CONF, composed

GROUPS = (
    "activation", "label_type", "data", "model", "training", "evaluation", "seeding", "tracking", "experiment",
    "switch",
)  # fmt: skip
OPTIONS = [f"{group}={file.stem}" for group in GROUPS for file in sorted((CONF / group).glob("*.yaml"))]


OWN_DATA = ("data=folder", "label_type=own")  # they belong together
NEEDED = {"tracking=server": ["tracking.uri=http://a:1"]}


def identity_of(config: Config) -> str:
    return identity(resolved(config))


def own_data(folder: Path, classes: str = "[{name: a, id: 0}, {name: b, id: 1}]") -> list[str]:
    (folder / "classes.yaml").write_text(f"classes: {classes}\n")
    return [f"data.images={folder}/i", f"data.labels={folder}/l", f"data.classes={folder}/classes.yaml"]


def config_of(*overrides: str) -> Config:
    return from_hydra(composed(overrides))


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_every_group_composes(option: str, tmp_path: Path) -> None:
    needed = own_data(tmp_path) if option in OWN_DATA else NEEDED.get(option, [])
    config = config_of("data=folder" if option in OWN_DATA else option, *needed)
    group, name = option.split("=")
    if group in ("activation", "label_type", "data", "model"):
        assert getattr(config, group).name == name


def test_the_groups_have_the_promised_options() -> None:
    names = {group: {file.stem for file in (CONF / group).glob("*.yaml")} for group in GROUPS}
    assert names["activation"] >= {"relu", "mish", "frelu", "silu", "gelu", "elu", "leaky_relu", "prelu", "hard_silu"}
    assert names["label_type"] == {"regions", "surfaces", "layers", "own"}
    assert names["data"] >= {"stanford_background", "camvid", "scenes"}
    assert names["experiment"] >= {"article", "small", "demo"}
    assert names["tracking"] >= {"local", "off"}


def test_nothing_else_is_the_articles_protocol() -> None:
    config = config_of()
    assert (config.activation.name, config.label_type.name, config.seed) == ("relu", "surfaces", 0)
    assert config.image_size == (224, 224)
    assert config.model.widths == [32, 64, 128, 256, 512, 1024]
    training = config.training
    assert (training.epochs, training.batch_size, config.optimizer.learning_rate) == (100, 16, 1e-3)
    assert (training.precision, training.monitor, config.loss.unlabeled) == ("float32", "loss", "article")
    assert (config.schedule.factor, config.schedule.patience, config.schedule.min_delta) == (0.2, 3, 1e-4)
    assert (training.early_stopping.patience, training.early_stopping.min_delta) == (5, 0)
    assert (config.data.split, config.data.label_interpolation, config.data.channel_order) == (
        "sorted",
        "bilinear",
        "bgr",
    )
    assert (config.data.remove_duplicates, config.augmentation.name) == (False, "none")
    assert config.evaluation.interpolation == "lanczos4"


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("data.image_size=100", r"data\.image_size=100.*\[96, 96\] or \[128, 128\]"),
        ("data.image_size=[64,100]", r"multiples of 32"),
        ("data.image_size=[64]", r"one number, or \[height,width\]"),
        ("data.image_size=0", r"multiples of 32"),
        ("data.image_size=big", r"data\.image_size=big"),
        ("seed=-1", r"seed=-1: expected 0 or more"),
        ("training.batch_size=0", r"training\.batch_size=0"),
        ("training.learning_rate=0", r"optimizer\.learning_rate"),
        ("training.learning_rate=inf", r"optimizer\.learning_rate"),
        ("schedule.factor=1.5", r"schedule\.factor"),
        ("model.widths=[8,16]", r"encoder_blocks.*expected 2"),
        ("study=../elsewhere", r"study=\.\./elsewhere"),
        ("study=a/b", r"study=a/b"),
        ("threads=0", r"threads=0"),
        ("training.jit_compile=1", r"training\.jit_compile=1: expected auto or true or false"),
        ("tracking=server", r"tracking\.uri: expected a server's address"),
        ("+nonsense=1", r"nonsense"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(override: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        config_of(override)


def test_a_server_is_named_on_the_command_line_or_in_mlflows_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_of("tracking=server", "tracking.uri=http://a:1").tracking.uri == "http://a:1"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://b:2")
    assert config_of("tracking=server").tracking.uri == "http://b:2"


CHOICES = {key: field.metadata["choices"] for key, field in declared().items() if "choices" in field.metadata}


@pytest.mark.parametrize("key", [key for key, choices in CHOICES.items() if len(choices) > 1])
def test_a_choice_names_its_alternatives(key: str) -> None:
    with pytest.raises(BadInput, match=rf"{key}=nonsense: expected {CHOICES[key][0]} or "):
        config_of(f"{key}=nonsense")


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadInput) as error:
        config_of("seed=-1", "training.epochs=0", "data.split=random")
    assert all(text in str(error.value) for text in ("seed=-1", "training.epochs=0", "data.split=random"))


def test_two_activations_differ_below_activation_alone() -> None:
    values = [resolved(config_of(f"activation={name}")) for name in ("relu", "mish", "frelu", "prelu", "silu")]
    activations = [value.pop("activation") for value in values]
    assert all(value == values[0] for value in values)
    assert len({str(activation) for activation in activations}) == len(activations)


@pytest.mark.parametrize(
    "override",
    ["activation=mish", "seed=1", "seeding.order=3", "label_type=regions", "data.image_size=64", "training.epochs=3",
     "data.split=shuffled", "data.remove_duplicates=true", "augmentation.name=flip",
     "evaluation.interpolation=bilinear", "loss.average_over=known_pixels", "model=unet_small"],
)  # fmt: skip
def test_what_decides_the_result_changes_the_identity(override: str) -> None:
    assert identity_of(config_of(override)) != identity_of(config_of())


@pytest.mark.parametrize(
    "override",
    ["study=other", "threads=1", "folder=elsewhere", "tracking=off", "data.archive=x.tar", "data.root=there",
     "data.cache=c", "evaluation.batch_size=1", "training.checkpoint_minutes=0", "rerun=all", "allow_changes=true",
     "comparison.contrasts=[[mish,relu]]", "sweep.position='1 of 2'", "training.jit_compile=true"],
)  # fmt: skip
def test_paths_threads_and_tracking_leave_the_identity(override: str) -> None:
    assert identity_of(config_of(override)) == identity_of(config_of())


def test_runs_that_were_made_before_are_found_again() -> None:
    config = config_of("experiment=small", "label_type=regions", "data.archive=x.tar")
    assert config.run_name == "regions-relu-seed0-7e4cc952"  # docs/studies/2026-11-24-small


@pytest.mark.parametrize("quick", ["float32", "mixed_bfloat16"])
def test_automatic_precision_is_named_by_what_it_comes_to(quick: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activation_study.validation.fastest_precision", lambda: quick)
    config = config_of("training.precision=auto")
    assert config.training.precision == quick
    assert identity_of(config) == identity_of(config_of(f"training.precision={quick}"))


def test_a_job_elsewhere_takes_the_precision_that_was_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activation_study.validation.fastest_precision", lambda: "float32")
    elsewhere = config_of("training.precision=auto", "sweep.precision=mixed_bfloat16")
    assert elsewhere.training.precision == "mixed_bfloat16"
    assert config_of("training.precision=float32", "sweep.precision=mixed_bfloat16").training.precision == "float32"


@pytest.mark.parametrize(("value", "expected"), [("auto", "auto"), ("true", True), ("false", False)])
def test_compiling_is_a_choice(value: str, expected: object) -> None:
    assert config_of(f"training.jit_compile={value}").training.jit_compile == expected


def test_an_image_size_in_one_number_is_the_same_as_in_two() -> None:
    assert identity_of(config_of("data.image_size=64")) == identity_of(config_of("data.image_size=[64,64]"))


def test_an_experiment_names_its_study() -> None:
    assert config_of("experiment=demo").study == "demo"
    assert config_of("experiment=small").run_folder.parent == Path("multirun/small")


def test_contrasts_are_pairs_and_few() -> None:
    assert config_of("comparison.contrasts=[[mish,relu],[frelu,relu]]").comparison.contrasts[1] == ["frelu", "relu"]
    with pytest.raises(BadInput) as error:
        config_of(f"comparison.contrasts=[[mish,mish],[relu],{','.join(['[mish,relu]'] * 4)}]")
    for told in ("6 pairs, expected 5 or fewer", "['mish', 'mish']: expected two different", "['relu']: expected two"):
        assert told in str(error.value)


def test_only_what_decides_a_result_sets_runs_apart() -> None:
    assert affects_result("training.epochs")
    assert affects_result("activation.layer.kernel_size")
    assert affects_result("data.split")
    for key in ("training.checkpoint_minutes", "data.root", "threads", "comparison.contrasts", "data.split_seeds"):
        assert not affects_result(key)


def test_the_controls_experiment_declares_contrasts_of_activations_that_it_trains() -> None:
    config = config_of("experiment=controls")
    experiment = yaml.safe_load((CONF / "experiment/controls.yaml").read_text())
    trained = experiment["hydra"]["sweeper"]["params"]["activation"].split(",")
    assert len(config.comparison.contrasts) == 5
    assert {name for pair in config.comparison.contrasts for name in pair} <= set(trained)
    for name in trained:
        assert config_of(f"activation={name}").activation.name == name


def test_the_protocol_experiment_turns_every_switch_once() -> None:
    experiment = yaml.safe_load((CONF / "experiment/protocol.yaml").read_text())
    names = experiment["hydra"]["sweeper"]["params"]["switch"].split(",")
    assert sorted(names) == sorted(file.stem for file in (CONF / "switch").glob("*.yaml"))
    identities = {name: identity_of(config_of("experiment=protocol", f"switch={name}")) for name in names}
    assert len(set(identities.values())) == len(names)
    assert identities["article"] == identity_of(config_of("experiment=protocol"))


def test_the_precision_experiment_trains_each_run_in_both() -> None:
    experiment = yaml.safe_load((CONF / "experiment/precision.yaml").read_text())
    names = experiment["hydra"]["sweeper"]["params"]["training.precision"].split(",")
    assert names == ["float32", "mixed_bfloat16"]
    float32, bf16 = (identity_of(config_of("experiment=precision", f"training.precision={name}")) for name in names)
    assert float32 == identity_of(config_of("experiment=small", "label_type=regions"))
    assert float32 != bf16


def test_what_is_chosen_on_validation_is_a_setting_of_training_or_model() -> None:
    assert config_of("experiment=learning_rate").comparison.chosen_on_validation == "optimizer.learning_rate"
    for key in ("data.split", "seed", "training.checkpoint_minutes", "training.nonsense_"):
        with pytest.raises(BadInput, match=f"chosen_on_validation={key}: expected a key of training"):
            config_of(f"comparison.chosen_on_validation={key}")


def test_questions_are_one_for_each_contrast() -> None:
    with pytest.raises(BadInput, match="1, expected one for each of 2 contrasts"):
        config_of("comparison.contrasts=[[mish,relu],[frelu,relu]]", "comparison.questions=[why]")


def test_own_classes_stand_in_the_configuration_and_decide_the_identity(tmp_path: Path) -> None:
    config = config_of("data=folder", *own_data(tmp_path))
    assert (config.label_type.name, config.data.label_interpolation) == ("own", "nearest")
    assert [each["name"] for each in config.data.classes["classes"]] == ["a", "b"]
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    assert identity_of(config_of("data=folder", *own_data(moved))) == identity_of(config)
    other = config_of("data=folder", *own_data(moved, "[{name: a, id: 0}, {name: b, id: 2}]"))
    assert identity_of(other) != identity_of(config)


def test_own_classes_and_data_of_ones_own_belong_together(tmp_path: Path) -> None:
    for overrides, told in (
        (
            ["data=folder", *own_data(tmp_path), "label_type=regions"],
            r"label_type\.name=regions with data\.format=folder",
        ),
        (["label_type=own"], r"label_type\.name=own with data\.format=iccv09"),
        (["data=scenes", "data.images=x"], r"data\.images: only data=folder has it"),
        (["data=folder", "data.images=x"], "data.labels: expected with data.format=folder"),
    ):
        with pytest.raises(BadInput, match=told):
            config_of(*overrides)


def test_the_names_in_a_splits_files_decide_the_identity(tmp_path: Path) -> None:
    for part, name in (("train", "a"), ("validation", "b"), ("test", "c")):
        (tmp_path / f"{part}.txt").write_text(name)
    given = ("data.split=files", f"data.split_files={tmp_path}")
    before = config_of(*given)
    assert identity_of(before) != identity_of(config_of())
    (tmp_path / "train.txt").write_text("d")
    assert identity_of(config_of(*given)) != identity_of(before)
    with pytest.raises(BadInput, match=r"expected data\.split=files together with data\.split_files=FOLDER"):
        config_of("data.split=files")


def test_what_is_newer_than_the_first_runs_left_their_identity_as_it_was() -> None:
    assert identity_of(config_of()) == "e52bce5d"

"""Composed configurations: every option of every group, every invalid value."""

import re
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf, open_dict

from activation_study.config.component_problems import COMPONENT_GROUPS
from activation_study.config.fields import declared, value_of
from activation_study.config.identity import affects_result, identity
from activation_study.config.schema import Config, resolved
from activation_study.errors import BadInput
from activation_study.validation import from_hydra
from hydra_compose import CONF, composed

GROUPS = (
    "activation", "label_type", "data", *COMPONENT_GROUPS, "augmentation", "training", "evaluation", "seeding",
    "tracking", "experiment", "protocol",
)  # fmt: skip
OPTIONS = [
    f"{group}={file.relative_to(CONF / group).with_suffix('')}"
    for group in GROUPS
    for file in sorted((CONF / group).rglob("*.yaml"))
]


OWN_DATA = ("data=folder", "label_type=own")  # one requires the other
REQUIRED = {"tracking=server": ["tracking.uri=http://a:1"]}


def identity_of(config: Config) -> str:
    return identity(resolved(config))


def own_data(folder: Path, classes: str = "[{name: a, id: 0}, {name: b, id: 1}]") -> list[str]:
    (folder / "classes.yaml").write_text(f"classes: {classes}\n")
    return [f"data.images={folder}/i", f"data.labels={folder}/l", f"data.classes={folder}/classes.yaml"]


def config_of(*overrides: str) -> Config:
    return from_hydra(composed(overrides))


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_every_group_composes(option: str, tmp_path: Path) -> None:
    required = own_data(tmp_path) if option in OWN_DATA else REQUIRED.get(option, [])
    config = config_of("data=folder" if option in OWN_DATA else option, *required)
    group, name = option.split("=")
    if group in ("activation", "label_type", "data", "augmentation", *COMPONENT_GROUPS):
        assert value_of(config, f"{group}.name") == name


def test_the_groups_have_the_documented_options() -> None:
    names = {group: {file.stem for file in (CONF / group).glob("*.yaml")} for group in GROUPS}
    assert names["activation"] >= {"relu", "mish", "frelu", "silu", "gelu", "elu", "leaky_relu", "prelu", "hard_silu"}
    assert names["label_type"] == {"regions", "surfaces", "layers", "own"}
    assert names["data"] >= {"stanford_background", "camvid", "scenes"}
    assert names["experiment"] >= {"article", "small", "demo"}
    assert names["tracking"] >= {"local", "off"}


def test_the_default_is_the_protocol_of_the_article() -> None:
    config = config_of()
    assert (config.activation.name, config.label_type.name, config.seed) == ("relu", "surfaces", 0)
    assert config.image_size == (224, 224)
    assert config.model["widths"] == [32, 64, 128, 256, 512, 1024]
    training = config.training
    assert (training.epochs, training.batch_size, config.optimizer["learning_rate"]) == (100, 16, 1e-3)
    assert (training.precision, training.monitor, config.loss["unlabeled"]) == ("float32", "loss", "article")
    schedule = config.schedule
    assert (schedule["factor"], schedule["patience"], schedule["min_delta"]) == (0.2, 3, 1e-4)
    assert (training.early_stopping.patience, training.early_stopping.min_delta) == (5, 0)
    assert (config.data.split, config.data.label_interpolation, config.data.channel_order) == (
        "sorted",
        "bilinear",
        "bgr",
    )
    assert (config.data.remove_duplicates, config.augmentation.name) == (False, "none")
    assert config.evaluation.interpolation == "lanczos4"


@pytest.mark.parametrize(
    ("override", "message"),
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
        ("optimizer.learning_rate=fast", r"optimizer\.learning_rate=fast: expected a number above 0"),
        ("optimizer.name=a/b", r"optimizer\.name=a/b"),
        ("optimizer._target_=''", r"optimizer\._target_: required"),
        ("schedule.factor=1.5", r"schedule\.factor"),
        ("schedule.patience=few", r"schedule\.patience=few: expected a number of 0 or more"),
        ("loss.unlabeled=maybe", r"loss\.unlabeled=maybe: expected article or ignored"),
        ("loss._target_=''", r"loss\._target_: required"),
        ("normalization.momentum=1", r"normalization\.momentum=1\.0: expected a number of at least 0 and below 1"),
        ("model.widths=[8,a]", r"model\.widths=\[8, 'a'\]: expected whole numbers of 1 or more"),
        ("model.widths=[8]", r"model\.widths=\[8\]: expected two or more levels"),
        ("upsampling.name=a/b", r"upsampling\.name=a/b"),
        ("model.widths=[8,16]", r"encoder_blocks.*expected 2"),
        ("study=../elsewhere", r"study=\.\./elsewhere: .* it is used as a directory name"),
        ("study=a/b", r"study=a/b"),
        ("threads=0", r"threads=0"),
        ("training.jit_compile=1", r"training\.jit_compile=1: expected auto, true or false"),
        ("tracking=server", r"tracking\.uri: expected a server's address"),
        ("+nonsense=1", r"nonsense"),
    ],
)
def test_an_invalid_value_is_reported_with_its_key(override: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        config_of(override)


def test_a_server_is_set_on_the_command_line_or_by_mlflows_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_of("tracking=server", "tracking.uri=http://a:1").tracking.uri == "http://a:1"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://b:2")
    assert config_of("tracking=server").tracking.uri == "http://b:2"


CHOICES = {key: field.metadata["choices"] for key, field in declared(Config).items() if "choices" in field.metadata}


@pytest.mark.parametrize("key", [key for key, choices in CHOICES.items() if len(choices) > 1])
def test_an_invalid_choice_gives_the_allowed_values(key: str) -> None:
    with pytest.raises(BadInput, match=rf"{key}=nonsense: expected {CHOICES[key][0]}(,| or) "):
        config_of(f"{key}=nonsense")


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(BadInput) as error:
        config_of("seed=-1", "training.epochs=0", "data.split=random")
    assert all(text in str(error.value) for text in ("seed=-1", "training.epochs=0", "data.split=random"))


def test_configurations_of_two_activations_differ_only_below_activation() -> None:
    values = [resolved(config_of(f"activation={name}")) for name in ("relu", "mish", "frelu", "prelu", "silu")]
    activations = [value.pop("activation") for value in values]
    assert all(value == values[0] for value in values)
    assert len({str(activation) for activation in activations}) == len(activations)


@pytest.mark.parametrize(
    "override",
    ["activation=mish", "seed=1", "seeding.order=3", "label_type=regions", "data.image_size=64", "training.epochs=3",
     "data.split=shuffled", "data.remove_duplicates=true", "augmentation.name=flip",
     "evaluation.interpolation=bilinear", "loss.average_over=known_pixels", "model=unet_small", "optimizer=adam",
     "optimizer=muon", "optimizer.amsgrad=false", "+optimizer.beta_1=0.8"],
)  # fmt: skip
def test_values_that_affect_results_change_the_identity(override: str) -> None:
    assert identity_of(config_of(override)) != identity_of(config_of())


@pytest.mark.parametrize(
    "override",
    ["study=other", "threads=1", "folder=elsewhere", "tracking=off", "data.archive=x.tar", "data.root=there",
     "data.cache=c", "evaluation.batch_size=1", "training.checkpoint_minutes=0", "rerun=all", "allow_changes=true",
     "comparison.contrasts=[[mish,relu]]", "sweep.position='1 of 2'", "training.jit_compile=true"],
)  # fmt: skip
def test_paths_threads_and_tracking_do_not_change_the_identity(override: str) -> None:
    assert identity_of(config_of(override)) == identity_of(config_of())


def test_the_arguments_of_an_optimizer_change_the_identity() -> None:
    assert identity_of(config_of("optimizer=adamw")) != identity_of(
        config_of("optimizer=adamw", "optimizer.weight_decay=1e-2")
    )
    assert identity_of(config_of("optimizer.learning_rate=1")) == identity_of(config_of("optimizer.learning_rate=1.0"))


@pytest.mark.parametrize(
    ("options", "another"),
    [
        (["optimizer=adam"], ["+optimizer.amsgrad=true"]),
        (["optimizer=adam", "+optimizer.amsgrad=false"], ["optimizer.amsgrad=true"]),
        (["optimizer=adam_amsgrad"], ["~optimizer.amsgrad"]),
        (
            ["upsampling.name=own", "upsampling._target_=my_parts.Up", "plugins=[my_parts]"],
            ["~upsampling.interpolation"],
        ),
    ],
)
def test_an_option_does_not_have_the_arguments_of_the_first_one(options: list[str], another: list[str]) -> None:
    values = [OmegaConf.to_container(composed(each), resolve=True) for each in (options, [*options, *another])]
    first, second = (identity({str(key): value for key, value in dict(config).items()}) for config in values)
    assert first != second


def test_an_argument_of_one_s_own_network_is_not_taken_for_a_renamed_key() -> None:
    config = resolved(config_of())
    own = [{**config, "model": {**config["model"], "norm_momentum": value}} for value in (0.5, 0.9)]
    assert len({identity(each) for each in (config, *own)}) == 3


def test_the_identity_of_an_existing_run_has_not_changed() -> None:
    config = config_of("experiment=small", "label_type=regions", "data.archive=x.tar")
    assert config.run_name == "regions-relu-seed0-7e4cc952"  # docs/studies/2026-11-24-small


@pytest.mark.parametrize("fastest", ["float32", "mixed_bfloat16"])
def test_automatic_precision_is_recorded_as_resolved(fastest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activation_study.validation.fastest_precision", lambda: fastest)
    config = config_of("training.precision=auto")
    assert config.training.precision == fastest
    assert identity_of(config) == identity_of(config_of(f"training.precision={fastest}"))


def test_a_job_on_another_machine_uses_the_planned_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activation_study.validation.fastest_precision", lambda: "float32")
    config = config_of("training.precision=auto", "sweep.precision=mixed_bfloat16")
    assert config.training.precision == "mixed_bfloat16"
    assert config_of("training.precision=float32", "sweep.precision=mixed_bfloat16").training.precision == "float32"


@pytest.mark.parametrize(("value", "expected"), [("auto", "auto"), ("true", True), ("false", False)])
def test_jit_compile_is_auto_true_or_false(value: str, expected: object) -> None:
    assert config_of(f"training.jit_compile={value}").training.jit_compile == expected


def test_one_image_size_is_the_same_as_two_equal_sides() -> None:
    assert identity_of(config_of("data.image_size=64")) == identity_of(config_of("data.image_size=[64,64]"))


def test_an_experiment_sets_its_study() -> None:
    assert config_of("experiment=demo").study == "demo"
    assert config_of("experiment=small").run_folder.parent == Path("multirun/small")


def test_a_network_whose_option_has_no_encoder_weights_is_taken() -> None:
    values = composed([])
    with open_dict(values.model):
        del values.model["encoder_weights"]
    assert "encoder_weights" not in from_hydra(values).model


def test_what_is_chosen_on_validation_is_no_option_of_what_is_compared() -> None:
    chosen = "comparison.chosen_on_validation=optimizer.learning_rate"
    assert config_of(chosen).comparison.chosen_on_validation
    with pytest.raises(BadInput, match="it is an option of what is compared, optimizer"):
        config_of(chosen, "comparison.factor=optimizer")


def test_the_ranges_of_built_in_classes_do_not_bind_others() -> None:
    own = ("schedule._target_=my.Own", "schedule.factor=2", "model._target_=my.net", "model.widths=[8]")
    assert config_of(*own, "~model.encoder_blocks", "data.image_size=33").image_size == (33, 33)


def test_contrasts_are_at_most_five_pairs_of_different_activations() -> None:
    assert config_of("comparison.contrasts=[[mish,relu],[frelu,relu]]").comparison.contrasts[1] == ["frelu", "relu"]
    with pytest.raises(BadInput) as error:
        config_of(f"comparison.contrasts=[[mish,mish],[relu],{','.join(['[mish,relu]'] * 4)}]")
    for message in (
        "6 contrasts, expected 5 or fewer",
        "['mish', 'mish']: expected two different",
        "['relu']: expected two",
    ):
        assert message in str(error.value)


def test_affects_result_distinguishes_keys() -> None:
    assert affects_result("training.epochs")
    assert affects_result("activation.layer.kernel_size")
    assert affects_result("data.split")
    for key in ("training.checkpoint_minutes", "data.root", "threads", "comparison.contrasts", "data.split_seeds"):
        assert not affects_result(key)


def test_the_controls_experiment_contrasts_only_activations_that_it_trains() -> None:
    config = config_of("experiment=controls")
    experiment = yaml.safe_load((CONF / "experiment/controls.yaml").read_text())
    trained = experiment["hydra"]["sweeper"]["params"]["activation"].split(",")
    assert len(config.comparison.contrasts) == 5
    assert {name for pair in config.comparison.contrasts for name in pair} <= set(trained)
    for name in trained:
        assert config_of(f"activation={name}").activation.name == name


def test_the_protocol_experiment_uses_every_protocol_once() -> None:
    experiment = yaml.safe_load((CONF / "experiment/protocol.yaml").read_text())
    names = experiment["hydra"]["sweeper"]["params"]["protocol"].split(",")
    assert sorted(f"protocol={name}" for name in names) == sorted(
        option for option in OPTIONS if option.startswith("protocol=")
    )
    identities = {name: identity_of(config_of("experiment=protocol", f"protocol={name}")) for name in names}
    assert len(set(identities.values())) == len(names)
    assert identities["article"] == identity_of(config_of("experiment=protocol"))


def test_the_precision_experiment_trains_each_run_in_both_precisions() -> None:
    experiment = yaml.safe_load((CONF / "experiment/precision.yaml").read_text())
    names = experiment["hydra"]["sweeper"]["params"]["training.precision"].split(",")
    assert names == ["float32", "mixed_bfloat16"]
    float32, bf16 = (identity_of(config_of("experiment=precision", f"training.precision={name}")) for name in names)
    assert float32 == identity_of(config_of("experiment=small", "label_type=regions"))
    assert float32 != bf16


def test_only_keys_that_affect_training_can_be_chosen_on_validation() -> None:
    config = config_of("comparison.chosen_on_validation=training.learning_rate")
    assert config.comparison.chosen_on_validation == "optimizer.learning_rate"
    for key in ("data.split", "seed", "training.checkpoint_minutes", "training.nonsense_"):
        with pytest.raises(BadInput, match=f"chosen_on_validation={key}: expected a key that affects training"):
            config_of(f"comparison.chosen_on_validation={key}")


def test_questions_are_one_for_each_contrast() -> None:
    with pytest.raises(BadInput, match="1 given, expected 2, one for each contrast"):
        config_of("comparison.contrasts=[[mish,relu],[frelu,relu]]", "comparison.questions=[why]")


def test_own_classes_are_in_the_configuration_and_change_the_identity(tmp_path: Path) -> None:
    config = config_of("data=folder", *own_data(tmp_path))
    assert (config.label_type.name, config.data.label_interpolation) == ("own", "nearest")
    assert [entry["name"] for entry in config.data.classes["classes"]] == ["a", "b"]
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    assert identity_of(config_of("data=folder", *own_data(moved))) == identity_of(config)
    other = config_of("data=folder", *own_data(moved, "[{name: a, id: 0}, {name: b, id: 2}]"))
    assert identity_of(other) != identity_of(config)


def test_own_classes_require_own_data_and_the_reverse(tmp_path: Path) -> None:
    for overrides, message in (
        (
            ["data=folder", *own_data(tmp_path), "label_type=regions"],
            r"label_type\.name=regions with data\.format=folder",
        ),
        (["label_type=own"], r"label_type\.name=own with data\.format=iccv09"),
        (["data=scenes", "data.images=x"], r"data\.images: allowed only with data=folder"),
        (["data=folder", "data.images=x"], "data.labels: required with data.format=folder"),
    ):
        with pytest.raises(BadInput, match=message):
            config_of(*overrides)


def test_the_names_in_split_files_change_the_identity(tmp_path: Path) -> None:
    for part, name in (("train", "a"), ("validation", "b"), ("test", "c")):
        (tmp_path / f"{part}.txt").write_text(name)
    overrides = ("data.split=files", f"data.split_files={tmp_path}")
    before = config_of(*overrides)
    assert identity_of(before) != identity_of(config_of())
    (tmp_path / "train.txt").write_text("d")
    assert identity_of(config_of(*overrides)) != identity_of(before)
    with pytest.raises(BadInput, match=r"expected data\.split=files together with data\.split_files=FOLDER"):
        config_of("data.split=files")


def test_later_keys_did_not_change_the_identity_of_the_default_run() -> None:
    assert identity_of(config_of()) == "e52bce5d"


def test_a_pattern_of_groups_is_checked_and_changes_the_identity() -> None:
    config = config_of("data.groups='^(.)'")
    assert config.data.groups == "^(.)"
    assert affects_result("data.groups")
    assert len({identity_of(each) for each in (config, config_of(), config_of("data.groups='^(..)'"))}) == 3
    assert identity_of(config_of("data.groups=null")) == identity_of(config_of())
    with pytest.raises(BadInput, match=r"data\.groups=\^\(\.: not a regular expression: missing \), .*data.groups=gr"):
        config_of("data.groups='^(.'")


def test_the_rows_of_a_file_of_groups_change_the_identity_and_its_path_does_not(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.csv", "same.csv", "other.CSV")]
    for path, text in zip(paths, ("a,x\nb,y\n", "b,y\na,x\n", "a,x\nb,x\n"), strict=True):
        path.write_text(f"image,group\n{text}")
    one, same, other = (config_of(f"data.groups={path}") for path in paths)
    assert identity_of(one) == identity_of(same) != identity_of(other)
    assert identity_of(one) != identity_of(config_of())
    assert (one.data.groups, one.data.groups_file) == (None, str(paths[0]))
    assert not affects_result("data.groups_file")
    with pytest.raises(BadInput, match=r"both given: expected data\.groups alone"):
        config_of(f"data.groups_file={paths[0]}", "data.groups='^a'")
    with pytest.raises(BadInput, match=r"none\.csv: No such file.*Expected a first line `image,group`"):
        config_of(f"data.groups={tmp_path / 'none.csv'}")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.channels=9", "data.channels=9: expected 1 to 8"),
        ("data.channels=0", "data.channels=0: expected 1 or more"),
        ("data.channels=4", "data.channels=4: the images of data.format=scenes are colours: expected 3 or 1"),
        ("data.value_range=[0,4095]", "data.value_range=[0.0, 4095.0]: allowed only with data=folder"),
    ],
)
def test_channels_and_range_fit_the_data_set(override: str, message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        config_of("data=scenes", override)


@pytest.mark.parametrize("value_range", ["[1,0]", "[0]", "[0,1,2]", "[0,inf]", "[nan,1]"])
def test_a_range_is_two_numbers(value_range: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"expected two numbers, the smaller first, e.g. \[0,4095\]"):
        config_of("data=folder", *own_data(tmp_path), f"data.value_range={value_range}")


def test_channels_and_range_decide_the_identity_only_if_they_are_not_the_usual(tmp_path: Path) -> None:
    own = ["data=folder", *own_data(tmp_path)]
    usual = identity_of(config_of(*own))
    assert usual == identity_of(config_of(*own, "data.channels=3", "data.value_range=null"))
    others = ["data.channels=1", "data.channels=4", "data.value_range=[0,4095]", "data.value_range=[0,255]"]
    assert len({usual, *(identity_of(config_of(*own, each)) for each in others)}) == 5
    assert identity_of(config_of(*own, "data.value_range=[0.0,4095.0]")) == identity_of(
        config_of(*own, "data.value_range=[0,4095]")
    )

"""Checks a configuration, as far as possible without data and heavy imports.

Modules below this one take no `DictConfig`.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from activation_study import energy, plugins
from activation_study.config.component_problems import (
    COMPONENT_GROUPS,
    component_problems,
    is_built_in,
    make_floats,
    weights_file_digest,
)
from activation_study.config.contrasts import as_pairs, contrast_problems
from activation_study.config.factor import factor_of, factor_problem, without_alias
from activation_study.config.fields import declared, value_of
from activation_study.config.identity import affects_result, flatten, is_safe_name
from activation_study.config.places import empty_places, expand_home
from activation_study.config.planned_seeds import look_problem
from activation_study.config.schema import OWN_FORMATS, Config, Data, Tracking, resolved
from activation_study.config.tracking_uri import ignore_empty_variable, uri_error
from activation_study.config.tuning import tuning_problems
from activation_study.data.image_set import image_names
from activation_study.data.images.image_io import MAX_CHANNELS
from activation_study.data.labels.class_list import read_classes
from activation_study.data.splitting.folder_splits import automatic_split, automatic_split_of
from activation_study.data.splitting.groups import groups_digest, is_groups_file, pattern_error, read_groups
from activation_study.data.splitting.split_files import read_split_files, split_digest
from activation_study.errors import BadInput, alternatives, problems_message
from activation_study.hardware import fastest_precision
from activation_study.location import command, install_hint

# Groups whose keys can be chosen on the validation split.
SELECTABLE_GROUPS = ("training.", *(f"{group}." for group in COMPONENT_GROUPS))


def from_hydra(composed: DictConfig, name: str = "train") -> Config:
    """Converts Hydra's configuration of one run to dataclasses and checks it.

    Args:
        composed: by Hydra.
        name: of the command, for its messages.

    Raises:
        BadInput: lists every invalid value, what was expected, and a hint.
    """
    schema = OmegaConf.get_type(composed)  # `Config`, or that of a command with further keys
    fields = getattr(schema, "__dataclass_fields__", Config.__dataclass_fields__)
    unknown = [key for key in composed if key not in fields]
    if unknown:
        raise BadInput(
            problems_message("Unknown keys", map(str, unknown), f"`{command(name)} --cfg job` shows all keys.")
        )
    missing = sorted(OmegaConf.missing_keys(composed))
    if missing:
        raise BadInput(problems_message("Values are missing", missing, "Give each as KEY=VALUE."))
    ignore_empty_variable()
    config = OmegaConf.to_object(composed)
    assert isinstance(config, Config)
    plugins.allow(config.plugins)
    expand_home(config)
    return validate(config, "The configuration", f"`{command(name)} --cfg job` shows all values.")


def validate(config: Config, what: str, hint: str) -> Config:
    """Checks all values of a configuration, reads the files it names and resolves aliases and `auto`.

    Args:
        config: changed in place.
        what: names the configuration in the error message.
        hint: ends the error message.

    Returns:
        The configuration that was given.

    Raises:
        BadInput: lists every invalid value and what was expected.
    """
    _read_files(config)
    _resolve_aliases(config)
    problems = list(_problems(config))
    if problems:
        raise BadInput(problems_message(f"{what} is invalid", problems, hint))
    config.comparison.contrasts = as_pairs(config.comparison.contrasts)
    config.data.image_size = list(config.image_size)
    if config.training.precision == "auto":
        config.training.precision = config.sweep.precision or fastest_precision()
    return config


def _read_files(config: Config) -> None:
    """Adds the content of the files that the configuration names, so that the record contains it."""
    data = config.data
    if data.classes is not None:
        data.classes = read_classes(data.classes)
    if data.split_files is not None and data.split_digest is None:
        data.split_digest = split_digest(read_split_files(Path(data.split_files)))
    if data.split == "auto":
        data.split = "files" if data.split_files is not None else _automatic_split(data)
    if data.groups is not None and is_groups_file(data.groups):
        data.groups, data.groups_file = None, data.groups
    path = config.model.get("encoder_weights")
    if path is not None and config.model.get("encoder_weights_digest") is None:
        config.model["encoder_weights_digest"] = weights_file_digest(Path(str(path)))
    if data.groups_file is not None and data.groups_digest is None:
        data.groups_digest = groups_digest(read_groups(Path(data.groups_file)))


def _automatic_split(data: Data) -> str:
    if data.format == "plugin" and data.source.get("_target_"):
        return automatic_split_of(image_names(data))
    return automatic_split(data.images)


def _resolve_aliases(config: Config) -> None:
    """Moves `training.learning_rate` to `optimizer.learning_rate`."""
    if config.training.learning_rate is not None:
        config.optimizer["learning_rate"], config.training.learning_rate = config.training.learning_rate, None
    make_floats(config)
    if config.activation.scope == "auto":
        config.activation.scope = "decoder" if config.model.get("encoder_weights") else "all"
    tuning, comparison = config.tuning, config.comparison
    spaces = tuning.spaces.values() if isinstance(tuning.spaces, dict) else ()
    for given in (each for each in (tuning.space, *spaces) if isinstance(each, dict)):
        for key in [key for key in given if without_alias(key) != key]:
            given[without_alias(key)] = given.pop(key)
    if comparison.chosen_on_validation:
        comparison.chosen_on_validation = without_alias(comparison.chosen_on_validation)
    if isinstance(comparison.factor, str):
        comparison.factor = without_alias(comparison.factor)
    elif isinstance(comparison.factor, list):
        comparison.factor = [without_alias(key) for key in comparison.factor]


def _problems(config: Config) -> Iterator[str]:
    for key, declaration in declared(type(config)).items():
        value, allowed, smallest = value_of(config, key), *map(declaration.metadata.get, ("choices", "at_least"))
        if allowed and not any(value == option and type(value) is type(option) for option in allowed):
            names = ("null" if option is None else str(option).lower() for option in allowed)
            yield f"{key}={value}: expected {alternatives(names)}"
        if key.startswith("seeding.") and value == config.seed:
            continue  # reported as seed
        if smallest is not None and value is not None and not value >= smallest:
            yield f"{key}={value}: expected {smallest} or more"
    yield from empty_places(config)
    problems = list(component_problems(config))
    yield from problems
    if not any(problem.startswith("model.widths") for problem in problems):
        levels = len(config.model.get("widths", [0])) if is_built_in(config.model) else 1
        yield from _size_problems(config.data.image_size, 2 ** (levels - 1))
    if config.dry_run and config.sync:
        yield "dry_run=true and sync=true exclude each other: sync copies runs, and dry_run does nothing"
    if config.data.split == "kfold" and config.data.fold >= config.data.folds:
        yield f"data.fold={config.data.fold}: expected a fold below data.folds={config.data.folds}"
    if config.data.groups is not None and (error := pattern_error(config.data.groups)):
        yield error
    if config.data.groups is not None and config.data.groups_file is not None:
        yield "data.groups and data.groups_file are both given: expected data.groups alone, a pattern or a CSV file"
    if config.tracking.uri == "":
        yield "tracking.uri: expected a server's address: tracking.uri=http://…, or the variable MLFLOW_TRACKING_URI"
    elif error := uri_error(config.tracking.uri):
        yield error
    yield from _register_problems(config.tracking)
    if config.tracking.energy and not energy.is_installed():
        yield f"tracking.energy=true: Zeus is not installed: {install_hint('energy')}"
    if config.data.format == "iccv09" and config.data.root is None:
        yield "data.root: required, the data set's folder"
    yield from _own_data_problems(config)
    yield from _image_problems(config.data)
    if config.data.format == "scenes" and (config.data.count is None or config.data.scenes_seed is None):
        yield "data.count and data.scenes_seed: required with data.format=scenes"
    if not str(config.activation.layer.get("_target_", "")):
        yield "activation.layer._target_: required, the layer's class, e.g. keras.layers.ReLU"
    yield from _comparison_problems(config)
    names = (f"{group}.name" for group in ("activation", "data", *COMPONENT_GROUPS, "augmentation"))
    for key in ("study", *names, "sweep.label"):
        name = str(value_of(config, key))
        if not is_safe_name(name) and (name or key != "sweep.label"):
            yield f"{key}={name}: expected only letters, digits, '-', '_' and '.', since it is used as a directory name"


def _register_problems(tracking: Tracking) -> Iterator[str]:
    name = tracking.register
    if name is None:
        return
    if not is_safe_name(name):
        yield f"tracking.register={name}: expected a name of letters, digits, '-', '_' and '.'"
    if tracking.uri is None:
        yield f"tracking.register={name}: a model is registered in an MLflow store; set tracking.uri, or leave it out"
    if tracking.weights == "none":
        yield f"tracking.register={name}: there is no model with tracking.weights=none; expected tracking.weights=best"


def _own_data_problems(config: Config) -> Iterator[str]:
    data, folder = config.data, config.data.format == "folder"
    own = data.format in OWN_FORMATS
    for key in ("images", "labels"):
        if folder and getattr(data, key) is None:
            yield f"data.{key}: required with data.format=folder"
    for key in ("images", "labels", "image_suffix", "label_suffix"):
        if not folder and getattr(data, key) is not None:
            yield f"data.{key}: allowed only with data=folder"
    if own and data.classes is None and not (folder and getattr(config, "write_classes", None)):
        finds = f"; `{command('inspect')} … write_classes=FILE` finds the classes in the label images" if folder else ""
        yield f"data.classes: required with data.format={data.format}{finds}"
    if not own and data.classes is not None:
        yield "data.classes: allowed only with data=folder or data.format=plugin"
    for key in ("name", "root"):
        if key in data.source:
            yield f"data.source.{key}: not an argument of an image set; expected data.{key}"
    if (data.format == "plugin") != bool(data.source.get("_target_")):
        given = f"data.format={data.format}, data.source._target_={data.source.get('_target_')}"
        yield f"{given}: expected data.format=plugin together with data.source._target_, the class of an image set"
    if data.split == "folders" and not own:
        yield f"data.split=folders with data.format={data.format}: allowed only with data=folder or data.format=plugin"
    if own != (config.label_type.name == "own"):
        given = f"label_type.name={config.label_type.name} with data.format={data.format}"
        yield f"{given}: expected label_type=own with data=folder or data.format=plugin, and only there"
    if (data.split == "files") != (data.split_files is not None):
        given = f"data.split={data.split}, data.split_files={data.split_files}"
        yield f"{given}: expected data.split=files together with data.split_files=FOLDER"


def _image_problems(data: Data) -> Iterator[str]:
    low_high = data.value_range
    if data.channels > MAX_CHANNELS:
        yield f"data.channels={data.channels}: expected 1 to {MAX_CHANNELS}"
    if data.format != "folder":
        if data.format != "plugin" and data.channels not in (1, 3):
            yield f"data.channels={data.channels}: the images of data.format={data.format} are colours: expected 3 or 1"
        if low_high is not None:
            yield f"data.value_range={low_high}: allowed only with data=folder; other data sets have images of 8 bits"
    elif low_high is not None:
        numbers = all(isinstance(value, int | float) and math.isfinite(value) for value in low_high)
        if len(low_high) != 2 or not numbers or low_high[0] >= low_high[1]:
            yield f"data.value_range={low_high}: expected two numbers, the smaller first, e.g. [0,4095]"


def _comparison_problems(config: Config) -> Iterator[str]:
    comparison = config.comparison
    if comparison.factor is not None and (problem := factor_problem(comparison.factor, resolved(config))):
        yield problem
    yield from contrast_problems(comparison.contrasts)
    if comparison.questions and len(comparison.questions) != len(comparison.contrasts):
        expected = f"expected {len(comparison.contrasts)}, one for each contrast"
        yield f"comparison.questions: {len(comparison.questions)} given, {expected}"
    if comparison.margin is not None and not 0 < comparison.margin <= 100:
        yield f"comparison.margin={comparison.margin:g}: expected points of mean IoU above 0, e.g. 1.0; or null"
    if problem := look_problem(comparison.looks):
        yield problem
    if not 0 <= comparison.futility < 1:
        expected = "expected a probability of at least 0 and below 1; 0 never gives up"
        yield f"comparison.futility={comparison.futility:g}: {expected}"
    key, values = comparison.chosen_on_validation, resolved(config)
    selectable = [name for name in flatten(values) if name.startswith(SELECTABLE_GROUPS) and affects_result(name)]
    tunable = [*selectable, *(name for name in flatten(values) if name.startswith("augmentation."))]
    yield from tuning_problems(values["tuning"], values, factor_of([values]), tunable)
    if key is not None and key not in selectable:
        expected = "expected a key that affects training, e.g. optimizer.learning_rate"
        yield f"comparison.chosen_on_validation={key}: {expected}"
    elif key is not None and comparison.factor is not None and factor_of([values]).includes(key):
        yield f"comparison.chosen_on_validation={key}: it is an option of what is compared, {comparison.factor}"


def _size_problems(size: Any, multiple: int) -> Iterator[str]:
    sides = [size, size] if isinstance(size, int) else size
    whole = isinstance(sides, list) and all(isinstance(side, int) and not isinstance(side, bool) for side in sides)
    if not whole or len(sides) != 2:
        yield f"data.image_size={size}: expected one number, or [height,width]"
    elif any(side < multiple or side % multiple for side in sides):
        near = ([max(rounded(side / multiple), 1) * multiple for side in sides] for rounded in (math.floor, math.ceil))
        examples = alternatives(dict.fromkeys(map(str, near)))
        yield f"data.image_size={size}: expected multiples of {multiple}, e.g. {examples}"

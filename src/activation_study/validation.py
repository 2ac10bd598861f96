"""Every check of a configuration that needs neither data nor a heavy import.

Below this module nobody sees a `DictConfig`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from activation_study.config.identity import affects_result, flatten, is_safe_name
from activation_study.config.schema import Config, Model, declared, resolved, value_of
from activation_study.data.class_list import read_classes
from activation_study.data.split_files import read_split_files, split_digest
from activation_study.errors import BadInput, problems_message
from activation_study.hardware import fastest_precision

# Groups with a key whose value can be chosen on validation.
CHOOSABLE = ("training.", "optimizer.", "schedule.", "loss.", "normalization.", "model.")
MOST_CONTRASTS = 5  # each more asks for more seeds (Holm's correction)


def from_hydra(composed: DictConfig) -> Config:
    """The plain configuration of one run.

    Raises:
        BadInput: naming every value that cannot be used, what was expected, and the mend.
    """
    unknown = [key for key in composed if key not in Config.__dataclass_fields__]
    if unknown:
        raise BadInput(
            problems_message("No keys of the configuration", map(str, unknown), "`python train.py --cfg job`.")
        )
    missing = sorted(OmegaConf.missing_keys(composed))
    if missing:
        raise BadInput(problems_message("The configuration lacks values", missing, "Give each as KEY=VALUE."))
    config = OmegaConf.to_object(composed)
    assert isinstance(config, Config)
    return validate(config, "The configuration", "`python train.py --cfg job` shows all values.")


def validate(config: Config, what: str, mend: str) -> Config:
    """A configuration whose values have been checked, with what its files say in place of their paths.

    Args:
        config: changed in place.
        what: it is, for the message.
        mend: likewise.

    Raises:
        BadInput: as `checked`.
    """
    _take_in_files(config)
    _take_in_aliases(config)
    problems = list(_problems(config))
    if problems:
        raise BadInput(problems_message(f"{what} cannot be used", problems, mend))
    config.data.image_size = list(config.image_size)
    if config.training.precision == "auto":
        config.training.precision = config.sweep.precision or fastest_precision()
    return config


def _take_in_files(config: Config) -> None:
    """Puts what the configuration's files say in place of their paths, so that a record has it."""
    data = config.data
    if data.classes is not None:
        data.classes = read_classes(data.classes)
    if data.split_files is not None and data.split_digest is None:
        data.split_digest = split_digest(read_split_files(Path(data.split_files)))


def _take_in_aliases(config: Config) -> None:
    """Puts `training.learning_rate` where it belongs."""
    if config.training.learning_rate is not None:
        config.optimizer.learning_rate, config.training.learning_rate = config.training.learning_rate, None
    if config.comparison.chosen_on_validation == "training.learning_rate":
        config.comparison.chosen_on_validation = "optimizer.learning_rate"


def _problems(config: Config) -> Iterator[str]:
    for key, declaration in declared().items():
        value, allowed, smallest = value_of(config, key), *map(declaration.metadata.get, ("choices", "at_least"))
        if allowed and not any(value == each and type(value) is type(each) for each in allowed):
            yield f"{key}={value}: expected {' or '.join(str(each).lower() for each in allowed)}"
        if key.startswith("seeding.") and value == config.seed:
            continue  # it is that one
        if smallest is not None and value is not None and not value >= smallest:
            yield f"{key}={value}: expected {smallest} or more"
    yield from _model_problems(config.model)
    yield from _size_problems(config.data.image_size, 2 ** (len(config.model.widths) - 1))
    if not 0 < config.optimizer.learning_rate < float("inf"):
        yield f"optimizer.learning_rate={config.optimizer.learning_rate}: expected a number above 0"
    if not 0 < config.schedule.factor < 1:
        yield f"schedule.factor={config.schedule.factor}: expected a number between 0 and 1"
    if not 0 <= config.normalization.momentum < 1:
        yield f"normalization.momentum={config.normalization.momentum}: expected a number from 0 to below 1"
    if config.data.split == "kfold" and config.data.fold >= config.data.folds:
        yield f"data.fold={config.data.fold}: expected a fold below data.folds={config.data.folds}"
    if config.tracking.uri == "":
        yield "tracking.uri: expected a server's address, tracking.uri=http://…, or in MLFLOW_TRACKING_URI"
    if config.data.format == "iccv09" and not config.data.root:
        yield "data.root: expected the data set's folder"
    yield from _own_data_problems(config)
    if config.data.format == "scenes" and (config.data.count is None or config.data.scenes_seed is None):
        yield "data.count and data.scenes_seed: expected with data.format=scenes"
    if not str(config.activation.layer.get("_target_", "")):
        yield "activation.layer._target_: expected the layer's class, e.g. keras.layers.ReLU"
    yield from _comparison_problems(config)
    for key in ("study", "activation.name", "data.name", "model.name"):
        name = str(value_of(config, key))
        if not is_safe_name(name):
            yield f"{key}={name}: expected letters, digits, '-', '_' and '.', since it becomes a name of a folder"


def _own_data_problems(config: Config) -> Iterator[str]:
    data, folder = config.data, config.data.format == "folder"
    for key in ("images", "labels", "classes"):
        value = getattr(data, key)
        if folder and not value:
            yield f"data.{key}: expected with data.format=folder"
        if not folder and value:
            yield f"data.{key}: only data=folder has it"
    if folder != (config.label_type.name == "own"):
        given = f"label_type.name={config.label_type.name} with data.format={data.format}"
        yield f"{given}: expected label_type=own with data=folder, and with no other"
    if (data.split == "files") != (data.split_files is not None):
        given = f"data.split={data.split}, data.split_files={data.split_files}"
        yield f"{given}: expected data.split=files together with data.split_files=FOLDER"


def _comparison_problems(config: Config) -> Iterator[str]:
    comparison = config.comparison
    yield from contrast_problems(comparison.contrasts)
    if comparison.questions and len(comparison.questions) != len(comparison.contrasts):
        expected = f"expected one for each of {len(comparison.contrasts)} contrasts"
        yield f"comparison.questions: {len(comparison.questions)}, {expected}"
    key = comparison.chosen_on_validation
    known = [each for each in flatten(resolved(config)) if each.startswith(CHOOSABLE) and affects_result(each)]
    if key is not None and key not in known:
        yield f"comparison.chosen_on_validation={key}: expected a key of training, e.g. optimizer.learning_rate"


def contrast_problems(contrasts: list[list[str]]) -> Iterator[str]:
    """What is wrong with the declared contrasts."""
    if len(contrasts) > MOST_CONTRASTS:
        yield f"comparison.contrasts: {len(contrasts)} pairs, expected {MOST_CONTRASTS} or fewer: declare what is asked"
    for pair in contrasts:
        if len(pair) != 2 or pair[0] == pair[1]:
            yield f"comparison.contrasts: {pair}: expected two different activations, e.g. [mish,relu]"


def _model_problems(model: Model) -> Iterator[str]:
    levels = len(model.widths)
    if levels < 2:
        yield f"model.widths={model.widths}: expected two levels or more"
    for key, values, length in (
        ("widths", model.widths, levels),
        ("encoder_blocks", model.encoder_blocks, levels),
        ("decoder_blocks", model.decoder_blocks, levels - 1),
    ):
        if len(values) != length:
            yield f"model.{key}={values}: expected {length} numbers beside {levels} widths"
        if any(value < 1 for value in values):
            yield f"model.{key}={values}: expected numbers of 1 or more"


def _size_problems(size: Any, multiple: int) -> Iterator[str]:
    sides = [size, size] if isinstance(size, int) else size
    whole = isinstance(sides, list) and all(isinstance(side, int) and not isinstance(side, bool) for side in sides)
    if not whole or len(sides) != 2:
        yield f"data.image_size={size}: expected one number, or [height,width]"
    elif any(side < multiple or side % multiple for side in sides):
        down, up = ([max(f(side / multiple), 1) * multiple for side in sides] for f in (int, lambda x: -int(-x // 1)))
        yield f"data.image_size={size}: expected multiples of {multiple}, e.g. {down} or {up}"

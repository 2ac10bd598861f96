"""The typed configuration, and every check that needs no data.

Hydra composes `conf/` into these dataclasses (unknown keys and wrong types fail there); `checked` turns
the result into plain objects or raises one `BadInput` that lists every fault. Below this module nobody
sees a `DictConfig`.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import MISSING, DictConfig, OmegaConf

from activation_study.errors import BadInput, faults_message

# Raised whenever a change of the code changes what a configuration measures (docs/PROTOCOL.md).
PROTOCOL_VERSION = 1


@dataclass
class Activation:
    """One activation: the layer's class (`_target_`) and arguments, and where it is used."""

    name: str = MISSING
    layer: dict[str, Any] = field(default_factory=dict)
    places: str = "all"


@dataclass
class LabelType:
    """Which labels are learned."""

    name: str = MISSING
    border_width: int = 2


@dataclass
class Data:
    """The data set, its preparation and its split."""

    name: str = MISSING
    kind: str = MISSING
    root: str | None = None
    archive: str | None = None
    addresses: list[str] = field(default_factory=list)
    digest: str | None = None
    count: int | None = None
    scenes_seed: int | None = None
    cache: str = MISSING
    image_size: Any = MISSING
    color: str = MISSING
    label_resize: str = MISSING
    split: str = MISSING
    split_seed: int = MISSING
    folds: int = MISSING
    fold: int = MISSING


@dataclass
class Model:
    """The U-Net's shape."""

    name: str = MISSING
    widths: list[int] = MISSING
    encoder_blocks: list[int] = MISSING
    decoder_blocks: list[int] = MISSING
    norm_momentum: float = MISSING


@dataclass
class Plateau:
    """When the learning rate falls: as Keras' ReduceLROnPlateau."""

    factor: float = MISSING
    patience: int = MISSING
    min_delta: float = MISSING


@dataclass
class Stopping:
    """When training ends early: as Keras' EarlyStopping."""

    patience: int = MISSING
    min_delta: float = MISSING


@dataclass
class Training:
    """How a network is trained."""

    epochs: int = MISSING
    batch_size: int = MISSING
    learning_rate: float = MISSING
    precision: str = MISSING
    monitor: str = MISSING
    plateau: Plateau = field(default_factory=Plateau)
    stopping: Stopping = field(default_factory=Stopping)
    unknown_pixels: str = MISSING
    loss_over: str = MISSING


@dataclass
class Evaluation:
    """How the best weights are scored."""

    resize: str = MISSING
    batch_size: int = MISSING


@dataclass
class Seeding:
    """The seed of each source of randomness."""

    weights: int = MISSING
    order: int = MISSING


@dataclass
class Tracking:
    """Where the mirror is."""

    uri: str | None = None
    weights: str = MISSING


@dataclass
class Config:
    """One run."""

    activation: Activation = field(default_factory=Activation)
    label_type: LabelType = field(default_factory=LabelType)
    data: Data = field(default_factory=Data)
    model: Model = field(default_factory=Model)
    training: Training = field(default_factory=Training)
    evaluation: Evaluation = field(default_factory=Evaluation)
    seeding: Seeding = field(default_factory=Seeding)
    tracking: Tracking = field(default_factory=Tracking)
    experiment: Any = None
    study: str = MISSING
    seed: int = MISSING
    threads: int | None = None
    folder: str = MISSING
    position: str = ""  # "3 of 15": set by a sweep for its jobs, shown by their progress bars

    @property
    def run_name(self) -> str:
        """The run's name and folder: the same for the same command."""
        return f"{self.label_type.name}-{self.activation.name}-seed{self.seed}-{identity(self)}"

    @property
    def run_folder(self) -> Path:
        """Where the run is written."""
        return Path(self.folder) / self.study / self.run_name

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the network's input in pixels."""
        size = self.data.image_size
        return (size, size) if isinstance(size, int) else (size[0], size[1])


CHOICES = {
    "activation.places": ("all", "encoder", "decoder"),
    "label_type.name": ("regions", "surfaces", "layers"),
    "data.kind": ("iccv09", "scenes"),
    "data.color": ("bgr", "rgb"),
    "data.label_resize": ("bilinear", "nearest"),
    "data.split": ("sorted", "shuffled", "kfold"),
    "training.precision": ("float32", "mixed_bfloat16", "mixed_float16"),
    "training.monitor": ("loss", "val_loss"),
    "training.unknown_pixels": ("article", "ignored"),
    "training.loss_over": ("all_pixels", "known_pixels"),
    "evaluation.resize": ("lanczos4", "bilinear"),
    "tracking.weights": ("best", "none"),
}
AT_LEAST = {
    "seed": 0,
    "threads": 1,
    "label_type.border_width": 1,
    "data.count": 5,
    "data.scenes_seed": 0,
    "data.split_seed": 0,
    "data.folds": 3,
    "data.fold": 0,
    "training.epochs": 1,
    "training.batch_size": 1,
    "training.plateau.patience": 0,
    "training.plateau.min_delta": 0,
    "training.stopping.patience": 0,
    "training.stopping.min_delta": 0,
    "evaluation.batch_size": 1,
    "seeding.weights": 0,
    "seeding.order": 0,
}
# What decides a run's result; paths, threads, tracking and the study's name do not.
IDENTITY_KEYS = (
    "activation",
    "label_type",
    *(f"data.{key}" for key in ("name", "kind", "count", "scenes_seed", "image_size", "color", "label_resize")),
    *(f"data.{key}" for key in ("split", "split_seed", "folds", "fold")),
    "model",
    "training",
    "evaluation.resize",
    "seed",
    "seeding",
)


def checked(composed: DictConfig) -> Config:
    """The plain configuration of one run.

    Raises:
        BadInput: naming every value that cannot be used, what was expected, and the mend.
    """
    unknown = [key for key in composed if key not in Config.__dataclass_fields__]
    if unknown:
        raise BadInput(
            faults_message("No keys of the configuration", map(str, unknown), "`python train.py --cfg job`.")
        )
    missing = sorted(OmegaConf.missing_keys(composed))
    if missing:
        raise BadInput(faults_message("The configuration lacks values", missing, "Give each as KEY=VALUE."))
    config = OmegaConf.to_object(composed)
    assert isinstance(config, Config)
    faults = list(_faults(config))
    if faults:
        raise BadInput(
            faults_message("The configuration cannot be used", faults, "`python train.py --cfg job` shows all values.")
        )
    config.data.image_size = list(config.image_size)
    return config


def _faults(config: Config) -> Iterator[str]:
    for key, allowed in CHOICES.items():
        value = value_of(config, key)
        if value not in allowed:
            yield f"{key}={value}: expected {' or '.join(allowed)}"
    for key, smallest in AT_LEAST.items():
        value = value_of(config, key)
        if value is not None and not value >= smallest:
            yield f"{key}={value}: expected {smallest} or more"
    yield from _model_faults(config.model)
    yield from _size_faults(config.data.image_size, 2 ** (len(config.model.widths) - 1))
    if not 0 < config.training.learning_rate < float("inf"):
        yield f"training.learning_rate={config.training.learning_rate}: expected a number above 0"
    if not 0 < config.training.plateau.factor < 1:
        yield f"training.plateau.factor={config.training.plateau.factor}: expected a number between 0 and 1"
    if not 0 <= config.model.norm_momentum < 1:
        yield f"model.norm_momentum={config.model.norm_momentum}: expected a number from 0 to below 1"
    if config.data.split == "kfold" and config.data.fold >= config.data.folds:
        yield f"data.fold={config.data.fold}: expected a fold below data.folds={config.data.folds}"
    if config.data.kind == "iccv09" and not config.data.root:
        yield "data.root: expected the data set's folder"
    if config.data.kind == "scenes" and (config.data.count is None or config.data.scenes_seed is None):
        yield "data.count and data.scenes_seed: expected with data.kind=scenes"
    if not str(config.activation.layer.get("_target_", "")):
        yield "activation.layer._target_: expected the layer's class, e.g. keras.layers.ReLU"
    for key in ("study", "activation.name", "data.name", "model.name"):
        name = str(value_of(config, key))
        if not name or name.startswith(".") or not all(letter.isalnum() or letter in "-_." for letter in name):
            yield f"{key}={name}: expected letters, digits, '-', '_' and '.', since it becomes a name of a folder"


def _model_faults(model: Model) -> Iterator[str]:
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


def _size_faults(size: Any, multiple: int) -> Iterator[str]:
    sides = [size, size] if isinstance(size, int) else size
    whole = isinstance(sides, list) and all(isinstance(side, int) and not isinstance(side, bool) for side in sides)
    if not whole or len(sides) != 2:
        yield f"data.image_size={size}: expected one number, or [height,width]"
    elif any(side < multiple or side % multiple for side in sides):
        down, up = ([max(f(side / multiple), 1) * multiple for side in sides] for f in (int, lambda x: -int(-x // 1)))
        yield f"data.image_size={size}: expected multiples of {multiple}, e.g. {down} or {up}"


def value_of(config: Config, key: str) -> Any:
    """The value below a dotted key."""
    value: Any = config
    for part in key.split("."):
        value = getattr(value, part)
    return value


def resolved(config: Config) -> dict[str, Any]:
    """The configuration as plain JSON values, without what belongs to one moment only."""
    values = asdict(config)
    del values["position"], values["experiment"]
    return values


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted keys: {"a": {"b": 1}} → {"a.b": 1}."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        result.update(flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return result


def identity(config: Config) -> str:
    """Eight hex digits of a hash of what decides the result (`IDENTITY_KEYS`, the protocol's version)."""
    values: dict[str, Any] = {"protocol": PROTOCOL_VERSION}
    for key in IDENTITY_KEYS:
        value = value_of(config, key)
        values[key] = asdict(value) if hasattr(value, "__dataclass_fields__") else value
    values["data.image_size"] = list(config.image_size)
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]

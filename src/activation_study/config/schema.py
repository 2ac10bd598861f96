"""The typed configuration, what of it decides a result, and the run's name and folder.

Hydra composes `conf/` into these dataclasses: unknown keys and wrong types fail there. `checks.checked` hands
them out as plain objects.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import MISSING

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
    images: str | None = None
    labels: str | None = None
    classes: Any = None
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
    split_files: str | None = None
    split_digest: str | None = None
    remove_duplicates: bool = False


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
    augmentation: str = "none"
    jit_compile: Any = "auto"
    checkpoint_minutes: float = 5


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
    augmentation: int = 0


@dataclass
class Comparison:
    """What the study asks.

    Args:
        contrasts: pairs of activations: [[a, b], …] asks whether a is above b.
        questions: what each of them asks, in words.
        chosen_on_validation: a key, of `training` or `model`, whose value is chosen for each activation.
    """

    contrasts: list[list[str]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    chosen_on_validation: str | None = None


@dataclass
class Tracking:
    """Where the mirror is."""

    uri: str | None = None
    weights: str = MISSING


@dataclass
class Sweep:
    """What a sweep tells each of its jobs: its place ("3 of 15"), the code at the sweep's start, and what an automatic
    precision came to where it was planned.
    """

    position: str = ""
    code: str | None = None
    precision: str = ""


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
    comparison: Comparison = field(default_factory=Comparison)
    tracking: Tracking = field(default_factory=Tracking)
    experiment: Any = None
    study: str = MISSING
    seed: int = MISSING
    threads: int | None = None
    folder: str = MISSING
    rerun: str = "failed"
    allow_changes: bool = False
    plan: bool = False
    mirror: bool = False
    sweep: Sweep = field(default_factory=Sweep)
    suffix: str = ""  # of the run's name; set by a reproduction

    @property
    def run_name(self) -> str:
        """The run's name and folder: the same for the same command."""
        return f"{self.label_type.name}-{self.activation.name}-seed{self.seed}-{identity(self)}{self.suffix}"

    @property
    def run_folder(self) -> Path:
        """Where the run is written."""
        return Path(self.folder) / self.study / self.run_name

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the network's input in pixels."""
        size = self.data.image_size
        return (size, size) if isinstance(size, int) else (size[0], size[1])


# Newer than the first runs: where they are null they are no part of the identity, so that older runs keep theirs.
ADDED_KEYS = ("data.classes", "data.split_digest")
# What decides a run's result; paths, threads, tracking and the study's name do not.
IDENTITY_KEYS = (
    "activation",
    "label_type",
    *(f"data.{key}" for key in ("name", "kind", "count", "scenes_seed", "image_size", "color", "label_resize")),
    *(f"data.{key}" for key in ("split", "split_seed", "folds", "fold", "remove_duplicates")),
    *ADDED_KEYS,
    "model",
    "training",
    "evaluation.resize",
    "seed",
    "seeding",
)
# Parts of the above that are about how a run is made, as threads are: they may change its bits, not what it measures.
NOT_IDENTITY = {"training": ("checkpoint_minutes", "jit_compile")}
# What belongs to one command and not to a run.
OF_THE_MOMENT = ("experiment", "rerun", "allow_changes", "plan", "mirror", "sweep", "suffix")


def is_plain(name: str) -> bool:
    """Whether a name can become that of a folder, and of nothing outside it."""
    return bool(name) and not name.startswith(".") and all(sign.isalnum() or sign in "-_." for sign in name)


def decides(key: str) -> bool:
    """Whether a dotted key of the resolved configuration decides a result, and so belongs to the identity."""
    idle = [f"{group}.{part}" for group, parts in NOT_IDENTITY.items() for part in parts]
    return key not in idle and any(key == each or key.startswith(f"{each}.") for each in IDENTITY_KEYS)


def value_of(config: Config, key: str) -> Any:
    """The value below a dotted key."""
    value: Any = config
    for part in key.split("."):
        value = getattr(value, part)
    return value


def resolved(config: Config) -> dict[str, Any]:
    """The configuration as plain JSON values, without what belongs to one moment only."""
    return {key: value for key, value in asdict(config).items() if key not in OF_THE_MOMENT}


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted keys: {"a": {"b": 1}} → {"a.b": 1}."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        result.update(flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return result


def training_key(config: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What of a resolved configuration decides the weights: all that decides the result but the evaluation."""
    values = sorted(flat(config).items())
    return tuple((key, str(value)) for key, value in values if decides(key) and not key.startswith("evaluation."))


def identity(config: Config) -> str:
    """Eight hex digits of a hash of what decides the result (`IDENTITY_KEYS`, the protocol's version)."""
    values: dict[str, Any] = {"protocol": PROTOCOL_VERSION}
    for key in IDENTITY_KEYS:
        value = value_of(config, key)
        if key in ADDED_KEYS and value is None:
            continue
        values[key] = asdict(value) if hasattr(value, "__dataclass_fields__") else value
        for part in NOT_IDENTITY.get(key, ()):
            del values[key][part]
    values["data.image_size"] = list(config.image_size)
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]

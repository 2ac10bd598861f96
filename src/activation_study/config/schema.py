"""The typed configuration of one run.

Hydra composes `conf/` into these dataclasses: unknown keys and wrong types fail there. What a value may be stands
beside its field; `validation.validate` checks it and hands out plain objects.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from activation_study.config.fields import at_least, choice, component, path_or_content, pattern
from activation_study.config.identity import identity
from activation_study.config.scored_weights import WEIGHTS
from activation_study.config.tuning import Tuning
from activation_study.credentials import without_credentials_inside


@dataclass
class Activation:
    """One activation: the layer's class (`_target_`) and arguments, and which part of the network uses it."""

    name: str = MISSING
    layer: dict[str, Any] = field(default_factory=dict)
    scope: str = choice("all", "encoder", "decoder", "auto", default="auto")


@dataclass
class LabelTypeOptions:
    """Which labels the network learns."""

    name: str = choice("regions", "surfaces", "layers", "own")
    border_width: int = at_least(1, default=2)


OWN_FORMATS = ("folder", "plugin")  # of data sets whose classes are those of `data.classes`


@dataclass
class Data:
    """The data set, its preprocessing and its split."""

    name: str = MISSING
    format: str = choice("iccv09", "folder", "scenes", "plugin")
    root: str | None = None
    archive: str | None = None
    images: str | None = None
    labels: str | None = None
    image_suffix: str | None = None
    label_suffix: str | None = None
    classes: Any = path_or_content()  # noqa: RUF009  # a field
    addresses: list[str] = field(default_factory=list)
    digest: str | None = None
    count: int | None = at_least(5, default=None)
    scenes_seed: int | None = at_least(0, default=None)
    source: dict[str, Any] = field(default_factory=dict)  # `_target_` and the arguments of an `ImageSet`
    cache: str = MISSING
    image_size: Any = MISSING
    channels: int = at_least(1, default=3)
    value_range: list[float] | None = None
    channel_order: str = choice("bgr", "rgb")
    label_interpolation: str = choice("bilinear", "nearest")
    split: str = choice("sorted", "shuffled", "kfold", "files", "folders", "auto")
    split_seed: int = at_least(0)
    folds: int = at_least(3)
    fold: int = at_least(0)
    split_files: str | None = None
    split_digest: str | None = None
    groups: str | None = pattern()  # a field
    groups_file: str | None = None
    groups_digest: str | None = None
    remove_duplicates: bool = False


# `name`, `_target_` and the arguments of that class or function, by their names.
Component = dict[str, Any]


@dataclass
class ComponentOptions:
    """What the options of each group have that name a class; its arguments stand beside these."""

    name: str = MISSING
    _target_: str = MISSING


@dataclass
class Model(ComponentOptions):
    """What each network has."""

    encoder_weights: str | None = None
    encoder_weights_digest: str | None = None


@dataclass
class Optimizer(ComponentOptions):
    """What each optimizer has."""

    learning_rate: float = MISSING


@dataclass
class Augmentation:
    """How training images are varied at random: by steps, each with `_target_` and arguments."""

    name: str = "none"
    steps: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class EarlyStopping:
    """When training ends before its last epoch: as Keras' EarlyStopping."""

    patience: int = at_least(0)
    min_delta: float = at_least(0)


@dataclass
class Training:
    """How a network is trained. `learning_rate` is another way to say `optimizer.learning_rate`."""

    epochs: int = at_least(1)
    batch_size: int = at_least(1)
    learning_rate: float | None = None
    precision: str = choice("float32", "tensorfloat32", "mixed_bfloat16", "mixed_float16", "auto")
    monitor: str = choice("loss", "val_loss")
    early_stopping: EarlyStopping = field(default_factory=EarlyStopping)
    jit_compile: Any = choice("auto", True, False, default="auto")  # noqa: RUF009  # a field
    checkpoint_minutes: float = at_least(0, default=5)


@dataclass
class Evaluation:
    """Which weights are scored, by which further metrics of images, and how."""

    weights: str = choice(*WEIGHTS, default="best")
    metrics: list[str] = field(default_factory=list)
    interpolation: str = choice("lanczos4", "bilinear")
    batch_size: int = at_least(1)


@dataclass
class Seeding:
    """The seed of each source of randomness."""

    weights: int = at_least(0)
    order: int = at_least(0)
    augmentation: int = at_least(0, default=0)


@dataclass
class Comparison:
    """What the study asks.

    Args:
        factor: the group or key whose values are compared; null: the activation, or the only other one that the sweep
            varies. A list of two: their combinations.
        contrasts: pairs of its values: [[a, b], …] asks whether a is above b; [a, b, c, d] whether a − b is above
            c − d.
        questions: what each of them asks, in words.
        margin: the smallest difference of mean IoU that matters, in points; null: nothing is called equivalent.
        looks: the numbers of seeds at which `seeds=auto` looks at the results; empty: the seeds are fixed.
        futility: the chance to be settled by the last look below which a contrast gets no more seeds.
        chosen_on_validation: a key of training whose value is chosen for each activation, e.g. optimizer.learning_rate.
    """

    factor: Any = None
    contrasts: list[list[str]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    margin: float | None = None
    looks: list[int] = field(default_factory=list)
    futility: float = 0.3
    chosen_on_validation: str | None = None


@dataclass
class Tracking:
    """The MLflow store that mirrors the runs; no `uri`: none.

    Args:
        uri: the store.
        weights: whether the best weights are logged as a model.
        system_metrics: whether processor, memory and GPUs are sampled while a run trains.
        energy: whether the energy of the training is measured.
        register: the name of a registered model for the best run of the study; None registers none.
    """

    uri: str | None = None
    weights: str = choice("best", "none")
    system_metrics: bool = False
    energy: bool = False
    register: str | None = None


@dataclass
class Sweep:
    """What a sweep passes to each of its jobs.

    Args:
        position: "3 of 15".
        code: names the manifest of the code at the sweep's start.
        ended: when the run had ended as the sweep was planned; None if it had not. A run that has ended since then
            was started by another process, and is not repeated.
        precision: what `training.precision=auto` resolved to when the sweep was planned.
        label: the readable part of the run's name where the study varies more than label type, activation and seed.
    """

    position: str = ""
    code: str | None = None
    ended: float | None = None
    precision: str = ""
    label: str = ""


@dataclass
class Config:
    """One run."""

    activation: Activation = field(default_factory=Activation)
    label_type: LabelTypeOptions = field(default_factory=LabelTypeOptions)
    data: Data = field(default_factory=Data)
    model: Component = component(Model)  # noqa: RUF009  # a field
    normalization: Component = component(ComponentOptions)  # noqa: RUF009
    upsampling: Component = component(ComponentOptions)  # noqa: RUF009
    initializer: Component = component(ComponentOptions)  # noqa: RUF009
    optimizer: Component = component(Optimizer)  # noqa: RUF009
    schedule: Component = component(ComponentOptions)  # noqa: RUF009
    loss: Component = component(ComponentOptions)  # noqa: RUF009
    augmentation: Augmentation = field(default_factory=Augmentation)
    training: Training = field(default_factory=Training)
    evaluation: Evaluation = field(default_factory=Evaluation)
    seeding: Seeding = field(default_factory=Seeding)
    comparison: Comparison = field(default_factory=Comparison)
    tuning: Tuning = field(default_factory=Tuning)
    tracking: Tracking = field(default_factory=Tracking)
    experiment: Any = None
    protocol: Any = None
    protocol_defaults: dict[str, Any] = field(default_factory=dict)  # arguments of the options that have them
    study: str = MISSING
    seed: int = at_least(0)
    seeds: str | None = choice("auto", None, default=None)
    plugins: list[str] = field(default_factory=list)  # modules whose classes may be named
    threads: int | None = at_least(1, default=None)
    folder: str = MISSING
    rerun: str = choice("failed", "all", "none", default="failed")
    allow_changes: bool = False
    dry_run: bool = False
    sync: Any = choice("all", True, False, default=False)  # noqa: RUF009  # a field
    sweep: Sweep = field(default_factory=Sweep)
    suffix: str = ""  # of the run's name; set by a reproduction
    schedule_epochs: int | None = None  # of the whole training, of which a reproduction repeats the first epochs

    @property
    def run_key(self) -> str:
        """What the run's name ends with: its identity, and the suffix of a reproduction or an evaluation."""
        return f"{identity(resolved(self))}{self.suffix}"

    @property
    def run_name(self) -> str:
        """The run's name and folder: the same for the same command."""
        label = self.sweep.label or f"{self.label_type.name}-{self.activation.name}-seed{self.seed}"
        return f"{label}-{self.run_key}"

    @property
    def run_folder(self) -> Path:
        """Where the run is written."""
        return Path(self.folder) / self.study / self.run_name

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the network's input in pixels."""
        size = self.data.image_size
        return (size, size) if isinstance(size, int) else (size[0], size[1])


# Keys of the command itself: they say nothing about the run.
COMMAND_ONLY_KEYS = (
    "experiment",
    "protocol",
    "protocol_defaults",
    "seeds",
    "rerun",
    "allow_changes",
    "dry_run",
    "sync",
    "sweep",
    "suffix",
    "schedule_epochs",
    "overrides",
)


def fold_of(config: Mapping[str, Any]) -> int | None:
    """The fold of a resolved configuration; None without a cross-validation."""
    data = config["data"]
    return int(data["fold"]) if data.get("split") == "kfold" else None


def resolved(config: Config) -> dict[str, Any]:
    """The configuration as a record keeps it: plain JSON values, each said once, without the keys of the command.

    Addresses lack their credentials, because records are copied and published.
    """
    values = {key: value for key, value in asdict(config).items() if key not in COMMAND_ONLY_KEYS}
    del values["training"]["learning_rate"]  # it is the optimizer's
    if config.schedule_epochs not in (None, config.training.epochs):
        values["schedule_epochs"] = config.schedule_epochs
    plain: dict[str, Any] = without_credentials_inside(values)
    return plain

"""What the commands besides train.py are told; Hydra composes `conf/<command>.yaml` into these."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from activation_study.config.fields import at_least, choice, optional
from activation_study.config.schema import Config, Data, Evaluation, LabelTypeOptions

A_RUN = "a run folder, its name, an MLflow run ID, or the beginning of one of these"
RUN = f"run=RUN is needed: {A_RUN}"


def required(message: str) -> Any:
    """A field that has to be given; the message says how."""
    return field(default=MISSING, metadata={"required": message})


@dataclass
class TrackingOptions:
    """Where runs are looked up."""

    uri: str | None = None


@dataclass
class DataLocation:
    """Where a data set is on this machine; None = as recorded."""

    root: str | None = None
    archive: str | None = None
    cache: str | None = None
    images: str | None = None
    labels: str | None = None
    split_files: str | None = None
    groups: str | None = None


@dataclass
class Reproduce:
    """A reproduction."""

    run: str = required(RUN)
    epochs: int | None = at_least(1, default=None)
    threads: int | None = at_least(1, default=None)
    plugins: list[str] = field(default_factory=list)
    tracking: TrackingOptions = field(default_factory=TrackingOptions)
    folder: str = MISSING
    encoder_weights: str | None = None
    data: DataLocation = field(default_factory=DataLocation)


# None = as recorded.
DataOverrides = optional(Data)
LabelTypeOverrides = optional(LabelTypeOptions)
EvaluationOverrides = optional(Evaluation)


@dataclass
class Inspect(Config):
    """An inspection: the keys of a run, and its own.

    Args:
        same_scene: whether images of the same scene are looked for; auto: unless there are very many images.
        write_groups: a CSV file to write, in which images that belong together have one group.
        write_classes: a YAML file to write, with the classes that are found in the labels.
    """

    same_scene: Any = choice("auto", True, False, default="auto")  # noqa: RUF009  # a field
    write_groups: str | None = None
    write_classes: str | None = None


@dataclass
class Evaluate:
    """A tracked run scored elsewhere."""

    run: str = required(RUN)
    part: str = "test"
    data: Any = field(default_factory=DataOverrides)
    label_type: Any = field(default_factory=LabelTypeOverrides)
    evaluation: Any = field(default_factory=EvaluationOverrides)
    threads: int | None = None
    folder: str = MISSING
    plugins: list[str] = field(default_factory=list)
    tracking: TrackingOptions = field(default_factory=TrackingOptions)


@dataclass
class Predict:
    """A prediction."""

    run: str | None = None
    runs: list[str] = field(default_factory=list)
    images: str = required("images=FOLDER_OR_FILE is needed: the images, or a video")
    output: str | None = None
    format: Any = "png"
    every: int = at_least(1, default=1)
    sliding_window: bool = False
    flip_tta: bool = False
    batch_size: int = at_least(1, default=8)
    threads: int | None = at_least(1, default=None)
    plugins: list[str] = field(default_factory=list)
    tracking: TrackingOptions = field(default_factory=TrackingOptions)


@dataclass
class Export:
    """An export."""

    run: str = required(RUN)
    output: str | None = None
    plugins: list[str] = field(default_factory=list)
    tracking: TrackingOptions = field(default_factory=TrackingOptions)


@dataclass
class Watch:
    """A look at a study's runs."""

    study: str = required("study=NAME is needed: a folder below multirun/")
    folder: str = MISSING
    once: bool = False
    interval: float = at_least(0.1, default=2.0)


@dataclass
class Compare:
    """A comparison."""

    study: str = required("study=NAME is needed: a folder below multirun/")
    folder: str = MISSING
    contrasts: list[list[str]] = field(default_factory=list)
    allow_incomplete: bool = False
    pictures: bool = True
    ranks: bool = False
    pack: str | None = None
    unpack: str | None = None
    plugins: list[str] = field(default_factory=list)
    tracking: TrackingOptions = field(default_factory=TrackingOptions)

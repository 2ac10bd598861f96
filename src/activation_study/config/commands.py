"""What the commands besides train.py are told; Hydra composes `conf/<command>.yaml` into these."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING


@dataclass
class Store:
    """Where runs are looked up."""

    uri: str | None = None


@dataclass
class DataPlace:
    """Where a data set is on this machine; None = as recorded."""

    root: str | None = None
    archive: str | None = None
    cache: str | None = None


@dataclass
class Reproduce:
    """A reproduction."""

    run: str = MISSING
    epochs: int | None = None
    threads: int | None = None
    tracking: Store = field(default_factory=Store)
    folder: str = MISSING
    data: DataPlace = field(default_factory=DataPlace)


@dataclass
class OtherData:
    """What of a data set is otherwise; None = as recorded."""

    name: str | None = None
    kind: str | None = None
    root: str | None = None
    archive: str | None = None
    images: str | None = None
    labels: str | None = None
    classes: Any = None
    addresses: list[str] | None = None
    digest: str | None = None
    count: int | None = None
    scenes_seed: int | None = None
    cache: str | None = None
    image_size: Any = None
    color: str | None = None
    label_resize: str | None = None
    split: str | None = None
    split_seed: int | None = None
    folds: int | None = None
    fold: int | None = None
    split_files: str | None = None
    remove_duplicates: bool | None = None


@dataclass
class OtherLabelType:
    """Which labels; None = as recorded."""

    name: str | None = None
    border_width: int | None = None


@dataclass
class OtherEvaluation:
    """How weights are scored; None = as recorded."""

    resize: str | None = None
    batch_size: int | None = None


@dataclass
class Evaluate:
    """A tracked run scored elsewhere."""

    run: str | None = None
    part: str = "test"
    data: OtherData = field(default_factory=OtherData)
    label_type: OtherLabelType = field(default_factory=OtherLabelType)
    evaluation: OtherEvaluation = field(default_factory=OtherEvaluation)
    threads: int | None = None
    folder: str = MISSING
    tracking: Store = field(default_factory=Store)


@dataclass
class Predict:
    """A prediction."""

    run: str | None = None
    runs: list[str] = field(default_factory=list)
    images: str = MISSING
    output: str | None = None
    windows: bool = False
    flip: bool = False
    batch_size: int = 8
    threads: int | None = None
    tracking: Store = field(default_factory=Store)


@dataclass
class Export:
    """An export."""

    run: str | None = None
    output: str | None = None
    tracking: Store = field(default_factory=Store)


@dataclass
class Compare:
    """A comparison."""

    study: str = MISSING
    folder: str = MISSING
    contrasts: list[list[str]] = field(default_factory=list)
    seed: int = 0
    allow_incomplete: bool = False
    pictures: bool = True
    pack: str | None = None

"""The record of a run, stored as `run.json` in its folder.

The run folder is the source of truth: MLflow, tables and reports are made from it. `run.json` is rewritten after each
epoch. All files are written atomically.
"""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from activation_study.config.article_score import deserves_article_score
from activation_study.config.identity import arm_identity
from activation_study.config.schema import Config
from activation_study.config.scored_weights import scored_weights
from activation_study.credentials import without_credentials, without_credentials_inside
from activation_study.errors import BadInput
from activation_study.files import write_json
from activation_study.records.migrations import RECORD_VERSION, migrate

RECORD_FILE = "run.json"

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED", "PRUNED"]


@dataclass
class Record:
    """Everything that is known about one run.

    Args:
        name: the name of the run and of its folder.
        study: the study that the run belongs to.
        identity: the hash of what determines its result.
        config: the resolved configuration.
        overrides: the overrides of the command line.
        classes: the names of the label type's classes.
        environment: versions, processor, threads, backend, git state.
        digests: SHA-256 of `data`, `code`, the shared `initial_weights`, of these the `initial_convolutions`, the
            `order` of the batches, the scored `weights`, and `best_weights`, `last_weights` and `ema_weights`.
        key: identifies this attempt in every MLflow store.
        started: Unix time in seconds.
        ended: Unix time in seconds; None while it runs.
        status: RUNNING, FINISHED, FAILED, KILLED, or PRUNED: a trial of a search that was ended early.
        epochs: one dict per epoch: train/*, val/*, learning_rate, epoch_seconds, images_per_second, `time`,
            and `energy_joules` if it was measured.
        results: of the scored weights: test metrics, `best_epoch`, `parameters`, `peak_memory_bytes`, …
        error: why a run FAILED, in one line; that the process of a KILLED one died without a word.
        training_pixels: pixels of each class in the training images, at the network's size; older records have none.
        process: host and process ID that work on the run, or did last.
        resumed: `time`, `epoch` and `step` of each time it was resumed.
        protocol: the version of the protocol (docs/explanation/protocol.md).
        algorithms: the versions of the algorithms that it uses, of those that have been changed.
        links: other runs, e.g. `reproduces`; tags in MLflow.
        supersedes: the keys of earlier attempts that this folder held.
        groups: the number of groups of images in each part of the split; empty without `data.groups`.
        changes: what had changed when it was continued with `allow_changes=true`.
        planned: Unix time when a sweep first planned it, of one sweep in the order of its runs; None outside of sweeps.
        version: the version of the record's format.
    """

    name: str
    study: str
    identity: str
    config: dict[str, Any]
    overrides: list[str]
    classes: list[str]
    environment: dict[str, Any]
    digests: dict[str, str]
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: float = field(default_factory=time.time)
    ended: float | None = None
    status: Status = "RUNNING"
    epochs: list[dict[str, float]] = field(default_factory=list)
    results: dict[str, float] = field(default_factory=dict)
    error: str | None = None
    training_pixels: dict[str, int] = field(default_factory=dict)
    process: dict[str, Any] = field(default_factory=dict)
    resumed: list[dict[str, float]] = field(default_factory=list)
    protocol: int = 1
    algorithms: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    supersedes: list[str] = field(default_factory=list)
    groups: dict[str, int] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    planned: float | None = None
    version: int = RECORD_VERSION

    @property
    def has_article_score(self) -> bool:
        """Whether it has the article's score. Earlier versions recorded that of every run; only some deserve it."""
        part = next((key.split("/")[0] for key in self.results if key.endswith("/article/mean_iou")), None)
        every_class_occurs = all(f"{part}/iou/{name}" in self.results for name in self.classes)
        return part is not None and deserves_article_score(self.config, every_class_occurs)

    @property
    def place(self) -> float:
        """Its place among the runs of its study, in the order in which they were asked for: a Unix time.

        Runs of one sweep may start in any order, and a repeated run starts last.
        """
        return self.started if self.planned is None else self.planned

    @property
    def arm_identity(self) -> str:
        """What all runs of its arm have in common."""
        return arm_identity(self.config, self.algorithms, self.protocol)

    @property
    def ended_at_cap(self) -> bool:
        """Whether its training ended because of `training.epochs`, not by early stopping."""
        return len(self.epochs) >= self.config.get("training", {}).get("epochs", len(self.epochs) + 1)

    @property
    def validation_mean_iou(self) -> float:
        """Mean IoU of the scored weights on the validation images, at the network's size."""
        scored = scored_weights(self.config)
        if scored == "ema":
            return self.results["val/ema/mean_iou"]
        epoch = len(self.epochs) if scored == "last" else int(self.results["best_epoch"])
        return self.epochs[epoch - 1]["val/mean_iou"]

    @property
    def training_seconds(self) -> float:
        """Seconds spent on its epochs, validation included."""
        return sum(epoch["epoch_seconds"] for epoch in self.epochs)

    @property
    def training_joules(self) -> float | None:
        """Energy spent on its epochs, validation included; None unless all of it was measured."""
        joules = [epoch["energy_joules"] for epoch in self.epochs if "energy_joules" in epoch]
        return sum(joules) if joules and len(joules) == len(self.epochs) else None

    def configuration(self, changes: Mapping[str, Any] | None = None) -> Config:
        """The recorded configuration.

        Args:
            changes: nested values that replace recorded ones.

        Raises:
            BadInput: the run was recorded by an incompatible version of the code.
            OmegaConfBaseException: a change has the wrong type.
        """
        try:
            recorded = OmegaConf.merge(OmegaConf.structured(Config), self.config)
        except OmegaConfBaseException as error:
            commit = self.environment.get("git", {}).get("commit")
            raise BadInput(
                f"{self.name} was recorded by an incompatible version of the code (commit {commit}): {error}"
            ) from error
        config = OmegaConf.to_object(OmegaConf.merge(recorded, changes or {}))
        assert isinstance(config, Config)
        return config

    def write(self, folder: Path) -> None:
        """Writes `run.json` into the run folder, atomically."""
        write_json(folder / RECORD_FILE, asdict(self))

    def end(self, folder: Path, status: Status, error: str | None = None) -> None:
        """Writes the record with its final status."""
        self.status, self.error, self.ended = status, error and without_credentials(error), time.time()
        self.write(folder)

    @property
    def how_it_died(self) -> str:
        """In words, that its process has died without recording why."""
        epochs = len(self.epochs)
        where = f"after epoch {epochs}" if epochs else "in its first epoch"
        return f"its process died (killed? Ctrl-C twice? out of memory?) {where}"

    def close_stale(self, folder: Path) -> bool:
        """Marks a RUNNING record whose process has died as KILLED after its last epoch; returns whether it was one."""
        if self.status != "RUNNING":
            return False
        self.status, self.error = "KILLED", self.how_it_died
        self.ended = self.epochs[-1]["time"] if self.epochs else self.started
        self.write(folder)
        return True


def parse_record(text: str) -> Record:
    """The record in the text of a `run.json` of any version, without credentials, which earlier versions kept.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: the text is not a record.
    """
    record = Record(**without_credentials_inside(migrate(json.loads(text))))
    for name, expected in get_type_hints(Record).items():
        if not _has_type(getattr(record, name), expected):
            raise ValueError(f"{name} has a value of another type than {str(expected).removeprefix('typing.')}")
    if "data" not in record.digests:
        raise ValueError("digests has no data")
    return record


def _has_type(value: Any, expected: Any) -> bool:
    """Whether a value of JSON has the type of a field."""
    kind, arguments = get_origin(expected), get_args(expected)
    if kind is Literal:
        return value in arguments
    if kind is UnionType:
        return any(_has_type(value, each) for each in arguments)
    if kind is list:
        return isinstance(value, list) and all(_has_type(each, arguments[0]) for each in value)
    if kind is dict:
        return isinstance(value, dict) and all(_has_type(each, arguments[1]) for each in value.values())
    if expected is Any:
        return True
    return isinstance(value, int | float if expected is float else expected)


# Parts of a study's folder whose runs are of their own.
REPRODUCTIONS, EVALUATIONS = "reproductions", "evaluations"


def run_folders(study: Path) -> list[Path]:
    """The folders of a study's runs, by name."""
    return [path.parent for path in sorted(study.glob(f"*/{RECORD_FILE}"))]


def read_records(study: Path) -> list[Record]:
    """The records of all runs of a study, by the names of their folders.

    Raises:
        BadInput: one cannot be read.
    """
    return [record for folder in run_folders(study) if (record := read_record(folder)) is not None]


def read_record(folder: Path) -> Record | None:
    """The record in a run folder; None if there is none.

    Raises:
        BadInput: there is one, but it cannot be read, or a later version of this program wrote it.
    """
    path = folder / RECORD_FILE
    try:
        record = parse_record(path.read_text(encoding="utf-8"))
        parts = (record.name, *record.study.split("/"))
        if "/" in record.name or any(not part or part.startswith(".") for part in parts):
            raise ValueError(f"study {record.study!r} and name {record.name!r} are not valid folder names")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(f"{path} is not a valid record: {error}; move the folder away to start from scratch") from error
    return record

"""A run's folder is the truth: `run.json` and its artifacts, each file whole or absent.

`run.json` is written anew after each epoch. MLflow, tables and reports are made from it.
"""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from activation_study.config.schema import Config
from activation_study.errors import BadInput
from activation_study.files import write_json
from activation_study.records.migrations import RECORD_VERSION, migrated

RECORD_FILE = "run.json"

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


@dataclass
class Record:
    """Everything that is known about one run.

    Args:
        name: of the run and its folder.
        study: the study that it belongs to.
        identity: the hash of what decides its result.
        config: the resolved configuration.
        overrides: of the command line.
        classes: the names of the label type's classes.
        environment: versions, processor, threads, backend, code.
        digests: content of `data`, `code`, the shared `initial_weights`, the `order` of the batches.
        key: names this attempt in every MLflow store.
        started: Unix time in seconds.
        ended: likewise, None while it runs.
        status: RUNNING, FINISHED, FAILED or KILLED.
        epochs: one dict per epoch: train/*, val/*, learning_rate, epoch_seconds, images_per_second, and `time`.
        results: of the best weights: test metrics, `best_epoch`, `parameters`, `peak_memory_bytes`, …
        error: first line of what ended a FAILED run.
        process: host and process id that work on it, or did last.
        resumed: for each time that it went on: `time`, and the `epoch` and `step` where it did.
        protocol: the protocol's version (docs/PROTOCOL.md).
        links: to other runs, e.g. `reproduces`: tags in MLflow.
        changes: what had changed when it went on all the same (`allow_changes=true`).
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
    process: dict[str, Any] = field(default_factory=dict)
    resumed: list[dict[str, float]] = field(default_factory=list)
    protocol: int = 1
    links: dict[str, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    version: int = RECORD_VERSION

    @property
    def training_seconds(self) -> float:
        """Spent on its epochs, validation included."""
        return sum(epoch["epoch_seconds"] for epoch in self.epochs)

    def configuration(self, changes: Mapping[str, Any] | None = None) -> Config:
        """The recorded configuration.

        Args:
            changes: nested values that take the place of recorded ones.

        Raises:
            BadInput: another version of the code recorded it.
            OmegaConfBaseException: a change is of the wrong type.
        """
        try:
            recorded = OmegaConf.merge(OmegaConf.structured(Config), self.config)
        except OmegaConfBaseException as error:
            commit = self.environment.get("git", {}).get("commit")
            raise BadInput(
                f"{self.name} was recorded by another version of the code, commit {commit}: {error}"
            ) from error
        config = OmegaConf.to_object(OmegaConf.merge(recorded, changes or {}))
        assert isinstance(config, Config)
        return config

    def write(self, folder: Path) -> None:
        """Writes `run.json` into the run's folder, atomically."""
        write_json(folder / RECORD_FILE, asdict(self))

    def end(self, folder: Path, status: Status, error: str | None = None) -> None:
        """Closes the record with its final status."""
        self.status, self.error, self.ended = status, error, time.time()
        self.write(folder)

    def close_dead(self, folder: Path) -> bool:
        """RUNNING, though no process works on it: KILLED since its last epoch. Whether that was so."""
        if self.status != "RUNNING":
            return False
        self.status = "KILLED"
        self.ended = self.epochs[-1]["time"] if self.epochs else self.started
        self.write(folder)
        return True


def record_of(text: str) -> Record:
    """The record in the text of a `run.json`, of whatever version.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is none.
    """
    return Record(**migrated(json.loads(text)))


def read_record(folder: Path) -> Record | None:
    """The record in a run's folder; None where there is none.

    Raises:
        BadInput: there is one, but it cannot be read, or another version of this program wrote it.
    """
    path = folder / RECORD_FILE
    try:
        record = record_of(path.read_text(encoding="utf-8"))
        parts = (record.name, *record.study.split("/"))
        if "/" in record.name or any(not part or part.startswith(".") for part in parts):
            raise ValueError(f"its name {record.study!r}, {record.name!r} is none of a folder")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(
            f"{path} cannot be read as a run's record: {error}; move the folder away to start anew"
        ) from error
    return record

"""Writes the folders of runs without training."""

import json
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from activation_study.config.identity import identity
from activation_study.files import write_json
from activation_study.image_metrics.registry import IMAGE_METRICS, image_scores
from activation_study.metrics import Counts, summary
from activation_study.records.artifacts import write_confusions
from activation_study.records.heartbeat import HEARTBEAT_FILE
from activation_study.records.planned_runs import PLANNED_FILE, PlannedRun
from activation_study.records.record import Record
from activation_study.records.run import Run
from activation_study.records.source_code import MANIFESTS_FOLDER

HERE, ELSEWHERE = socket.gethostname(), "node7"
CLASSES = ("sky", "horizontal", "vertical")


def write_run(study: Path, activation: str, seed: int, accuracy: float = 0.8, **changes: Any) -> Path:
    """A finished run that predicts about this fraction of each class's pixels correctly on ten images.

    Args:
        study: its folder.
        activation: its name.
        seed: of the run.
        accuracy: the fraction.
        changes: other values; `counts`, int64 [10, 4, 3], replaces the confusion matrices.
    """
    config = {
        "activation": {"name": activation, "layer": {"kernel_size": changes.get("kernel_size", 3)}, "scope": "all"},
        "label_type": {"name": changes.get("label_type", "surfaces")},
        "seed": seed,
        "data": {
            "name": changes.get("data_name", "scenes"),
            "archive": "/somewhere/on/this/machine.tar.gz",
            "image_size": changes.get("image_size", 64),
            "split": changes.get("split", "sorted"),
            "split_digest": changes.get("split_digest"),
            "groups_digest": "0" * 16 if "groups" in changes else None,
            "split_seed": 0,
            "folds": 5,
            "fold": changes.get("fold", 0),
        },
        "model": {"name": "unet"},
        "optimizer": {"learning_rate": changes.get("learning_rate", 1e-3)},
        "training": {"checkpoint_minutes": seed},
        "comparison": changes.get("comparison", {"contrasts": changes.get("contrasts", [])}),
    }
    generator = np.random.default_rng([seed, *activation.encode()])
    counts = np.zeros((10, 4, 3), np.int64)
    for image, row in np.ndindex(10, 3):
        fraction = np.clip(accuracy + 0.05 * generator.normal(), 0, 1)
        counts[image, row] = np.round(1000 * np.where(np.arange(3) == row, fraction, (1 - fraction) / 2))
    counts = changes.get("counts", counts)
    config["data"] |= {"format": changes["format"]} if "format" in changes else {}
    config |= changes.get("config", {})
    name = f"{changes.get('label_type', 'surfaces')}-{activation}-seed{seed}-{len(list(study.glob('*')))}"
    record = Record(
        name,
        study.name,
        identity(config, changes.get("algorithms", {}), changes.get("protocol", 1)),
        config,
        [f"seed={seed}", "data.archive=/somewhere/on/this/machine.tar.gz"],
        list(CLASSES),
        {},
        {"data": changes.get("data", "d") * 64},
    )
    scores = summary(counts, CLASSES, article=changes.get("article", True))
    image_counts = changes.get("image_counts", {})
    further = {f"test/{name}": score for name, score in image_scores(IMAGE_METRICS, image_counts).items()}
    record.results = {**scores, **further, "evaluation_seconds": 1.0, "best_epoch": 1.0}
    record.epochs = [
        {"epoch_seconds": 2.0, "time": 0.0, "val/mean_iou": changes.get("validation", 0.5), "images_per_second": 9.0}
    ]
    record.training_pixels = changes.get("training_pixels", {})
    record.started, record.protocol = changes.get("started", 0.0), changes.get("protocol", 1)
    record.algorithms, record.planned = changes.get("algorithms", {}), changes.get("planned")
    names = tuple(f"{changes.get('names', 'image')}{number}" for number in range(10))
    groups = tuple(changes.get("groups", ()))
    write_confusions(Run(record, study / name, counts, names, names, groups, image_counts=image_counts))
    record.groups = {"train": 3, "validation": 2, "test": len(set(changes["groups"]))} if "groups" in changes else {}
    record.end(study / name, changes.get("status", "FINISHED"))
    return study / name


def drawn_image_counts(seed: int) -> dict[str, Counts]:
    """Counts of the metrics of images, of ten images and three classes."""
    generator = np.random.default_rng(seed)
    both = generator.integers(1, 50, (10, 3, 1))
    boundary = np.concatenate([both, both + generator.integers(0, 50, (10, 3, 2))], axis=-1)
    bins = generator.integers(1, 50, (10, 15, 3)) * [2, 1, 2**16]
    return {"boundary_iou": boundary, "calibration_error": bins}


def write_running(study: Path, seed: int, host: str, ago: float, epochs: int = 1, **heartbeat: Any) -> Path:
    """A run that a process has left in the middle of its training, with a last sign of life `ago` seconds ago."""
    folder = write_run(study, "relu", seed)
    record = json.loads((folder / "run.json").read_text())
    record |= {"status": "RUNNING", "ended": None, "process": {"host": host, "pid": 1}, "started": time.time() - 1000}
    record["config"]["training"]["epochs"] = 10
    epoch = {"epoch_seconds": 60.0, "time": time.time() - 500, "train/loss": 0.9, "val/mean_iou": 0.4}
    record["epochs"] = [epoch] * epochs
    (folder / "run.json").write_text(json.dumps(record))
    beat = {"time": time.time() - ago, "phase": "training", "epoch": epochs + 1, "step": 30, "steps": 40, **heartbeat}
    (folder / HEARTBEAT_FILE).write_text(json.dumps(beat))
    return folder


def write_planned(study: Path, names: Sequence[str]) -> None:
    """The runs of a sweep, at most ten epochs each, as if it had planned them."""
    runs = {name: asdict(PlannedRun(name, float(number), "arm", number, 10)) for number, name in enumerate(names)}
    write_json(study / MANIFESTS_FOLDER / PLANNED_FILE, runs)

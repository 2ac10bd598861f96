"""Runs of a sweep that are written instead of trained."""

from collections.abc import Sequence
from functools import cache

from omegaconf import DictConfig

import hydra_compose
from activation_study.config.identity import identity
from activation_study.config.schema import Config, resolved
from activation_study.metrics import Counts, summary
from activation_study.records.artifacts import write_confusions
from activation_study.records.record import Record
from activation_study.records.run import Run


def composed(overrides: Sequence[str]) -> DictConfig:
    """The configuration of a job on small drawn scenes, in the study `simulated`."""
    return _composed(tuple(overrides))


@cache  # composing takes longer than all else that is simulated
def _composed(overrides: tuple[str, ...]) -> DictConfig:
    scenes = ("data=scenes", "data.count=6", "data.image_size=32", "study=simulated", "tracking=off")
    return hydra_compose.composed([*scenes, *overrides])


def finish(config: Config, counts: Counts, classes: Sequence[str], validation: float = 0.5) -> None:
    """Writes a finished run.

    Args:
        config: of the run.
        counts: its confusion matrices, int64 [images, C + 1, C].
        classes: names of the C classes.
        validation: its mean IoU on validation.
    """
    record = Record(
        config.run_name, config.study, identity(resolved(config)), resolved(config), [], list(classes), {},
        {"code": "c", "data": "d"},
    )  # fmt: skip
    record.results = {**summary(counts, classes), "evaluation_seconds": 1.0, "best_epoch": 1.0}
    record.epochs = [{"epoch_seconds": 2.0, "time": 0.0, "val/mean_iou": validation, "images_per_second": 9.0}]
    images = tuple(f"image{number}" for number in range(len(counts)))
    write_confusions(Run(record, config.run_folder, counts, images, images))
    record.end(config.run_folder, "FINISHED", None)

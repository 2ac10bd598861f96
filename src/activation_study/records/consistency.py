"""Whether a run's record follows from the files beside it: an edited or exchanged file must not enter a result."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from activation_study.config.identity import identity
from activation_study.config.schema import Config, resolved
from activation_study.errors import BadInput, problems_message
from activation_study.image_metrics.registry import IMAGE_METRICS, image_scores, known_image_metrics
from activation_study.metrics import contradictory_scores, scored_parts
from activation_study.records.artifacts import CONFUSIONS_FILE
from activation_study.records.record import RECORD_FILE, Record, read_record

if TYPE_CHECKING:
    from activation_study.records.run import Run


class Contradiction(BadInput):
    """A record contradicts itself or the confusion matrices beside it.

    Args:
        problems: one line each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__(
            problems_message(
                "Records contradict themselves or their results, so a file was changed or exchanged",
                problems,
                "Restore these files, or train the runs again with rerun=all.",
            )
        )


def contradictions(run: "Run", classes: Sequence[str], where: str = RECORD_FILE) -> list[str]:
    """What of a finished run's record does not follow from its confusion matrices, or from its epochs.

    Args:
        run: as read from its files.
        classes: the names of the classes beside the confusion matrices.
        where: names the record in the lines that are returned.
    """
    problems = [*record_problems(run.record), *_score_problems(run, classes)]
    if len(run.groups) not in (0, len(run.images)):
        problems.append(f"{CONFUSIONS_FILE} has {len(run.images)} names of images and {len(run.groups)} groups of them")
    return [f"{where}: {problem}" for problem in problems]


def read_own_record(config: Config) -> Record | None:
    """The record in the folder of a run; None if there is none.

    Raises:
        Contradiction: it is that of another run, or its configuration was changed, and `rerun=all` does not replace it.
        BadInput: it cannot be read.
    """
    record = read_record(config.run_folder)
    if record is None or config.rerun == "all":
        return record
    expected = identity(resolved(config))
    found = (record.identity, identity(record.config, record.algorithms, record.protocol))
    if others := [each for each in found if each != expected]:
        place = config.run_folder / RECORD_FILE
        raise Contradiction([f"{place}: the record of another run, {others[0]}; this folder is that of {expected}"])
    return record


def record_problems(record: Record) -> Iterator[str]:
    """Contradictions within a finished run's record: identity, results, epochs, best epoch, number of epochs."""
    try:
        expected = identity(record.config, record.algorithms, record.protocol)
    except (KeyError, TypeError):
        expected = "none, since keys are missing"
    if expected != record.identity:
        yield f"config: its identity is {expected}; recorded {record.identity}"
    if not scored_parts(record.results):
        yield f"status: {record.status}, but results has no test/mean_iou"
    epochs, best = record.epochs, record.results.get("best_epoch")
    configured = record.config.get("training", {}).get("epochs")
    if configured is not None and len(epochs) > configured:
        yield f"epochs: {len(epochs)} recorded, at most training.epochs={configured} expected"
    if not epochs:
        if "evaluates" not in record.links:
            yield "epochs: none recorded"
        return
    if not isinstance(best, int | float) or not 1 <= best <= len(epochs):
        yield f"results.best_epoch: recorded {best}, expected one of the {len(epochs)} recorded epochs"
        return
    if record.changes:  # an epoch that was trained again, with changes, keeps its recorded numbers
        return
    losses = np.array([epoch.get("val/loss", np.nan) for epoch in epochs], np.float64)
    if not np.isnan(losses).all() and int(np.nanargmin(losses)) + 1 != best:
        smallest = int(np.nanargmin(losses)) + 1
        yield f"results.best_epoch: recorded {best:g}, but val/loss is smallest in epoch {smallest}"


def _score_problems(run: "Run", classes: Sequence[str]) -> Iterator[str]:
    record, count = run.record, len(run.record.classes)
    if list(classes) != record.classes:
        yield f"classes: {', '.join(record.classes)}, but {CONFUSIONS_FILE} has {', '.join(classes)}"
        return
    for confusions in (run.confusions, *run.others.values()):
        if confusions.ndim != 3 or confusions.shape[1:] != (count + 1, count) or not len(confusions):
            yield f"{CONFUSIONS_FILE} has the shape {confusions.shape}, expected [images, {count + 1}, {count}]"
            return
        if len(run.images) != len(confusions):
            yield f"{CONFUSIONS_FILE} has {len(confusions)} matrices and {len(run.images)} names of images"
            return
    for name, counts in run.image_counts.items():
        if len(counts) != len(run.images):
            yield f"{CONFUSIONS_FILE} has {len(counts)} entries of {name} and {len(run.images)} names of images"
            return
    known = known_image_metrics(record.config)
    further = image_scores(known, run.image_counts)
    unknown = len(known) < len(IMAGE_METRICS) + len(record.config.get("evaluation", {}).get("metrics", []))
    found = contradictory_scores(record.results, run.confusions, tuple(classes), run.others, further, unknown)
    for key, (then, now) in found.items():
        yield f"results.{key}: recorded {_value(then)}, recomputed {_value(now)} from {CONFUSIONS_FILE}"


def _value(value: Any) -> str:
    return "no value" if value is None else f"{value:.10g}" if isinstance(value, float) else repr(value)

"""What a run prints when it starts and when it ends."""

import shlex
import textwrap
from collections.abc import Iterable
from pathlib import Path

from activation_study.class_findings import ClassFindings
from activation_study.columns import WIDTH, in_columns
from activation_study.config.protocols import followed_protocol
from activation_study.config.schema import Config
from activation_study.config.scored_weights import WEIGHTS, scored_weights
from activation_study.console import format_duration
from activation_study.data.copies import describe_copies
from activation_study.data.dataset import Dataset
from activation_study.data.splitting.groups import describe_groups
from activation_study.errors import BadInput, counted
from activation_study.location import command
from activation_study.outcome import keep_warning, warn
from activation_study.records.record import Record
from activation_study.records.run import read_findings
from activation_study.runs.reuse_weights import LINK
from activation_study.training.loop import TrainState

STOPPED = "stopped in MLflow, by its tag stop"


def print_header(config: Config, record: Record, dataset: Dataset, state: TrainState) -> None:
    """Prints what is trained on which device and data, and where a resumed run continues."""
    split, environment = dataset.split, record.environment
    position = f" ({config.sweep.position})" if config.sweep.position else ""
    threads = counted(environment["threads"], "thread")
    sizes = " + ".join(str(len(indices)) for indices in (split.train, split.validation, split.test))
    print(
        f"{record.name}{position}: {environment['device']}, {threads}, {config.training.precision}, "
        f"{record.results['parameters']:,.0f} parameters, {sizes} images of {dataset.source.name}"
    )
    if dataset.copies:
        print(f"  {describe_copies(dataset.copies, dataset.source.names, dataset.preprocessed.labels)}")
    print(f"  protocol: {followed_protocol(record.config)}")
    if record.groups:
        print(f"  {describe_groups(record.groups)}; no group is in two parts")
    if record.resumed:
        print(f"  resuming at {'the evaluation' if state.done else f'epoch {state.epoch}, step {state.step + 1}'}")
    if LINK in record.links:
        print(f"  not trained: uses the weights of {record.links[LINK]}, since only the evaluation differs")
    for change in record.changes:
        print(f"  allowed change: {change}")


def print_scores(config: Config, record: Record, folder: Path) -> None:
    """Prints the scores of a finished run: alone with those of its classes, in a sweep in one line."""
    count = len(record.epochs)
    epochs = counted(count, "epoch")
    stopped_early = f" of at most {config.training.epochs} (stopped early)" if count < config.training.epochs else ""
    seconds = record.training_seconds + record.results["evaluation_seconds"]
    training = f"{_scored_weights(record)}; {epochs}{stopped_early}, {format_duration(seconds)}; {folder}"
    findings = read_findings(folder, record)
    if config.sweep.position:
        print(f"  {_mean_iou(record)}; {training}")
    else:
        print(f"  {training}")
        print(f"  {_mean_iou(record)}; of each class:")
        print_classes(record, "test", findings)
        others = {name: record.results.get(f"test/{name}/mean_iou") for name in WEIGHTS}
        scores = [f"{name} {value:.3f}" for name, value in others.items() if value is not None]
        if scores:
            print(f"  with other weights of this training: {', '.join(scores)}")
    if findings is not None and findings.warning:
        keep_warning(f"{record.name}: {findings.warning}")


def _scored_weights(record: Record) -> str:
    if scored_weights(record.config) == "ema":
        return "moving average of the weights over the epochs"
    if scored_weights(record.config) == "last":
        return f"weights of epoch {len(record.epochs)} (the last)"
    return f"weights of epoch {record.results['best_epoch']:.0f} (lowest validation loss)"


def _mean_iou(record: Record) -> str:
    text = f"test mean IoU {record.results['test/mean_iou']:.3f}"
    if not record.has_article_score:
        return text
    return f"{text} pooled, {record.results['test/article/mean_iou']:.3f} with the article's protocol"


def print_classes(record: Record, part: str, findings: ClassFindings | None) -> None:
    """Prints the IoU of each class, and what stands out.

    Args:
        record: with the scores.
        part: of the data, with which the scores' names begin.
        findings: None: unknown.
    """
    ious = {name: record.results.get(f"{part}/iou/{name}") for name in record.classes}
    for line in in_columns({name: "–" if iou is None else f"{iou:.3f}" for name, iou in ious.items()}):
        print(line)
    for sentence in findings.sentences if findings else ():
        prefix = "warning: " if sentence == findings.warning else ""  # type: ignore[union-attr]
        print(textwrap.fill(prefix + sentence, WIDTH, initial_indent="  ", subsequent_indent="    "))


def print_next_steps(folder: Path) -> None:
    """Prints what can be done with a single run that has finished."""
    print(f"Pictures:             {folder / 'pictures'}")
    print(f"Reproduce:            {command('reproduce')} run={shlex.quote(str(folder))}")


def print_notes(messages: Iterable[str]) -> None:
    """Prints what a person may want to do in MLflow."""
    for message in messages:
        print(f"note: {message}")
        keep_warning(message)


def memory_remedies(config: Config, part: str) -> str:
    """What makes a part of a run, `training` or `evaluation`, need less memory."""
    size = config.training.batch_size if part == "training" else config.evaluation.batch_size
    height, width = config.image_size
    smaller = f"a smaller data.image_size (now {height}×{width}) or smaller model.widths"
    return f"a smaller {part}.batch_size (now {size})" + (f", {smaller}" if part == "training" else "")


def check_alone(config: Config) -> None:
    """Checks what a run by itself would not heed.

    Raises:
        BadInput: it asks for seeds that only a sweep adds.
    """
    if config.seeds == "auto":
        raise BadInput("seeds=auto needs a sweep over activations: -m activation=relu,mish, or an experiment")
    if config.tuning.space and config.tuning.trial is None:
        warn("tuning.space has no effect on a single run, which is trained as it is configured: a sweep (-m) searches")


def training_again(config: Config) -> str:
    """What trains a study's finished runs again: looks and searches would mix new results with old ones."""
    return "deleting their folders" if config.comparison.looks or config.tuning.space else "rerun=all"


def try_again(rerun: str) -> str:
    """How to repeat the runs that failed, and no others."""
    changes = {"all": " without rerun=all", "none": " with rerun=failed"}
    return f"run the same command{changes.get(rerun, '')} to try again"


def print_interrupted(config: Config, reason: str = "interrupted") -> None:
    """Prints why a run ended before its last step, and how to resume it."""
    if config.rerun == "all":
        hint = (
            "run the same command without rerun=all to resume (rerun=all would start finished runs from scratch; "
            "without it, finished runs that this command had not reached keep their earlier results)"
        )
    else:
        hint = "run the same command again to resume"
    print(f"{config.run_name}: {reason}; {hint}")

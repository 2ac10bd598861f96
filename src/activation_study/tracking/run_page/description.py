"""The description of a run in MLflow, as Markdown: what is special about it, its result, how to train it again."""

import hashlib
from collections.abc import Iterator, Mapping

from activation_study.class_findings import ClassFindings
from activation_study.config.command_line.overrides import override_key
from activation_study.config.factor import factor_of
from activation_study.config.identity import MACHINE_SPECIFIC_KEYS
from activation_study.location import command
from activation_study.metrics import scored_parts
from activation_study.records.record import Record
from activation_study.tracking.tags import MAX_LENGTH

NOTE_TAG = "mlflow.note.content"
DIGEST_TAG = "digest.description"  # of the text that was written last, to notice if somebody has edited it
# Overrides that say nothing about what is trained.
_OF_THE_MACHINE = ("study", "threads", "rerun", "allow_changes", "hydra", "tracking", "sweep", "sync")


def note_tags(tags: Mapping[str, str], text: str) -> dict[str, str]:
    """The tags that describe a run by a text; none if somebody has written a description of their own.

    Args:
        tags: the tags that the run has.
        text: Markdown.
    """
    present = tags.get(NOTE_TAG)
    if present and _digest(present) != tags.get(DIGEST_TAG):
        return {}
    return {NOTE_TAG: text, DIGEST_TAG: _digest(text)} if present != text else {}


def adopted(tags: Mapping[str, str]) -> dict[str, str]:
    """The tag that marks the present description as one that may be replaced."""
    return {DIGEST_TAG: _digest(tags[NOTE_TAG])} if NOTE_TAG in tags else {}


def describe_run(record: Record, run_id: str, findings: ClassFindings | None = None) -> str:
    """The description of a run as it is now.

    Args:
        record: of the run.
        run_id: in MLflow.
        findings: what stands out in its classes, if it has finished.
    """
    return "\n\n".join(_paragraphs(record, run_id, findings))[:MAX_LENGTH]


def _paragraphs(record: Record, run_id: str, findings: ClassFindings | None) -> Iterator[str]:
    config = record.config
    compared, activation = factor_of([config]).arm(config), config["activation"]["name"]
    title = f"**{compared}**" if compared == activation else f"**{compared}** with {activation}"
    title += f" on {config['label_type']['name']} of {config['data']['name']}"
    yield f"{title}, seed {config['seed']}: {_status(record)}."
    if record.error:
        yield f"Error: `{record.error}`"
    if findings and findings.sentences:  # before the table, which may not fit with hundreds of classes
        yield "\n".join(f"- {sentence}" for sentence in findings.sentences)
    scores = list(_scores(record))
    if scores:
        yield "\n".join(scores)
    changed = [f"`{override}`" for override in record.overrides if _is_about_training(override)]
    yield f"Differs from the defaults: {', '.join(changed)}" if changed else "With all defaults."
    if record.resumed:
        points = ", ".join(f"epoch {each['epoch'] + 1:.0f}, step {each['step']:.0f}" for each in record.resumed)
        yield f"Interrupted and resumed at {points}."
    if record.changes:
        yield f"Changed on the way: {'; '.join(record.changes)}."
    if "reproduces" not in record.links and "evaluates" not in record.links:
        yield f"Train it again and compare: `{command('reproduce')} run={run_id}`"


def _status(record: Record) -> str:
    if "evaluates" in record.links:
        return record.status.lower()
    planned = record.config.get("training", {}).get("epochs", "?")
    epochs = f"{record.status.lower()}, {len(record.epochs)} of {planned} epochs"
    best = record.results.get("best_epoch")
    return f"{epochs}, best {best:.0f}" if best is not None else epochs


def _scores(record: Record) -> Iterator[str]:
    """A table of the mean IoU and each class's, of a finished run."""
    part = next(iter(scored_parts(record.results)), None)
    if record.status != "FINISHED" or part is None:
        return
    yield f"| IoU, {part} images | |\n| --- | ---: |\n| **mean** | **{record.results[f'{part}/mean_iou']:.3f}** |"
    for name in record.classes:
        value = record.results.get(f"{part}/iou/{name}")
        yield f"| {name} | {'does not occur' if value is None else f'{value:.3f}'} |"


def _is_about_training(override: str) -> bool:
    key = override_key(override)
    return key not in MACHINE_SPECIFIC_KEYS and key.split(".")[0].split("/")[0] not in _OF_THE_MACHINE


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]

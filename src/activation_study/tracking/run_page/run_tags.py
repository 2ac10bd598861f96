"""The tags of a run in MLflow: where its code comes from, what it ran on, and digests of what decided its result."""

from collections.abc import Mapping
from pathlib import Path

from activation_study.class_findings import ClassFindings
from activation_study.config.factor import factor_of
from activation_study.config.protocols import followed_protocol
from activation_study.location import SCRIPTS
from activation_study.palette import activation_color
from activation_study.records.record import Record
from activation_study.tracking.tags import IDENTITY_TAG, KEY_TAG, MAX_LENGTH

PARENT_TAG = "mlflow.parentRunId"
# With this value on one of its runs, MLflow's page shows a parent unfolded. Folded, its charts would be empty.
UNFOLDED = {"mlflow.runType": "evaluation"}
COLOR_TAG = "mlflow.runColor"  # of the run's dot and of its lines in charts; MLflow's page writes it as well
_GIT_TAGS = {
    "commit": "mlflow.source.git.commit",
    "branch": "mlflow.source.git.branch",
    "url": "mlflow.source.git.repoURL",
}


def run_tags(record: Record, folder: Path, findings: ClassFindings | None = None) -> dict[str, str]:
    """All tags that follow from the record; what it does not have gets none.

    Args:
        record: of the run.
        folder: of the run.
        findings: what stands out in its classes, if it has finished.
    """
    return {
        KEY_TAG: record.key,
        IDENTITY_TAG: record.identity,
        "folder": str(folder),
        **record.links,
        **source_tags(record),
        **_environment_tags(record),
        **{f"digest.{name}": digest for name, digest in record.digests.items()},
        **_state_tags(record),
        **({name: text[:MAX_LENGTH] for name, text in findings.tags.items()} if findings else {}),
    }


def color_tags(tags: Mapping[str, str], record: Record) -> dict[str, str]:
    """The tag that gives all runs of one arm their colour; none if the run has a colour already.

    Args:
        tags: the tags that the run has.
        record: of the run.
    """
    return {} if COLOR_TAG in tags else {COLOR_TAG: activation_color(factor_of([record.config]).arm(record.config))}


def source_tags(record: Record) -> dict[str, str]:
    """MLflow's own tags of the command and of the commit."""
    linked = {"reproduces": "reproduce", "evaluates": "evaluate"}
    command = next((linked[link] for link in record.links if link in linked), "train")
    git = record.environment.get("git", {})
    tags = {"mlflow.source.name": SCRIPTS[command], "mlflow.source.type": "LOCAL"}
    tags |= {tag: git[key] for key, tag in _GIT_TAGS.items() if git.get(key)}
    if git.get("clean") is not None:
        tags["mlflow.source.git.dirty"] = str(not git["clean"]).lower()
    return tags


def _environment_tags(record: Record) -> dict[str, str]:
    environment = record.environment
    versions = environment.get("versions", {})
    packages = (environment.get("backend") or "tensorflow", "keras")
    values = {
        **{key: environment.get(key) for key in ("device", "processor", "threads", "backend", "energy")},
        "precision": record.config.get("training", {}).get("precision"),
        "protocol": followed_protocol(record.config),
        "protocol_version": record.protocol,
        **{f"{name}_version": version for name, version in record.algorithms.items()},
        "activation_study": environment.get("activation_study"),
        **{package: versions.get(package) for package in ("python", *packages)},
    }
    return {key: str(value) for key, value in values.items() if value is not None}


def _state_tags(record: Record) -> dict[str, str]:
    tags = {"error": record.error} if record.error else {}
    tags |= {"resumed": str(len(record.resumed))} if record.resumed else {}
    return tags | ({"changes": "\n".join(record.changes)} if record.changes else {})

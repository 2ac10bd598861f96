"""A run as a program reads it (docs/reference/json.md)."""

from pathlib import Path
from typing import Any

from activation_study.records.record import Record
from activation_study.records.run import read_findings
from activation_study.tracking.mirror import run_id_of


def describe_run(record: Record, folder: Path) -> dict[str, Any]:
    """The fields of one run.

    Args:
        record: of the run.
        folder: of the run.
    """
    findings = read_findings(folder, record)
    return {
        "name": record.name,
        "study": record.study,
        "folder": folder,
        "identity": record.identity,
        "run_id": run_id_of(folder, record),
        "status": record.status,
        "reason": record.error,
        "data": record.config["data"]["name"],
        "label_type": record.config["label_type"]["name"],
        "activation": record.config["activation"]["name"],
        "seed": record.config["seed"],
        "epochs": len(record.epochs),
        "training_seconds": record.training_seconds,
        "results": record.results,
        "findings": findings and findings.fields,
        "changes": record.changes,
    }

"""A sweep's plan and account as programs read them (docs/reference/json.md)."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from activation_study.analysis.grouping import rows
from activation_study.config.identity import identity
from activation_study.config.schema import resolved
from activation_study.records.run import read_findings
from activation_study.sweep.plan import Job, study_dirs
from activation_study.sweep.plan_notes import notes_of
from activation_study.sweep.remaining import disk_bytes, estimate_seconds
from activation_study.sweep.status import RunStatus, status_of


def describe_plan(jobs: Sequence[Job]) -> dict[str, Any]:
    """What a sweep would do: how many runs have which status, every run, and what stands out."""
    counts = Counter(job.status for job in jobs)
    headings, groups = rows(jobs, lambda job: resolved(job.config))
    names = [heading.replace(" ", "_") for heading in headings]
    arms = {job.config.run_folder: dict(zip(names, key, strict=True)) for key, group in groups.items() for job in group}
    seconds = estimate_seconds(jobs)
    runs = [_planned_run(job, arms[job.config.run_folder], seconds[job.config.run_folder]) for job in jobs]
    estimates = [run["estimated_seconds"] for run in runs]
    return {
        "studies": study_dirs(jobs),
        "counts": {status.value: counts[status] for status in RunStatus},
        "estimated_seconds": None if None in estimates else sum(estimates),
        "disk_bytes": sum(run["disk_bytes"] for run in runs),
        "runs": runs,
        "notes": [note.strip() for note in notes_of(jobs)],
    }


def _planned_run(job: Job, arm: dict[str, str], seconds: float | None) -> dict[str, Any]:
    config = job.config
    return {
        "name": config.run_name,
        "folder": config.run_folder,
        "identity": identity(resolved(config)),
        "overrides": job.overrides,
        "arm": arm,
        "seed": config.seed,
        "status": job.status.value,
        "to_do": job.to_do,
        "epochs_done": len(job.before.epochs) if job.before else 0,
        "epochs": config.training.epochs,
        "estimated_seconds": seconds,
        "disk_bytes": disk_bytes(job) if job.to_do else 0,
    }


class Unfinished(NamedTuple):
    """A run of a sweep that was launched and did not finish.

    Args:
        job: the run.
        status: `failed`, `rejected`, or `running` in another process.
        reason: why, in words.
    """

    job: Job
    status: str
    reason: str


def describe_sweep(jobs: Sequence[Job], unfinished: Sequence[Unfinished], reports: Sequence[Path]) -> dict[str, Any]:
    """How a sweep ended.

    Args:
        jobs: all of its runs.
        unfinished: those that were launched and did not finish.
        reports: the pages of its studies' reports.
    """
    reasons = {job.config.run_folder: (status, reason) for job, status, reason in unfinished}
    runs = []
    for job in jobs:
        record = job.record
        now = (status_of(job.config.run_folder, record).value, record.error if record else None)
        status, reason = reasons.get(job.config.run_folder, now)
        record = record if status == "done" else None
        results = record.results if record else {}
        article = record is not None and record.has_article_score
        findings = read_findings(job.config.run_folder, record) if record else None
        runs.append(
            {
                "name": job.config.run_name,
                "folder": job.config.run_folder,
                "seed": job.config.seed,
                "status": status,
                "reason": reason,
                "mean_iou": results.get("test/mean_iou"),
                "article_mean_iou": results.get("test/article/mean_iou") if article else None,
                "findings": findings and findings.fields,
            }
        )
    counts = Counter(run["status"] for run in runs)
    return {"studies": study_dirs(jobs), "counts": counts, "runs": runs, "reports": reports}

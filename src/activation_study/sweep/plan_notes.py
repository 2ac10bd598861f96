"""What stands out in a plan: runs that are repeated, resumed or outdated, too little disk space, unfair arms."""

from collections.abc import Iterator, Sequence

from activation_study.analysis.grouping import arms_by_condition
from activation_study.config.equal_settings import in_words, unequal_settings
from activation_study.config.factor import factor_of
from activation_study.errors import MAX_LISTED, counted
from activation_study.records.source_code import code_digest, same_code
from activation_study.runs.messages import training_again
from activation_study.sweep.plan import Job
from activation_study.sweep.remaining import disk_space, format_size
from activation_study.sweep.status import RunStatus


def notes_of(jobs: Sequence[Job]) -> Iterator[str]:
    """What stands out in a plan, one line each."""
    todo = [job for job in jobs if job.to_do]
    repeated = [job for job in todo if job.status == RunStatus.DONE]
    if repeated:
        yield f"rerun=all: {counted(len(repeated), 'run')} will be trained again although finished"
    if todo:
        _, needed, free = disk_space(todo)
        if needed > free:
            hint = "tracking.weights=none avoids a second copy of the weights in MLflow"
            yield f"warning: {format_size(needed)} are needed, {format_size(free)} are free; {hint}"
    for job in [job for job in todo if job.status == RunStatus.RESUMABLE][:MAX_LISTED]:
        assert job.before is not None
        epochs = len(job.before.epochs)
        start = f"from its last checkpoint, at or before epoch {epochs}" if epochs else "in its first epoch"
        death = job.before.how_it_died if job.before.status == "RUNNING" else None
        yield f"  {job.config.run_name}{f': {death}; it' if death else ''} resumes {start}"
    yield from _unfair(jobs)
    yield from _outdated(jobs)


def _unfair(jobs: Sequence[Job]) -> Iterator[str]:
    """In what the arms of each condition differ beside what is compared and tuned."""
    configs = [job.masked_config for job in jobs]
    factor = factor_of(configs)
    conditions = arms_by_condition(configs, lambda config: config).values()
    sentences = dict.fromkeys(in_words(unequal_settings(dict(arms), factor), factor) for arms in conditions)
    yield from (f"warning: {sentence}" for sentence in sentences if sentence)


def _outdated(jobs: Sequence[Job]) -> Iterator[str]:
    """Which finished runs were made by other code than a run would use now; other data are rejected."""
    finished = [(job, job.before) for job in jobs if job.status == RunStatus.DONE and job.before is not None]
    code = code_digest()
    runs = [job for job, record in finished if not same_code(record.digests, code, job.config.plugins)]
    if runs:
        names = ", ".join(job.config.run_name for job in runs[:3]) + (", …" if len(runs) > 3 else "")
        how = training_again(runs[0].config)
        yield f"note: {counted(len(runs), 'run')} used different code: {names}; {how} trains them again"

"""The runs of a sweep that did not finish, and why."""

import sys
import traceback
from collections.abc import Sequence

from hydra.core.utils import JobReturn, JobStatus

from activation_study.credentials import without_credentials
from activation_study.errors import BadInput, counted
from activation_study.records.lock import is_locked
from activation_study.runs.messages import try_again
from activation_study.sweep.describe import Unfinished
from activation_study.sweep.plan import Job


def unfinished_runs(todo: Sequence[Job], returned: Sequence[JobReturn]) -> list[Unfinished]:
    """The runs that were launched and did not finish, and why."""
    found = []
    for number, job in enumerate(todo):
        record, result = job.record, returned[number] if number < len(returned) else None
        if job.config.tuning.trial is not None and record is not None and record.status in ("FAILED", "PRUNED"):
            continue  # its search is told so, and goes on
        new = record if record is None or job.before is None or record.ended != job.before.ended else None
        raised = result._return_value if result is not None and result.status == JobStatus.FAILED else None
        if isinstance(raised, BadInput):
            found.append(Unfinished(job, "rejected", str(raised)))
        elif raised is not None:
            print(without_credentials("".join(traceback.format_exception(raised))), file=sys.stderr)
            reason = without_credentials(f"{type(raised).__name__}: {raised}".split("\n")[0])
            found.append(Unfinished(job, "failed", reason))
        elif record is not None and record.status == "FAILED":
            found.append(Unfinished(job, "failed", record.error or "failed"))
        elif new is not None and new.status == "FINISHED":
            continue
        elif is_locked(job.config.run_folder):
            found.append(Unfinished(job, "running", f"{job.config.run_name} is running in another process"))
        elif new is None:
            reason = "it was not started, or its process died (killed? Ctrl-C twice? out of memory?)"
            found.append(Unfinished(job, "failed", reason))
        elif new.status == "KILLED":
            found.append(Unfinished(job, "failed", new.error or "it was stopped and saved its state"))
        else:
            found.append(Unfinished(job, "failed", new.how_it_died))
    return found


def print_summary(jobs: Sequence[Job], unfinished: Sequence[Unfinished]) -> None:
    """Prints which runs did not finish, and why; SystemExit(1) if a run failed, 2 if runs were only rejected."""
    failed, rejected, running = (
        [each for each in unfinished if each.status == status] for status in ("failed", "rejected", "running")
    )
    for each in running:
        print(each.reason)
    if failed:
        print(f"{len(failed)} of {counted(len(jobs), 'run')} failed; {try_again(jobs[0].config.rerun)}:")
    for each in failed:
        print(f"  {each.job.config.run_name}: {each.reason}")
    if rejected:
        print(f"{len(rejected)} of {counted(len(jobs), 'run')} rejected:")
    for reason in dict.fromkeys(each.reason for each in rejected):
        print(f"  {without_credentials(reason)}")
    if failed or rejected:
        raise SystemExit(1 if failed else 2)

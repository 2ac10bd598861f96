"""`hydra/launcher=slurm`: runs a sweep as a Slurm job array, by Hydra's submitit launcher."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from activation_study.console import ignore_broken_pipes
from activation_study.credentials import has_credentials
from activation_study.errors import BadInput
from activation_study.location import install_hint
from activation_study.signals import Interrupted

try:
    from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher
except ImportError:  # not installed; reported on use
    SlurmLauncher = Launcher

POLL_SECONDS = 5.0  # between two calls of squeue
POLLS = 3  # consecutive answers that a job must be missing from
SECOND_SIGNAL_SECONDS = 20.0  # within which a second signal may follow the first


class StudySlurmLauncher(SlurmLauncher):  # type: ignore[misc]
    """Hydra's submitit launcher; it waits for all jobs even if one fails, and its jobs save their state when warned.

    Args:
        **parameters: of submitit and sbatch; see `conf/hydra/launcher/slurm.yaml`.
    """

    def __init__(self, **parameters: Any) -> None:
        if SlurmLauncher is not Launcher:  # only some versions of srun inherit the number of cores
            cores = f"--cpus-per-task={parameters.get('cpus_per_task') or 1}"
            super().__init__(**{"srun_args": [cores], **parameters})

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before a sweep."""
        if SlurmLauncher is Launcher:
            raise BadInput(f"hydra/launcher=slurm is not installed: {install_hint('slurm')}")
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def threads(self, cores: int) -> int:
        """The threads of each job on its node; independent of this machine's cores."""
        return int(self.params["cpus_per_task"] or 1)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Submits the jobs as one array and waits for all of them."""
        from unittest.mock import patch  # imported late: every command loads this module

        import submitit

        if any(has_credentials(override) for overrides in job_overrides for override in overrides):
            raise BadInput(
                "hydra/launcher=slurm stores the command line in files, and it has a password; give it in the "
                "environment instead: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_URI "
                "with tracking=server"
            )
        if submitit.SlurmExecutor.affinity() < 0:
            raise BadInput("hydra/launcher=slurm: sbatch not found on this machine; start the sweep on a login node")
        cluster = subprocess.run(["sinfo"], capture_output=True, text=True, check=False)
        if cluster.returncode:
            message = (cluster.stderr.strip() or "no message").splitlines()[-1]
            raise BadInput(
                f"hydra/launcher=slurm: no Slurm cluster reachable (sinfo: {message}); start the sweep on a login "
                "node, or use hydra/launcher=joblib"
            )
        Queue.array = ""
        Queue.answers.clear()
        try:
            with patch.object(submitit.SlurmJob, "results", wait_for_results):
                returned: Sequence[JobReturn] = super().launch(job_overrides, initial_job_idx)
        except submitit.core.utils.FailedJobError as error:
            raise BadInput(f"hydra/launcher=slurm: sbatch rejected the jobs: {error}") from error
        except KeyboardInterrupt:
            if Queue.array:
                print(
                    f"\nThe jobs of Slurm array {Queue.array} keep running. Wait for them or cancel them with "
                    f"`scancel {Queue.array}`: running the same command now would submit the waiting ones twice",
                    file=sys.stderr,
                )
            raise
        return returned

    def __call__(self, *arguments: Any) -> JobReturn:
        """Runs one job inside Slurm. On SIGUSR2 the job saves its state, and submitit queues it again."""
        ignore_broken_pipes()
        try:
            returned: JobReturn = super().__call__(*arguments)
        except Interrupted as error:
            if error.args[0] == signal.SIGUSR2:
                os.kill(os.getpid(), signal.SIGUSR2)  # submitit's handler is installed again; does not return
            time.sleep(SECOND_SIGNAL_SECONDS)  # a SIGUSR2 may follow; the state is saved, so there is time
            raise SystemExit(error.exit_code) from error
        return returned


class Queue:
    """The user's jobs in Slurm's queue, polled at intervals."""

    array = ""
    answers: ClassVar[deque[frozenset[str]]] = deque(maxlen=POLLS)
    _polled_at = 0.0

    @classmethod
    def announce(cls, job: Any) -> None:
        """Prints the array's number, once."""
        array = job.job_id.partition("_")[0]
        if cls.array != array:
            cls.array = array
            print(
                f"Slurm array {array} submitted; `squeue` shows its state. Logs: {Path(job.paths.folder).parent}",
                flush=True,
            )

    @classmethod
    def has(cls, job: str) -> bool:
        """Whether a job is waiting or running; False once it is missing from several consecutive answers."""
        if time.monotonic() - cls._polled_at > POLL_SECONDS:
            cls._polled_at = time.monotonic()
            command = ["squeue", "--noheader", "--array", "--format=%i", "--me"]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode == 0:  # otherwise Slurm may be restarting
                cls.answers.append(frozenset(result.stdout.split()))
        return len(cls.answers) < POLLS or any(job in answer for answer in cls.answers)


def wait_for_results(job: Any) -> list[JobReturn]:
    """Waits for a submitit job and returns its results, however it ended; replaces submitit's method.

    submitit relies on sacct, which reports nothing if Slurm has no accounting: it would wait forever for a killed job.
    It also raises at the first job without a result, while others still run.
    """
    import submitit

    Queue.announce(job)
    while not (finished := _has_result(job)) and Queue.has(job.job_id):
        time.sleep(POLL_SECONDS / 5)
    if not (finished or _has_result(job)):
        return [JobReturn()]  # the run folder has the details
    try:
        results: list[JobReturn] = super(submitit.SlurmJob, job).results()
    except Exception as error:
        return [JobReturn(status=JobStatus.FAILED, _return_value=error)]
    return results


def _has_result(job: Any) -> bool:
    with suppress(OSError):  # touching the folder makes a shared file system refresh its listing
        job.paths.folder.chmod(job.paths.folder.stat().st_mode)
    return bool(job.paths.result_pickle.exists())

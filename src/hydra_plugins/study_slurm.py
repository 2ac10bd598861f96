"""`hydra/launcher=slurm`: each run of a sweep as a job of a Slurm array, by Hydra's submitit launcher."""

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
from activation_study.errors import BadInput
from activation_study.signals import Interrupted

try:
    from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher
except ImportError:  # without the extra; said where it is wanted
    SlurmLauncher = Launcher

SECONDS = 5.0  # between two looks at the queue
LOOKS = 3  # in which a job has to be missing
LATE = 20.0  # seconds in which a second signal may follow the first


class StudySlurmLauncher(SlurmLauncher):  # type: ignore[misc]
    """Hydra's submitit launcher, which waits for all jobs whatever becomes of one, and whose jobs save when warned.

    Args:
        **parameters: of submitit and sbatch: see `conf/hydra/launcher/slurm.yaml`.
    """

    def __init__(self, **parameters: Any) -> None:
        if SlurmLauncher is not Launcher:  # srun inherits the number of cores in some versions only
            cores = f"--cpus-per-task={parameters.get('cpus_per_task') or 1}"
            super().__init__(**{"srun_args": [cores], **parameters})

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """As Hydra calls it before a sweep."""
        if SlurmLauncher is Launcher:
            raise BadInput("hydra/launcher=slurm is not installed: pip install -e '.[slurm]' -c constraints.txt")
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def threads(self, cores: int) -> int:
        """What each job may have of its node, whatever this machine has."""
        return int(self.params["cpus_per_task"] or 1)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Submits the jobs as one array and waits for all."""
        from unittest.mock import patch  # each command loads this module

        import submitit

        if submitit.SlurmExecutor.affinity() < 0:
            raise BadInput("hydra/launcher=slurm: there is no sbatch on this machine; start the sweep on a login node")
        cluster = subprocess.run(["sinfo"], capture_output=True, text=True, check=False)
        if cluster.returncode:
            told = (cluster.stderr.strip() or "nothing").splitlines()[-1]
            raise BadInput(
                f"hydra/launcher=slurm: no cluster answers here (sinfo: {told}); start the sweep on a login node, or "
                "take hydra/launcher=joblib"
            )
        Queue.array = ""
        Queue.answers.clear()
        try:
            with patch.object(submitit.SlurmJob, "results", patient_results):
                returned: Sequence[JobReturn] = super().launch(job_overrides, initial_job_idx)
        except submitit.core.utils.FailedJobError as error:
            raise BadInput(f"hydra/launcher=slurm: sbatch refuses the jobs: {error}") from error
        except KeyboardInterrupt:
            if Queue.array:
                print(
                    f"\nThe jobs go on in Slurm's array {Queue.array}. Wait for them, or scancel {Queue.array}: "
                    "the same command would queue those that have not begun once more",
                    file=sys.stderr,
                )
            raise
        return returned

    def __call__(self, *arguments: Any) -> JobReturn:
        """One job, in Slurm. Warned by SIGUSR2, it saves, and submitit puts it into the queue again."""
        ignore_broken_pipes()
        try:
            returned: JobReturn = super().__call__(*arguments)
        except Interrupted as error:
            if error.args[0] == signal.SIGUSR2:
                os.kill(os.getpid(), signal.SIGUSR2)  # submitit's handler, in place again, does not come back
            time.sleep(LATE)  # a SIGUSR2 may follow: what saved has time
            raise SystemExit(error.exit_code) from error
        return returned


class Queue:
    """What Slurm has of the user's jobs, looked up now and then."""

    array = ""
    answers: ClassVar[deque[frozenset[str]]] = deque(maxlen=LOOKS)
    _asked = 0.0

    @classmethod
    def announce(cls, job: Any) -> None:
        """Names the array, once."""
        array = job.job_id.partition("_")[0]
        if cls.array != array:
            cls.array = array
            print(f"Slurm's array {array}: squeue shows it. Logs: {Path(job.paths.folder).parent}", flush=True)

    @classmethod
    def has(cls, job: str) -> bool:
        """Whether a job waits or runs: not when it is missing in several answers that came one after the other."""
        if time.monotonic() - cls._asked > SECONDS:
            cls._asked = time.monotonic()
            command = ["squeue", "--noheader", "--array", "--format=%i", "--me"]
            told = subprocess.run(command, capture_output=True, text=True, check=False)
            if told.returncode == 0:  # else Slurm may be restarting
                cls.answers.append(frozenset(told.stdout.split()))
        return len(cls.answers) < LOOKS or any(job in answer for answer in cls.answers)


def patient_results(job: Any) -> list[JobReturn]:
    """The results of a submitit job when it is over, however it ended; in place of submitit's own method.

    submitit asks sacct, which tells nothing where Slurm keeps no accounts: a killed job would be waited for forever.
    And it raises at the first job without a result, while others still run.
    """
    import submitit

    Queue.announce(job)
    while not (there := _has_result(job)) and Queue.has(job.job_id):
        time.sleep(SECONDS / 5)
    if not (there or _has_result(job)):
        return [JobReturn()]  # its run's folder knows more
    try:
        found: list[JobReturn] = super(submitit.SlurmJob, job).results()
    except Exception as error:
        return [JobReturn(status=JobStatus.FAILED, _return_value=error)]
    return found


def _has_result(job: Any) -> bool:
    with suppress(OSError):  # a shared file system looks again at a folder that is changed
        job.paths.folder.chmod(job.paths.folder.stat().st_mode)
    return bool(job.paths.result_pickle.exists())

"""`hydra/launcher=joblib`: a sweep's runs in several processes of this machine, by Hydra's own joblib launcher."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from activation_study.errors import BadInput
from activation_study.signals import GracefulShutdown
from activation_study.sweep.gpu_slots import visible_gpus
from activation_study.sweep.worker import Worker

try:
    from hydra_plugins.hydra_joblib_launcher.joblib_launcher import JoblibLauncher
except ImportError:  # without the extra; said where it is wanted
    JoblibLauncher = Launcher

PROCESSES = 2  # at once, where no cards say how many


class OwnLauncherConfig(SearchPathPlugin):
    """Takes the plugin's own configuration of this name out of the way of `conf/hydra/launcher/joblib.yaml`."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """As Hydra calls it when all plugins are there and nothing is composed yet."""
        ConfigStore.instance().repo.get("hydra", {}).get("launcher", {}).pop("joblib.yaml", None)


class StudyJoblibLauncher(JoblibLauncher):  # type: ignore[misc]
    """Hydra's joblib launcher, whose processes share cores and cards, and save what they have on a signal.

    Args:
        processes: at once; None: as many as the cards take, or 2 without cards.
        jobs_per_gpu: how many processes may share one.
    """

    def __init__(self, processes: int | None = None, jobs_per_gpu: int = 1) -> None:
        super().__init__()
        self._processes, self._jobs_per_gpu = processes, jobs_per_gpu

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """As Hydra calls it before a sweep."""
        if JoblibLauncher is Launcher:
            raise BadInput("hydra/launcher=joblib is not installed: pip install -e '.[joblib]' -c constraints.txt")
        for name, value in (("processes", self._processes), ("jobs_per_gpu", self._jobs_per_gpu)):
            if value is not None and value < 1:
                raise BadInput(f"hydra.launcher.{name}={value}: expected 1 or more")
        cards = visible_gpus()
        room = len(cards) * self._jobs_per_gpu
        if cards and (self._processes or room) > room:
            raise BadInput(
                f"hydra.launcher.processes={self._processes}: {len(cards)} cards have room for {room}; "
                "hydra.launcher.jobs_per_gpu lets more share one"
            )
        self._processes = self._processes or room or PROCESSES
        worker = Worker(task_function, cards, self._jobs_per_gpu)
        super().setup(hydra_context=hydra_context, task_function=worker, config=config)

    def threads(self, cores: int) -> int:
        """What each process may have of the machine's cores."""
        assert self._processes is not None
        return max(1, cores // self._processes)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Runs the jobs and waits; without results where a process was killed from outside."""
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        assert self._processes is not None
        self.joblib = {"n_jobs": min(self._processes, len(job_overrides)), "batch_size": 1}
        returned: Sequence[JobReturn] = []
        with GracefulShutdown() as interruption, _handing_on(interruption):
            try:
                returned = super().launch(job_overrides, initial_job_idx)
            except TerminatedWorkerError as error:
                print(f"a process was killed, and the others ended with it: {error}".split("\n")[0], file=sys.stderr)
        interruption.check()
        return returned


@contextmanager
def _handing_on(interruption: GracefulShutdown) -> Iterator[None]:
    """Tells the processes of the pool, as SIGTERM, that a signal came, which may have reached this process alone."""
    import psutil

    over = threading.Event()

    def watch() -> None:
        told = set[int]()
        while not over.wait(0.1):
            for child in psutil.Process().children() if interruption.requested is not None else []:
                if child.pid not in told:  # joblib's own helper among them ignores it
                    told.add(child.pid)
                    with suppress(psutil.Error):
                        child.terminate()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

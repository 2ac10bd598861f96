"""`hydra/launcher=joblib`: runs a sweep in several processes of this machine, by Hydra's joblib launcher."""

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
from omegaconf import DictConfig, OmegaConf

from activation_study.errors import BadInput
from activation_study.location import install_hint
from activation_study.signals import GracefulShutdown, pending_signal
from activation_study.sweep.gpu_slots import visible_gpus
from activation_study.sweep.worker import Worker

try:
    from hydra_plugins.hydra_joblib_launcher.joblib_launcher import JoblibLauncher
except ImportError:  # not installed; reported on use
    JoblibLauncher = Launcher

DEFAULT_PROCESSES = 2  # at once, on a machine without GPUs


class LauncherConfigPlugin(SearchPathPlugin):
    """Removes the configuration that Hydra's plugin registers, so that `conf/hydra/launcher/joblib.yaml` is used."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra when all plugins are loaded and nothing is composed yet."""
        ConfigStore.instance().repo.get("hydra", {}).get("launcher", {}).pop("joblib.yaml", None)


class StudyJoblibLauncher(JoblibLauncher):  # type: ignore[misc]
    """Hydra's joblib launcher; its processes share cores and GPUs, and save their state on a signal.

    Args:
        processes: how many run at once; None: as many as the GPUs have slots for, or 2 without a GPU.
        jobs_per_gpu: how many processes may share one GPU.
    """

    def __init__(self, processes: int | None = None, jobs_per_gpu: int = 1) -> None:
        super().__init__()
        self._processes, self._jobs_per_gpu = processes, jobs_per_gpu

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before a sweep."""
        if JoblibLauncher is Launcher:
            raise BadInput(f"hydra/launcher=joblib is not installed: {install_hint('joblib')}")
        for name, value in (("processes", self._processes), ("jobs_per_gpu", self._jobs_per_gpu)):
            if value is not None and value < 1:
                raise BadInput(f"hydra.launcher.{name}={value}: expected 1 or more")
        gpus = visible_gpus()
        slots = len(gpus) * self._jobs_per_gpu
        if gpus and self._processes is not None and self._processes > slots:
            raise BadInput(
                f"hydra.launcher.processes={self._processes}: expected {slots} or fewer with "
                f"{len(gpus)} {'GPU' if len(gpus) == 1 else 'GPUs'}; more can share a GPU with "
                f"hydra.launcher.jobs_per_gpu={-(-self._processes // len(gpus))}"
            )
        self._processes = self._processes or slots or DEFAULT_PROCESSES
        if self._processes > 1 and OmegaConf.select(config, "tracking.energy"):
            raise BadInput(
                f"tracking.energy=true: hydra/launcher=joblib trains {self._processes} runs at once here, and the "
                f"machine's counters cannot tell them apart; add hydra.launcher.processes=1, or leave the launcher out"
            )
        worker = Worker(task_function, gpus, self._jobs_per_gpu)
        super().setup(hydra_context=hydra_context, task_function=worker, config=config)

    @property
    def at_once(self) -> int:
        """How many runs run at the same time."""
        assert self._processes is not None
        return self._processes

    def threads(self, cores: int) -> int:
        """The threads of each process on a machine with this number of cores."""
        assert self._processes is not None
        return max(1, cores // self._processes)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Runs the jobs and waits for them; returns no results if a process was killed from outside."""
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        assert self._processes is not None
        # With one job, joblib would run a single one in this process, which would keep a GPU from the workers of the
        # sweep's other rounds, or wait for one that these hold.
        workers = min(self._processes, max(2, len(job_overrides)))
        self.joblib = {"n_jobs": workers, "batch_size": 1}
        returned: Sequence[JobReturn] = []
        with GracefulShutdown() as shutdown, _forward_signals(shutdown):
            try:
                returned = super().launch(job_overrides, initial_job_idx)
            except TerminatedWorkerError as error:
                print(f"a process was killed, which ended the others too: {error}".split("\n")[0], file=sys.stderr)
        shutdown.requested = shutdown.requested or pending_signal()  # with processes=1, jobs run in this process
        shutdown.check()
        return returned


@contextmanager
def _forward_signals(shutdown: GracefulShutdown) -> Iterator[None]:
    """Sends SIGTERM to the processes of the pool when this process receives a signal, which they may not have got."""
    import psutil

    finished = threading.Event()

    def watch() -> None:
        notified = set[int]()
        while not finished.wait(0.1):
            for child in psutil.Process().children() if shutdown.requested is not None else []:
                if child.pid not in notified:  # one of them is joblib's helper, which ignores the signal
                    notified.add(child.pid)
                    with suppress(psutil.Error):
                        child.terminate()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()

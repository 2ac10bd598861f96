"""Starts the project's scripts in forks of a process that has imported TensorFlow and MLflow, which saves 6 s or more.

Each pytest process has one such server, `multiprocessing`'s forkserver. A script that needs another environment than
the server's gets a new interpreter (`can_fork`), as do the tests of the start itself (`test_command_line.py`).
"""

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from unittest import mock

TESTS = Path(__file__).parent
# What pytest adds to the path of imports.
ADDED = ("", str(TESTS.parent), str(TESTS), str(TESTS.parent / "benchmarks"))
# The environment of all commands: without what tests and imports set later in `os.environ`.
ENVIRONMENT = dict(os.environ)
# Variables that nothing reads when it is imported: a forked process can have them.
READ_LATER = ("COLUMNS", "MLFLOW_TRACKING_")
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["warm_imports"])


def can_fork(variables: Mapping[str, str]) -> bool:
    """Whether the server has imported what a new interpreter with these variables beside `ENVIRONMENT` would import."""
    return all(name.startswith(READ_LATER) for name in variables)


class ForkedProcess:
    """A running script, with the part of `subprocess.Popen`'s interface that the tests use."""

    def __init__(
        self, folder: Path, script: Path, arguments: tuple[str, ...], variables: Mapping[str, str], merged: bool
    ) -> None:
        """Starts `python script *arguments` in `folder`; with `merged`, standard error goes into the output."""
        assert can_fork(variables)
        _start_server()
        self._outputs = tempfile.TemporaryDirectory()
        output = Path(self._outputs.name) / "output"
        self._files = (output, output if merged else output.with_name("error"))
        target = (str(script), arguments, folder, {**ENVIRONMENT, **variables}, self._files)
        self._process = _CONTEXT.Process(target=_run, args=target)
        self._process.start()
        self.pid = self._process.pid
        atexit.register(self.kill)  # otherwise pytest would wait for it at its end

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Output and errors, at the end of the process."""
        self._process.join(timeout)
        if self.returncode is None:
            self.kill()
            raise subprocess.TimeoutExpired(self._process.name, timeout)
        output, error = (path.read_text() if path.exists() else "" for path in self._files)
        return output, "" if self._files[0] == self._files[1] else error


@cache
def _start_server() -> None:
    """Starts it so that it finds `warm_imports`."""
    path = os.pathsep.join(filter(None, (str(TESTS), ENVIRONMENT.get("PYTHONPATH"))))
    with mock.patch.dict(os.environ, {**ENVIRONMENT, "PYTHONPATH": path}, clear=True):
        forkserver.ensure_running()


def _run(
    script: str, arguments: tuple[str, ...], folder: Path, environment: dict[str, str], outputs: tuple[Path, Path]
) -> None:
    """Runs a script in this process, as `python script *arguments` would; variables that the imports set stay."""
    if "warm_imports" not in sys.modules:
        raise RuntimeError("another test has started the forkserver, without warm_start.py's imports and environment")
    os.environ.pop("PYTHONPATH")
    os.environ.update(environment)
    os.chdir(folder)
    for number, path in enumerate(outputs, 1):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.argv[:] = [script, *arguments]
    sys.path[:] = [str(Path(script).parent), *(path for path in sys.path if path not in ADDED)]
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        threading._shutdown()  # in this order, as at the end of an interpreter
        atexit._run_exitfuncs()  # multiprocessing leaves them out

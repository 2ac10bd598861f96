"""Runs the project's commands as a user does, on tiny data."""

import subprocess
import sys
from pathlib import Path

from warm_start import ENVIRONMENT, ForkedProcess, can_fork

ROOT = Path(__file__).parents[1]
TINY = (
    "data=scenes", "data.count=12", "data.image_size=32", "model.widths=[4,6]", "model.encoder_blocks=[1,1]",
    "model.decoder_blocks=[1]", "training.epochs=3", "training.batch_size=3", "study=tiny", "threads=1",
)  # fmt: skip


def command(
    folder: Path, script: str, *arguments: str, fork: bool = True, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs a script of the project (or another one, by its absolute path) in `folder`.

    Without `fork`, or with variables that matter when something is imported, in a new interpreter.
    """
    line = [sys.executable, str(ROOT / script), *arguments]
    if not (fork and can_fork(variables)):
        environment = {**ENVIRONMENT, **variables}
        return subprocess.run(
            line, capture_output=True, text=True, cwd=folder, timeout=600, check=False, env=environment
        )
    process = ForkedProcess(folder, ROOT / script, arguments, variables, merged=False)
    output, error = process.communicate(timeout=600)
    return subprocess.CompletedProcess(line, process.returncode, output, error)


def start(folder: Path, script: str, *arguments: str) -> ForkedProcess:
    """Starts a script of the project in `folder`; its errors go into its output."""
    return ForkedProcess(folder, ROOT / script, arguments, {}, merged=True)

"""Interleaved measurements: candidates, each in its own process, take turns, so that other load affects all alike."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

CANDIDATE_SCRIPT = Path(__file__).with_name("candidates.py")
BATCH = 16
PRODUCT_SIDE = 4096  # of the square matrices in the benchmark of the machine itself


def widths_from(first: int) -> list[int]:
    """The widths of the U-Net with this width of the first level."""
    return [first * 2**level for level in range(6)]


@dataclass
class Candidate:
    """A process that trains one step on request.

    Args:
        implementation: article, torch, project or product; see candidates.py.
        activation: its name.
        precision: Keras' name of the dtype policy.
        size: (side of the images in pixels, width of the first level).
        images: how many images the batches are chosen from.
        environment: additional environment variables.
        seconds: of each step.
        peak: memory of the process in GB; set by `stop`.
        mapped: the part of `peak` that is mapped files.
    """

    implementation: str
    activation: str
    precision: str
    size: tuple[int, int]
    images: int = 715
    environment: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    peak: float = 0.0
    mapped: float = 0.0

    def start(self) -> None:
        """Starts the process and waits until it has trained two steps."""
        arguments = (self.implementation, self.activation, self.precision, *self.size, self.images)
        command = [sys.executable, CANDIDATE_SCRIPT, *arguments]
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # open as long as the process
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={**os.environ, **self.environment},
        )
        self._read_line()
        for _ in range(2):
            self.step()
        self.seconds.clear()

    def step(self) -> None:
        """Trains one step."""
        assert self.process.stdin is not None
        print(file=self.process.stdin, flush=True)
        self.seconds.append(float(self._read_line()))

    def stop(self) -> None:
        """Ends the process and stores its memory."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.peak, self.mapped = map(float, self._read_line().split())
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def _read_line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.errors.seek(0)
            name = f"{self.implementation} {self.activation} {self.precision}"
            raise SystemExit(f"{name} exited with code {code}:\n{self.errors.read()}")
        return line.strip()

    @property
    def median(self) -> float:
        """Median seconds of a step."""
        return statistics.median(self.seconds)

    def ratio_to(self, other: "Candidate") -> float:
        """The duration of a step relative to the other's: the median ratio over the turns."""
        return statistics.median(a / b for a, b in zip(self.seconds, other.seconds, strict=True))


def measure(candidates: Sequence[Candidate], turns: int) -> None:
    """Starts all candidates, lets each train one step per turn, and stops them."""
    names = ", ".join(f"{one.implementation} {one.activation} {one.precision}" for one in candidates)
    log(f"{names}: {turns} turns …")
    for candidate in candidates:
        candidate.start()
    for _ in range(turns):
        for candidate in candidates:
            candidate.step()
    for candidate in candidates:
        candidate.stop()


def log(text: str) -> None:
    """Prints progress to standard error."""
    print(text, file=sys.stderr, flush=True)

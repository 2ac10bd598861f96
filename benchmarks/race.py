"""Ways to train, each in a process of its own, taking turns: what else the machine does meets all alike."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

CONTENDER = Path(__file__).with_name("contender.py")
BATCH = 16
PRODUCT_SIDE = 4096  # of the square matrices that the machine itself multiplies


def widths_from(first: int) -> list[int]:
    """The U-Net's, from the first level's."""
    return [first * 2**level for level in range(6)]


@dataclass
class Contender:
    """A process that trains a step when it is told to.

    Args:
        way: see contender.py.
        activation: its name.
        precision: Keras' name of the dtype policy.
        size: (side of the pictures, width of the first level).
        pictures: how many to choose batches from.
        environment: what differs in its environment.
        seconds: of each step.
        peak: of the process' memory, in GB; known at its end.
        mapped: what of that are mapped files.
    """

    way: str
    activation: str
    precision: str
    size: tuple[int, int]
    pictures: int = 715
    environment: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    peak: float = 0.0
    mapped: float = 0.0

    def start(self) -> None:
        """Starts it, and waits until it has trained twice."""
        told = (self.way, self.activation, self.precision, *self.size, self.pictures)
        command = [sys.executable, CONTENDER, *told]
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # as long as the process
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={**os.environ, **self.environment},
        )
        self._answer()
        for _ in range(2):
            self.step()
        self.seconds.clear()

    def step(self) -> None:
        """One step."""
        assert self.process.stdin is not None
        print(file=self.process.stdin, flush=True)
        self.seconds.append(float(self._answer()))

    def stop(self) -> None:
        """Ends it, and keeps its memory."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.peak, self.mapped = map(float, self._answer().split())
        self.process.wait()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.errors.seek(0)
            raise SystemExit(f"{self.way} {self.activation} {self.precision} ended with {code}:\n{self.errors.read()}")
        return line.strip()

    @property
    def median(self) -> float:
        """Seconds of a step."""
        return statistics.median(self.seconds)

    def times(self, other: "Contender") -> float:
        """How many times the other's step this one's takes: the median over the turns."""
        return statistics.median(a / b for a, b in zip(self.seconds, other.seconds, strict=True))


def race(contenders: Sequence[Contender], turns: int) -> None:
    """Lets them take turns."""
    names = ", ".join(f"{each.way} {each.activation} {each.precision}" for each in contenders)
    say(f"{names}: {turns} turns …")
    for each in contenders:
        each.start()
    for _ in range(turns):
        for each in contenders:
            each.step()
    for each in contenders:
        each.stop()


def say(text: str) -> None:
    """What is being measured."""
    print(text, file=sys.stderr, flush=True)

"""Training side by side: python benchmarks/bench.py [--quick], or `make bench`, which writes docs/BENCHMARKS.md.

Each way to train is a process of its own; they take turns, one step each, so that what else the machine does meets all
alike. Ratios are medians over the turns. Prints Markdown; what it does goes to standard error.
"""

import argparse
import datetime
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from activation_study.hardware import BFLOAT16_FLAGS, processor_flags
from activation_study.run.backend import available_threads
from activation_study.run.environment import processor

CONTENDER = Path(__file__).with_name("contender.py")
ACTIVATIONS = ("relu", "mish", "frelu")
PRECISIONS = ("float32", "mixed_bfloat16")
PRODUCT_SIDE = 4096
PACKAGES = ("tensorflow", "keras", "numpy", "torch")
BATCH = 16
NAMES = {"article": "the article's code", "torch": "PyTorch, channels last", "project": "this project"}


@dataclass
class Contender:
    """A process that trains a step when it is told to."""

    way: str
    activation: str
    precision: str
    size: tuple[int, int]
    pictures: int = 715
    seconds: list[float] = field(default_factory=list)
    peak: float = 0.0
    mapped: float = 0.0

    def start(self) -> None:
        """Starts it, and waits until it has trained twice."""
        told = (self.way, self.activation, self.precision, *self.size, self.pictures)
        command = [sys.executable, CONTENDER, *told]
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # as long as the process
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True
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
        """Ends it, and keeps its peak of memory, and what of it are mapped files, in GB."""
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
    print(f"{names}: {turns} turns …", file=sys.stderr, flush=True)
    for each in contenders:
        each.start()
    for _ in range(turns):
        for each in contenders:
            each.step()
    for each in contenders:
        each.stop()


def gigaflops_of_an_image(side: int, width: int) -> float:
    """Of training: the convolutions forward, and twice that backward, but for the gradient of the picture."""
    w = [width * 2**level for level in range(6)]
    levels = [
        [(3, w[0])], [(w[0], w[1])], [(w[1], w[2])], [(w[2], w[3]), (w[4] + w[3], w[3])],
        [(w[3], w[4]), (w[4], w[4]), (w[5] + w[4], w[4]), (w[4], w[4])], [(w[4], w[5]), (w[5], w[5]), (w[5], w[5])],
    ]  # fmt: skip
    levels[2].append((w[3] + w[2], w[2]))
    levels[1].append((w[2] + w[1], w[1]))
    levels[0].append((w[1] + w[0], 2 * w[0]))
    pixels = [side * side / 4**level for level in range(6)]
    forward = sum(2 * 9 * a * b * pixels[level] for level, pairs in enumerate(levels) for a, b in pairs)
    forward += 2 * 2 * w[0] * 3 * pixels[0]
    return (3 * forward - 2 * 9 * 3 * w[0] * pixels[0]) / 1e9


def products(turns: int, size: tuple[int, int]) -> dict[str, float]:
    """The machine's matrix product in GFLOP/s, by precision."""
    contenders = [Contender("product", "none", precision, size) for precision in PRECISIONS]
    race(contenders, 4 * turns)
    return {each.precision: 2 * PRODUCT_SIDE**3 / each.median / 1e9 for each in contenders}


def ways(activation: str, size: tuple[int, int], turns: int, speed: dict[str, float]) -> list[str]:
    """The lines of one activation: each way against the article's code in float32."""
    plan = (("article", "float32"), ("project", "float32"), ("torch", "mixed_bfloat16"), ("project", "mixed_bfloat16"))
    contenders = [
        Contender(way, activation, precision, size) for way, precision in plan if way != "torch" or _installed("torch")
    ]
    race(contenders, turns)
    work = gigaflops_of_an_image(*size)
    lines = []
    for each in contenders:
        rate = BATCH / each.median
        cells = [activation, NAMES[each.way], each.precision, f"{rate:.2f}", f"{1 / each.times(contenders[0]):.2f}"]
        lines.append(_row([*cells, f"{100 * rate * work / speed[each.precision]:.0f} %", f"{each.peak:.2f}"]))
    return lines


def activations(precision: str, size: tuple[int, int], turns: int) -> str:
    """The line of one precision: a step with each activation against ReLU's."""
    contenders = [Contender("project", name, precision, size) for name in ACTIVATIONS]
    race(contenders, turns)
    return _row(
        [precision, f"{contenders[0].median:.3f}", *(f"{each.times(contenders[0]):.3f}" for each in contenders[1:])]
    )


def memory(size: tuple[int, int]) -> list[str]:
    """The lines about ten times the pictures."""
    contenders = [
        Contender(way, "relu", "float32", size, pictures) for way in ("article", "project") for pictures in (715, 7150)
    ]
    for each in contenders:
        race([each], 3)
    return [
        _row([NAMES[each.way], f"{each.pictures:,}", f"{each.peak - each.mapped:.2f}", f"{each.mapped:.2f}"])
        for each in contenders
    ]


def _installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small network and few turns: shows that it works")
    parser.add_argument("--turns", type=int, default=7, help="steps of each way")
    options = parser.parse_args()
    size, turns = ((64, 8), 3) if options.quick else ((224, 32), options.turns)
    if not _installed("torch"):
        print("PyTorch is left out: pip install -c constraints.txt -e .[bench]", file=sys.stderr)
    speed = products(turns, size)
    flags = ", ".join(sorted(BFLOAT16_FLAGS & processor_flags())) or "no instructions for bf16"
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES if _installed(name))
    machine = f"{processor()}, {available_threads()} cores ({flags}), {platform.system()}"
    print(f"# Benchmarks\n\nWritten by `make bench` on {datetime.date.today()}.\n")
    print(f"{machine}, Python {platform.python_version()}, {versions}.\n\n## Training\n")
    print(
        f"The U-Net at {size[0]}×{size[0]}, widths from {size[1]}, batches of {BATCH}: "
        f"{gigaflops_of_an_image(*size):.1f} GFLOP a picture. Each way in a process of its own, taking turns, {turns} "
        f"steps each; medians; 715 pictures. Machine: its product of two {PRODUCT_SIDE}×{PRODUCT_SIDE} matrices, "
        f"{speed['float32']:.0f} GFLOP/s in float32, {speed['mixed_bfloat16']:.0f} in bf16. Peak: of the process.\n"
    )
    print(
        _row(["activation", "way", "precision", "images/s", "times the article's code", "of the machine", "peak, GB"])
    )
    print(_row(["---"] * 7))
    for name in ACTIVATIONS:
        print("\n".join(ways(name, size, turns, speed)), flush=True)
    print("\n## Memory\n\nOf a process that trains ReLU in float32, GB, after 5 steps. Mapped files (an epoch would")
    print("map all of them) can be dropped by the system at any time.\n")
    print(_row(["way", "pictures", "peak without mapped files", "mapped files"]))
    print(_row(["---"] * 4))
    print("\n".join(memory(size)), flush=True)
    print("\n## Activations\n\nWhat an activation costs: this project's step, times ReLU's, taking turns.\n")
    print(_row(["precision", "ReLU, s a step", "Mish", "FReLU"]))
    print(_row(["---"] * 4))
    for precision in PRECISIONS:
        print(activations(precision, size, turns), flush=True)


if __name__ == "__main__":
    main()

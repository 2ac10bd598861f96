"""How cost grows with pictures, their size, the network's width and the number of runs."""

import dataclasses
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from activation_study.config.schema import Config
from activation_study.data.dataset import Dataset
from activation_study.data.iccv09 import Iccv09Folder
from common import PROJECT, medians, prepare_anew, table
from race import Contender, race, say

PER_SEED = 3  # runs: ReLU, Mish, FReLU


def growth(config: Config, dataset: Dataset, size: tuple[int, int], folder: Path, quick: bool) -> str:
    """The section.

    Args:
        config: of a data set in the Stanford set's layout.
        dataset: that data set.
        size: (side of the pictures, width of the first level), the largest.
        folder: for what is written.
        quick: fewer runs.
    """
    rows = [*_pictures(config, dataset), *_size(size), *_runs(folder / "study", (2, 3) if quick else (2, 4, 10))]
    return (
        "## Growth\n\nHow cost grows: y ∝ xᵏ, k fitted by least squares of the logarithms. 1 is proportional, for "
        "side and width 2; a fixed part makes k smaller. Preparation: from files, on all cores. Training: a step of "
        "ReLU in float32. Runs: of a toy study (drawn scenes, 2 test images, 32×32, one epoch), so that what is shown "
        "is the cost of a run to the framework.\n\n" + table(["what", "of", "cost", "k"], rows)
    )


def _pictures(config: Config, dataset: Dataset) -> Iterator[list[str]]:
    say("preparation of more and more pictures …")
    source = dataset.source
    assert isinstance(source, Iccv09Folder)
    counts = [len(source.names) // part for part in (8, 4, 2, 1)]
    parts = [dataclasses.replace(source, names=source.names[:count]) for count in counts]
    seconds = medians(*(lambda part=part: prepare_anew(part, dataset, config) for part in parts))
    yield _row("preparation, s", "pictures", counts, seconds)


def _size(size: tuple[int, int]) -> Iterator[list[str]]:
    side, width = size
    sides = sorted({max(32, side * part // 4 // 32 * 32) for part in (2, 3, 4)})
    widths = [width // part for part in (4, 2, 1)]
    for what, values, sizes in (
        ("side, px", sides, [(each, width) for each in sides]),
        ("width of the first level", widths, [(side, each) for each in widths]),
    ):
        contenders = [Contender("project", "relu", "float32", each) for each in sizes]
        race(contenders, 3)
        yield _row("a step, s", what, values, [each.median for each in contenders])
        yield _row("peak of memory, GB", what, values, [each.peak for each in contenders])


def _runs(folder: Path, seeds: Sequence[int]) -> Iterator[list[str]]:
    costs = [_run_costs(folder, count) for count in seeds]
    runs = [PER_SEED * count for count in seeds]
    names = ("finished runs skipped, s", "compare.py without pictures, s", "disk, MB")
    for what, values in zip(names, zip(*costs, strict=True), strict=True):
        yield _row(what, "runs", runs, values)


def _run_costs(folder: Path, seeds: int) -> tuple[float, float, float]:
    """Of a study with so many seeds: seconds to skip its runs, seconds to compare them, MB on disk."""
    say(f"{PER_SEED * seeds} runs …")
    sweep = [
        *("train.py", "-m", "activation=relu,mish,frelu", f"seed=range({seeds})", f"study={folder.name}"),
        *("data=scenes", "data.count=10", "data.image_size=32", "model=unet_small", "training.epochs=1"),
        *("tracking=off", f"folder={folder.parent}", f"data.cache={folder.parent / 'cache'}"),
    ]
    comparison = ["compare.py", f"study={folder.name}", f"folder={folder.parent}", "pictures=false"]
    _call(sweep)
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    skipped, compared = medians(lambda: _call(sweep), lambda: _call(comparison), turns=3)
    return skipped, compared, disk / 1e6


def _call(command: Sequence[str]) -> None:
    done = subprocess.run([sys.executable, *command], cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _row(what: str, of: str, xs: Sequence[int], ys: Sequence[float]) -> list[str]:
    exponent = np.polyfit(np.log(xs), np.log(ys), 1)[0]
    return [what, f"{of}: {', '.join(map(str, xs))}", ", ".join(f"{y:.3g}" for y in ys), f"{exponent:.2f}"]

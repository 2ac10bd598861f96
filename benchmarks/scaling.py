"""How cost grows with the number and size of images, the width of the network and the number of runs."""

import dataclasses
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from activation_study.config.schema import Config
from activation_study.data.dataset import Dataset
from activation_study.data.iccv09 import Iccv09Folder
from common import PROJECT, medians, preprocess_uncached, table
from interleaved import Candidate, log, measure

RUNS_PER_SEED = 3  # ReLU, Mish, FReLU


def scaling(config: Config, dataset: Dataset, size: tuple[int, int], folder: Path, quick: bool) -> str:
    """The section "Scaling" in Markdown.

    Args:
        config: of a data set in the layout of the Stanford set.
        dataset: that data set.
        size: (side of the images in pixels, width of the first level); the largest that is measured.
        folder: for temporary files.
        quick: fewer runs.
    """
    rows = [*_images(config, dataset), *_size(size), *_runs(folder / "study", (2, 3) if quick else (2, 4, 10))]
    return (
        "## Scaling\n\nHow cost grows: y ∝ xᵏ, with k fitted by least squares of the logarithms. Proportional growth "
        "is k = 1, for side and width k = 2; fixed costs make k smaller. Preprocessing: from files, on all cores. "
        "Training: a step with ReLU in float32. Runs: of a toy study (drawn scenes, 2 test images, 32×32, one epoch), "
        "so that the cost of the framework per run dominates.\n\n" + table(["what", "of", "cost", "k"], rows)
    )


def _images(config: Config, dataset: Dataset) -> Iterator[list[str]]:
    log("preprocessing …")
    source = dataset.source
    assert isinstance(source, Iccv09Folder)
    counts = [len(source.names) // part for part in (8, 4, 2, 1)]
    parts = [dataclasses.replace(source, names=source.names[:count]) for count in counts]
    seconds = medians(*(lambda part=part: preprocess_uncached(part, dataset, config) for part in parts))
    yield _row("preprocessing, s", "images", counts, seconds)


def _size(size: tuple[int, int]) -> Iterator[list[str]]:
    side, width = size
    sides = sorted({max(32, side * part // 4 // 32 * 32) for part in (2, 3, 4)})
    widths = [width // part for part in (4, 2, 1)]
    for what, values, sizes in (
        ("side, px", sides, [(value, width) for value in sides]),
        ("width of the first level", widths, [(side, value) for value in widths]),
    ):
        candidates = [Candidate("project", "relu", "float32", candidate_size) for candidate_size in sizes]
        measure(candidates, 3)
        yield _row("a step, s", what, values, [candidate.median for candidate in candidates])
        yield _row("peak memory, GB", what, values, [candidate.peak for candidate in candidates])


def _runs(folder: Path, seeds: Sequence[int]) -> Iterator[list[str]]:
    costs = [_run_costs(folder, count) for count in seeds]
    runs = [RUNS_PER_SEED * count for count in seeds]
    names = ("finished runs skipped, s", "compare.py without pictures, s", "disk, MB")
    for what, values in zip(names, zip(*costs, strict=True), strict=True):
        yield _row(what, "runs", runs, values)


def _run_costs(folder: Path, seeds: int) -> tuple[float, float, float]:
    """Of a study with this many seeds: seconds to skip finished runs, seconds to compare them, MB on disk."""
    log(f"{RUNS_PER_SEED * seeds} runs …")
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
        raise SystemExit(f"{' '.join(command)} exited with code {done.returncode}:\n{done.stdout}{done.stderr}")


def _row(what: str, of: str, xs: Sequence[int], ys: Sequence[float]) -> list[str]:
    exponent = np.polyfit(np.log(xs), np.log(ys), 1)[0]
    return [what, f"{of}: {', '.join(map(str, xs))}", ", ".join(f"{y:.3g}" for y in ys), f"{exponent:.2f}"]

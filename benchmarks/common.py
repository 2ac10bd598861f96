"""Shared by the benchmarks: configurations, networks, noise batches, drawn data sets, interleaved timing, tables."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from hydra import compose, initialize_config_dir

from activation_study.config.registration import register
from activation_study.config.schema import Config
from activation_study.data.dataset import Dataset
from activation_study.data.labels.label_types import label_type_of
from activation_study.data.preprocessing import preprocess
from activation_study.data.source import Source
from activation_study.model.build import build_network
from activation_study.validation import from_hydra

if TYPE_CHECKING:
    from activation_study.model.network import Network

PROJECT = Path(__file__).resolve().parents[1]
SCENES = ("data=scenes", "data.count=20")


def configuration(*overrides: str, data: Sequence[str] = SCENES) -> Config:
    """The configuration that train.py would compose with the article's protocol; drawn scenes by default."""
    register("schema", Config)
    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):
        return from_hydra(compose("config", ["protocol=article", *data, *overrides]))


def network(config: Config) -> "Network":
    """The untrained network."""
    return build_network(config, len(label_type_of(config).classes))


def batch(config: Config) -> tuple[Any, Any]:
    """One batch of noise: uint8 [N, height, width, 3] and int8 [N, height, width]."""
    generator = np.random.default_rng(0)
    shape = (config.training.batch_size, *config.image_size)
    return (
        generator.integers(0, 256, (*shape, 3), dtype=np.uint8),
        generator.integers(0, 3, shape).astype(np.int8),
    )


def preprocess_uncached(source: Source, dataset: Dataset, config: Config) -> None:
    """Preprocesses the images and labels of a source with an empty cache."""
    with tempfile.TemporaryDirectory(dir=config.data.cache) as cache:
        preprocess(source, dataset.label_type, config.image_size, "bgr", "bilinear", Path(cache))


def drawn_folder(root: Path, count: int) -> tuple[str, ...]:
    """Writes drawn scenes as files in the layout of the Stanford set; returns the overrides that select them."""
    import cv2

    from activation_study.data.labels.label_types import LABEL_TYPES
    from activation_study.data.scenes.generator import draw_scenes

    source = draw_scenes(count, seed=0)
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    for index, name in enumerate(source.names):
        cv2.imwrite(str(root / "images" / f"{name}.jpg"), source.image(index))
        for label_type in LABEL_TYPES:
            np.savetxt(root / "labels" / f"{name}.{label_type}.txt", source.label(index, label_type), "%d")
    return "data=camvid", f"data.root={root}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def medians(*functions: Callable[[], Any], turns: int = 5) -> list[float]:
    """The median seconds of each function; they take turns."""
    return [statistics.median(seconds) for seconds in in_turns(*functions, turns=turns)]


def in_turns(*functions: Callable[[], Any], turns: int) -> list[list[float]]:
    """The seconds of each function at each of its turns."""
    seconds: list[list[float]] = [[] for _ in functions]
    for _ in range(turns):
        for function, durations in zip(functions, seconds, strict=True):
            started = time.perf_counter()
            function()
            durations.append(time.perf_counter() - started)
    return seconds


@contextmanager
def timed(owner: Any, name: str) -> Iterator[list[float]]:
    """Collects the seconds of each call of a method or module function while the block runs."""
    original, seconds = getattr(owner, name), list[float]()

    def measured(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return original(*arguments, **named)
        finally:
            seconds.append(time.perf_counter() - started)

    setattr(owner, name, measured)
    try:
        yield seconds
    finally:
        setattr(owner, name, original)

"""What the benchmarks share: a network as a run would build it, and batches of noise."""

from pathlib import Path
from typing import Any

import numpy as np
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore

from activation_study.checks import checked
from activation_study.config import Config
from activation_study.run.inputs import Inputs
from activation_study.run.network import Network
from activation_study.run.opening import build_network

CONF = Path(__file__).resolve().parents[1] / "conf"


def configuration(*overrides: str) -> Config:
    """The configuration that train.py would have; drawn scenes, so that no data set is needed."""
    ConfigStore.instance().store("schema", Config)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return checked(compose("config", ["data=scenes", "data.count=20", *overrides]))


def network(config: Config) -> Network:
    """The untrained network."""
    return build_network(config, Inputs(config))


def batch(config: Config) -> tuple[Any, Any]:
    """One batch of noise: uint8 [N, height, width, 3] and int8 [N, height, width]."""
    generator = np.random.default_rng(0)
    shape = (config.training.batch_size, *config.image_size)
    return (
        generator.integers(0, 256, (*shape, 3), dtype=np.uint8),
        generator.integers(0, 3, shape).astype(np.int8),
    )

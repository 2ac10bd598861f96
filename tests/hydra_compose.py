"""Configurations as train.py composes them, for tests."""

from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from activation_study.config.schema import Config

CONF = Path(__file__).parents[1] / "conf"


def composed(overrides: Sequence[str]) -> DictConfig:
    ConfigStore.instance().store("schema", Config)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides))

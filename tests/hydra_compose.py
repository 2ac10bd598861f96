"""Configurations as train.py composes them, for tests."""

from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from activation_study.config.registration import register
from activation_study.config.schema import Config

CONF = Path(__file__).parents[1] / "conf"


def composed(overrides: Sequence[str]) -> DictConfig:
    register("schema", Config)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides))

"""What Hydra must know before it composes a configuration: the schemas, and the resolver in conf/config.yaml."""

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from activation_study.config.protocols import default_protocol


def register(name: str, schema: type) -> None:
    """Makes a schema known by the name that files in `conf/` have for it."""
    ConfigStore.instance().store(name, schema)
    OmegaConf.register_new_resolver("default_protocol", default_protocol, replace=True)

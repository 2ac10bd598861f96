"""For notebooks and scripts: a run composed as on the command line, and carried out.

from activation_study import compose, run

record = run(compose("activation=mish", "seed=1", "data=scenes"))
record.results["test/mean_iou"]
"""

from dataclasses import dataclass, field
from pathlib import Path

from activation_study.config.schema import Config
from activation_study.credentials import without_credentials
from activation_study.errors import BadInput
from activation_study.location import conf_dir
from activation_study.records.record import Record


@dataclass
class ComposedConfig(Config):
    """A run's configuration with the overrides that it was composed from."""

    overrides: list[str] = field(default_factory=list)


def compose(*overrides: str, config_dir: Path | str | None = None) -> ComposedConfig:
    """The checked configuration of one run, as `python train.py OVERRIDES` composes it.

    Args:
        *overrides: e.g. "activation=mish", "seed=1".
        config_dir: a folder with options of your own, as `--config-dir`.

    Raises:
        BadInput: there is no such key or option, or a value cannot be used.
    """
    import hydra
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.singleton import Singleton

    from activation_study.config.command_line.arguments import unusable
    from activation_study.config.command_line.hydra_errors import explanation
    from activation_study.config.command_line.overrides import as_typed, search_path
    from activation_study.config.registration import register
    from activation_study.config.run_names import keep_existing_name
    from activation_study.validation import from_hydra

    for flag in (override for override in overrides if override.startswith("-")):
        raise BadInput(f"{flag}: expected KEY=VALUE")
    if config_dir is not None and not Path(config_dir).is_dir():
        raise BadInput(f"config_dir={config_dir}: no such folder")
    if reason := unusable(overrides):
        raise BadInput(reason)
    register("schema", Config)
    path = [] if config_dir is None else [search_path(Path(config_dir))]
    typed = as_typed(overrides, Config)
    before = Singleton.get_state()
    GlobalHydra.instance().clear()  # a notebook may have initialised Hydra for itself
    try:
        with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
            config = from_hydra(hydra.compose("config", [*path, *typed]))
            keep_existing_name(config)
    except BadInput:
        raise
    except Exception as error:
        flags = [] if config_dir is None else [f"--config-dir={config_dir}"]
        message = explanation(error, "train", "config", [*flags, *typed])
        if message is None:
            raise
        raise BadInput(without_credentials(message)) from None  # Hydra's words add nothing
    finally:
        Singleton.set_state(before)
    return ComposedConfig(**vars(config), overrides=list(overrides))


def run(config: Config) -> Record:
    """Trains, evaluates and records one run; a finished one is read, an interrupted one is resumed.

    Args:
        config: from `compose`; the run is written to its `run_folder` and tracked in its `tracking.uri`.

    Returns:
        The record: `status`, `epochs`, `results`. The run's folder is `config.run_folder`.

    Raises:
        BadInput: the data or the network cannot be used.
    """
    from activation_study.runs.execute import run as execute

    return execute(config, config.overrides if isinstance(config, ComposedConfig) else [])

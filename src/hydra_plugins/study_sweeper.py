"""The door through which Hydra reaches `activation_study.study.sweep`: it loads plugins from here only."""

from collections.abc import Sequence
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, flag_override


class StudySweeper(BasicSweeper):
    """Hydra's own sweeper, with a plan before the first run and an account after the last."""

    def __init__(self, params: dict[str, str] | None = None) -> None:
        super().__init__(max_batch_size=None, params=params)

    def sweep(self, arguments: list[str]) -> Any:
        """Runs every combination of `arguments` that is not finished, on whatever launcher is configured."""
        from activation_study.study.sweep import run_sweep

        assert self.hydra_context is not None
        assert self.config is not None
        assert self.launcher is not None
        master, launcher, loader = self.config, self.launcher, self.hydra_context.config_loader
        parser = OverridesParser.create(config_loader=loader)
        overrides = parser.parse_overrides([*self._parse_config(), *arguments])
        (jobs,) = self.split_arguments(overrides, None)

        def compose(job: Sequence[str]) -> DictConfig:
            composed = loader.load_sweep_config(master, list(job))
            with flag_override(composed, ["readonly", "struct"], False):
                del composed["hydra"]
            return composed

        return run_sweep(
            jobs,
            compose=compose,
            launch=lambda todo: launcher.launch(todo, initial_job_idx=0),
        )

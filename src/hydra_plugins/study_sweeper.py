"""The Hydra plugin that calls `activation_study.sweep.run_sweep`; Hydra loads plugins from this package only."""

import copy
from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, flag_override


class StudySweeper(BasicSweeper):
    """Hydra's basic sweeper with a plan before the first run and a summary after the last."""

    def __init__(self, params: dict[str, str] | None = None) -> None:
        super().__init__(max_batch_size=None, params=params)

    def sweep(self, arguments: list[str]) -> Any:
        """Runs every combination of `arguments` that is not finished, by the configured launcher."""
        from activation_study.config.factor import with_factor
        from activation_study.config.planned_seeds import with_planned_seeds
        from activation_study.hardware import available_threads
        from activation_study.sweep.run_sweep import run_sweep

        assert self.hydra_context is not None
        assert self.config is not None
        assert self.launcher is not None
        launcher, loader = self.launcher, self.hydra_context.config_loader
        assert isinstance(loader, ConfigLoaderImpl)
        compose = Composer(loader, self.config)
        parameters = self._parse_config()
        if self.config.seeds == "auto":
            parameters, arguments = with_planned_seeds(parameters, arguments, self.config.comparison.looks)
        jobs = self._combinations([*parameters, *arguments], loader)
        every = [each for job in jobs for each in self._expanded(job, compose, loader)]
        return run_sweep(
            with_factor(every, compose(every[0]).comparison.factor),
            compose=compose,
            launch=lambda todo: launcher.launch(todo, initial_job_idx=0),
            threads=launcher.threads(available_threads()) if hasattr(launcher, "threads") else None,
            at_once=getattr(launcher, "at_once", 1),
        )

    def _combinations(self, overrides: Sequence[str], loader: ConfigLoaderImpl) -> list[list[str]]:
        """All combinations of the overrides' values; of two overrides of one key, the later one counts."""
        from activation_study.config.command_line.overrides import as_typed
        from activation_study.config.schema import Config

        parser = OverridesParser.create(config_loader=loader)
        (jobs,) = self.split_arguments(parser.parse_overrides(as_typed(overrides, Config)), None)
        return jobs

    def _expanded(self, job: Sequence[str], compose: "Composer", loader: ConfigLoaderImpl) -> list[list[str]]:
        """The job, or one for each combination of what its own experiment sweeps over and the job does not give.

        Hydra knows the parameters of an experiment only if there is one for all jobs, not of `experiment=demo,small`.
        """
        from activation_study.config.command_line.overrides import override_key

        given = {override_key(override) for override in job}
        missing = [f"{key}={value}" for key, value in compose.sweep_parameters(job).items() if key not in given]
        if not missing:
            return [list(job)]
        jobs = self._combinations([*missing, *job], loader)
        return [each for more in jobs for each in self._expanded(more, compose, loader)]


class Composer:
    """Composes the configuration of a job from its overrides, with the same result as Hydra.

    Jobs with the same option of every group, such as seeds of one activation, differ only in values; their groups are
    composed once. 30 jobs take 1.2 s instead of 7 s (docs/LOG.md).
    """

    def __init__(self, loader: ConfigLoaderImpl, master: DictConfig) -> None:
        self._loader, self._master = loader, master
        self._composed: dict[tuple[str, ...], tuple[DictConfig, dict[str, str]]] = {}

    def __call__(self, job: Sequence[str]) -> DictConfig:
        """The configuration of a job, without the key `hydra`."""
        groups, values = self._split(job)
        config = copy.deepcopy(self._of_groups(groups)[0])
        self._loader._apply_overrides_to_config(values, config)
        return config

    def sweep_parameters(self, job: Sequence[str]) -> dict[str, str]:
        """What the groups of a job say to sweep over: the values of `hydra.sweeper.params`."""
        return self._of_groups(self._split(job)[0])[1]

    def _split(self, job: Sequence[str]) -> tuple[tuple[str, ...], list[Override]]:
        parsed = OverridesParser.create().parse_overrides(list(job))
        groups = tuple(override.input_line or "" for override in parsed if not self._is_value(override))
        return groups, [override for override in parsed if self._is_value(override)]

    def _of_groups(self, groups: tuple[str, ...]) -> tuple[DictConfig, dict[str, str]]:
        """The configuration with these options of groups, without the key `hydra`, and its `hydra.sweeper.params`."""
        if groups not in self._composed:
            composed = self._loader.load_sweep_config(self._master, list(groups))
            parameters = {key: str(value) for key, value in (composed.hydra.sweeper.get("params") or {}).items()}
            with flag_override(composed, ["readonly", "struct"], False):
                del composed["hydra"]
            self._composed[groups] = (composed, parameters)
        return self._composed[groups]

    def _is_value(self, override: Override) -> bool:
        key = override.key_or_group
        group = self._loader.repository.group_exists(key) and not isinstance(override.value(), dict)
        return not group and not override.is_hydra_override() and override.package is None

"""What a study compares: the group or key of the configuration whose values are its arms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activation_study.config.identity import affects_result, flatten
from activation_study.config.overrides import override_key

DEFAULT = "activation"
# What affects results and is varied without being compared: conditions and repetitions.
_NO_FACTORS = ("data", "label_type", "seed", "seeding", "evaluation")
_ALIASES = {"training.learning_rate": "optimizer.learning_rate"}
_TITLES = {"model": "network", "activation.scope": "scope of the activation"}
_PLURALS = {"loss": "losses"}


@dataclass(frozen=True)
class Factor:
    """The factor of a study.

    Args:
        key: a group, such as `activation`, or a single key, such as `optimizer.learning_rate`.
    """

    key: str = DEFAULT

    def arm(self, config: Mapping[str, Any]) -> str:
        """The name of a run's arm: that of the group's option, or "learning_rate=0.001" of a key."""
        values, name = flatten(dict(config)), f"{self.key}.name"
        return str(values[name]) if name in values else f"{self.key.rpartition('.')[2]}={values.get(self.key)}"

    def includes(self, key: str) -> bool:
        """Whether a dotted key is the factor's own, or an option of it."""
        return key == self.key or key.startswith(f"{self.key}.")

    @property
    def title(self) -> str:
        """For headings and sentences: "activation", "learning rate"."""
        return _TITLES.get(self.key, self.key.rpartition(".")[2].replace("_", " "))

    @property
    def plural(self) -> str:
        """The title for more than one: "activations"."""
        return _PLURALS.get(self.title, f"{self.title}s")


def factor_of(configs: Sequence[Mapping[str, Any]]) -> Factor:
    """The factor of a study: the first that its runs declare, otherwise the activation.

    Args:
        configs: of its runs, resolved, in their order.
    """
    declared = (config.get("comparison", {}).get("factor") for config in configs)
    return Factor(next((key for key in declared if key), DEFAULT))


def with_factor(jobs: Sequence[Sequence[str]], declared: str | None) -> list[list[str]]:
    """The jobs of a sweep with the factor that they vary, if none is declared and it is not the activation.

    A sweep that varies one group or key besides seeds and what makes conditions compares its values.

    Args:
        jobs: the overrides of each job.
        declared: `comparison.factor` as it is composed.
    """
    values: dict[str, set[str]] = {}
    for override in (each for job in jobs for each in job):
        values.setdefault(override_key(override), set()).add(override.partition("=")[2])
    varied = [key for key, found in values.items() if len(found) > 1 and _can_be_compared(key)]
    if declared is not None or len(varied) != 1 or varied[0].partition(".")[0] == DEFAULT:
        return [list(job) for job in jobs]
    return [[*job, f"comparison.factor={_ALIASES.get(varied[0], varied[0])}"] for job in jobs]


def factor_problem(key: str, config: Mapping[str, Any]) -> str | None:
    """Why a key cannot be the factor of a study; None if it can.

    Args:
        key: `comparison.factor`.
        config: resolved.
    """
    if _can_be_compared(key) and {key, f"{key}.name"} & flatten(dict(config)).keys():
        return None
    return (
        f"comparison.factor={key}: expected a group or key that is compared, e.g. activation, optimizer, model or "
        "optimizer.learning_rate"
    )


def _can_be_compared(key: str) -> bool:
    return key.partition(".")[0] not in _NO_FACTORS and (affects_result(key) or affects_result(f"{key}.name"))

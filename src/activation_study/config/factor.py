"""What a study compares: the group or key of the configuration whose values are its arms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activation_study.config.command_line.overrides import override_key
from activation_study.config.identity import affects_result, flatten

DEFAULT = "activation"
JOINT = "/"  # between the values of two factors, in the name of an arm
MOST_FACTORS = 2
# What affects results and is varied without being compared: conditions and repetitions.
_NO_FACTORS = ("data", "label_type", "seed", "seeding", "evaluation")
# Of the data, what the network sees of them: images, split and what is scored stay the same.
_OF_INPUT = ("data.image_size", "data.channel_order", "data.label_interpolation")
_ALIASES = {"training.learning_rate": "optimizer.learning_rate"}
_TITLES = {"model": "network", "activation.scope": "scope of the activation"}
_PLURALS = {"loss": "losses"}


@dataclass(frozen=True)
class Factor:
    """The factor of a study, or two of them, whose combinations are then the arms.

    Args:
        keys: each a group, such as `activation`, or a single key, such as `optimizer.learning_rate`.
    """

    keys: tuple[str, ...] = (DEFAULT,)

    def arm(self, config: Mapping[str, Any]) -> str:
        """The name of a run's arm: that of the group's option, or "learning_rate=0.001" of a key.

        Of two factors, the option or value of each: "mish/sgd", "mish/64".
        """
        values = flatten(dict(config))
        names = [_value_name(key, values) for key in self.keys]
        if len(names) == 1 and f"{self.keys[0]}.name" not in values:
            return f"{self.keys[0].rpartition('.')[2]}={names[0]}"
        return JOINT.join(names)

    def includes(self, key: str) -> bool:
        """Whether a dotted key is the factor's own, or an option of it."""
        return any(key == each or key.startswith(f"{each}.") for each in self.keys)

    @property
    def key(self) -> str:
        """As text: "activation", or "activation,optimizer"."""
        return ",".join(self.keys)

    @property
    def title(self) -> str:
        """For headings and sentences: "activation", "learning rate", "activation and optimizer"."""
        return " and ".join(map(_title, self.keys))

    @property
    def plural(self) -> str:
        """The title for more than one: "activations"."""
        if len(self.keys) > 1:
            return f"combinations of {self.title}"
        return _PLURALS.get(self.title, f"{self.title}s")


def factor_of(configs: Sequence[Mapping[str, Any]]) -> Factor:
    """The factor of a study: the first that its runs declare, otherwise the activation.

    Args:
        configs: of its runs, resolved, in their order.
    """
    declared = (config.get("comparison", {}).get("factor") for config in configs)
    found = next((key for key in declared if key), DEFAULT)
    return Factor((found,) if isinstance(found, str) else tuple(found))


def with_factor(jobs: Sequence[Sequence[str]], declared: Any) -> list[list[str]]:
    """The jobs of a sweep with the factor that they vary, if none is declared and it is not the activation.

    A sweep that varies one group or key besides seeds and what makes conditions compares its values.

    Args:
        jobs: the overrides of each job.
        declared: `comparison.factor` as it is composed.
    """
    values: dict[str, set[str]] = {}
    for override in (each for job in jobs for each in job):
        values.setdefault(override_key(override), set()).add(override.partition("=")[2])
    varied = [key for key, found in values.items() if len(found) > 1 and can_be_compared(key)]
    if declared is not None or len(varied) != 1 or varied[0].partition(".")[0] == DEFAULT:
        return [list(job) for job in jobs]
    return [[*job, f"comparison.factor={without_alias(varied[0])}"] for job in jobs]


def without_alias(key: Any) -> Any:
    """A key by its own name."""
    return _ALIASES.get(key, key) if isinstance(key, str) else key


def factor_problem(factor: Any, config: Mapping[str, Any]) -> str | None:
    """Why this cannot be the factor of a study; None if it can.

    Args:
        factor: `comparison.factor`.
        config: resolved.
    """
    keys, known = factor if isinstance(factor, list) else [factor], flatten(dict(config)).keys()
    right = (isinstance(key, str) and can_be_compared(key) and {key, f"{key}.name"} & known for key in keys)
    if 1 <= len(keys) <= MOST_FACTORS and len(set(map(str, keys))) == len(keys) and all(right):
        return None
    return (
        f"comparison.factor={factor}: expected a group or key that is compared, e.g. activation, optimizer, model or "
        "optimizer.learning_rate; or two of them, [activation,optimizer]"
    )


def can_be_compared(key: str) -> bool:
    """Whether a dotted key, or a group, can be a factor: it affects results, and makes no condition or repetition."""
    if key in _OF_INPUT:
        return True
    return key.partition(".")[0] not in _NO_FACTORS and (affects_result(key) or affects_result(f"{key}.name"))


def _value_name(key: str, values: Mapping[str, Any]) -> str:
    value = values.get(f"{key}.name", values.get(key))
    if key == "data.image_size" and isinstance(value, list):  # [height, width]
        return "x".join(map(str, value[:1] if len(set(value)) == 1 else value))
    return str(value)


def _title(key: str) -> str:
    return _TITLES.get(key, key.rpartition(".")[2].replace("_", " "))

"""`tuning`: how each arm gets its own best values before the arms are compared (docs/explanation/tuning.md)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activation_study.config.factor import Factor
from activation_study.config.fields import at_least, choice
from activation_study.config.search_space import Choices, Space, size, space_of, space_problems

FIRST_SEED = 1000  # from here on, seeds belong to trials
SEEDS_OF_SEARCH = 1000  # seeds of one search, if each seed has its own
EXAMPLE = "e.g. '+tuning.space={optimizer.learning_rate: {low: 1e-4, high: 1e-2, log: true}}'"
FEWEST_FOR_WILCOXON = 5  # seeds of a trial: with four differences, p can reach 0.0625, below Optuna's 0.1
EPOCH_PRUNERS = ("median", "hyperband")


@dataclass
class Tuning:
    """A search for each arm's best values, and what the sweep passes to its runs.

    Args:
        space: what is searched over: key → {low, high, log | step} or {choices: […]}; null: nothing is.
        spaces: arm → the same, in the place of what `space` has for these keys.
        trials: of each search, at most.
        epochs: of all trials of a search together, after which no batch begins; null: no limit.
        sampler: how values are chosen: `tpe`, `random`, or `grid`, which tries all choices.
        batch: the trials that are chosen before any of them has ended.
        seeds: the runs of each trial.
        pruner: which trials end early: `median` and `hyperband` compare epochs, `wilcoxon` seeds.
        search_per: one search per `arm`, or one per `seed` of each arm, which then is the unit.
        untuned: whether the arms are also trained as they are configured.
        trial: the number of the trial that a run belongs to; null: of none.
        of_seed: the seed whose search it belongs to; null: the arm's.
    """

    space: Any = None  # not an empty dictionary, to which Hydra would add no keys
    spaces: Any = None
    trials: int = at_least(2, default=12)
    epochs: int | None = at_least(1, default=None)
    sampler: str = choice("tpe", "random", "grid", default="tpe")
    batch: int = at_least(1, default=4)
    seeds: int = at_least(1, default=1)
    pruner: str = choice("none", *EPOCH_PRUNERS, "wilcoxon", default="none")
    search_per: str = choice("arm", "seed", default="arm")
    untuned: bool = False
    trial: int | None = None
    of_seed: int | None = None


def is_trial(config: Mapping[str, Any]) -> bool:
    """Whether a resolved configuration is that of a run of a search; records of earlier versions have no searches."""
    return config.get("tuning", {}).get("trial") is not None


def space_of_arm(config: Mapping[str, Any], factor: Factor) -> Space:
    """The space that the arm of a resolved configuration is searched over."""
    tuning = config["tuning"]
    return space_of({**tuning["space"], **(tuning["spaces"] or {}).get(factor.arm(config), {})}, config)


def trial_seeds(tuning: Mapping[str, Any], of_seed: int | None) -> list[int]:
    """The seeds of each trial of a search."""
    first = FIRST_SEED + (0 if of_seed is None else SEEDS_OF_SEARCH * (1 + of_seed))
    return list(range(first, first + tuning["seeds"]))


def tuning_problems(
    tuning: Mapping[str, Any], config: Mapping[str, Any], factor: Factor, tunable: Sequence[str]
) -> Iterator[str]:
    """An error message for each problem.

    Args:
        tuning: the configuration of the search.
        config: all of it, resolved.
        factor: what is compared.
        tunable: the keys that affect training.
    """
    space, spaces = tuning["space"] or {}, tuning["spaces"] or {}
    for key, given in (("space", space), ("spaces", spaces)):
        if not isinstance(given, Mapping):
            yield f"tuning.{key}={given}: expected keys with their ranges, {EXAMPLE}"
            return
    if not space:
        if spaces:
            yield "tuning.spaces needs tuning.space, which says what is tuned in the other arms"
        return
    problems = [*space_problems("tuning.space", space), *_spaces_problems(space, spaces)]
    for key in space:
        if not {key, f"{key}.name"} & set(tunable):
            problems.append(
                f"tuning.space.{key}: expected a key or group of the training, e.g. optimizer.learning_rate or schedule"
            )
        elif key in factor.keys or any(each.startswith(f"{key}.") for each in factor.keys):
            problems.append(f"tuning.space.{key}: it is what is compared, {factor.key}")
    yield from problems
    if not problems:
        yield from _grid_problems(tuning, space_of_arm(config, factor))
    seed = config["seed"]
    if seed >= FIRST_SEED and tuning["trial"] is None:
        yield f"seed={seed}: seeds from {FIRST_SEED} on belong to the trials of a search; expected a smaller one"
    if tuning["pruner"] in EPOCH_PRUNERS and tuning["seeds"] > 1:
        yield f"tuning.pruner={tuning['pruner']} compares epochs of single runs: expected tuning.seeds=1"
    if tuning["pruner"] == "wilcoxon" and tuning["seeds"] < FEWEST_FOR_WILCOXON:
        yield f"tuning.pruner=wilcoxon compares seeds: expected tuning.seeds={FEWEST_FOR_WILCOXON} or more"


def _spaces_problems(space: Mapping[str, Any], spaces: Mapping[str, Any]) -> Iterator[str]:
    for arm, given in spaces.items():
        if not isinstance(given, Mapping):
            yield f"tuning.spaces.{arm}={given}: expected keys of tuning.space with their ranges for this arm"
            continue
        yield from space_problems(f"tuning.spaces.{arm}", given)
        for key in given.keys() - space.keys():
            yield f"tuning.spaces.{arm}.{key}: expected a key of tuning.space: the same keys are tuned in all arms"


def _grid_problems(tuning: Mapping[str, Any], space: Space) -> Iterator[str]:
    if tuning["sampler"] != "grid":
        return
    ranges = [key for key, each in space.items() if not isinstance(each, Choices)]
    if ranges:
        yield f"tuning.sampler=grid: expected choices for {', '.join(ranges)}"
    elif size(space) > tuning["trials"]:
        yield f"tuning.trials={tuning['trials']}: the grid has {size(space):.0f} combinations; expected as many or more"

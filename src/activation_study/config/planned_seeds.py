"""The looks of `seeds=auto`, and the seeds that a sweep with it goes through."""

from collections.abc import Sequence
from itertools import pairwise

from activation_study.config.command_line.overrides import override_key
from activation_study.errors import BadInput

# Chosen by simulation (docs/explanation/planned-looks.md): used where no looks are given.
STANDARD_LOOKS = (5, 7, 9, 11, 13, 16, 20)
FEWEST_SEEDS = 3  # of a look: two do not tell the noise
MOST_SEEDS = 200
MOST_LOOKS = 20


def look_problem(looks: Sequence[int]) -> str | None:
    """Why these looks cannot be planned; None if they can."""
    ascending = all(earlier < later for earlier, later in pairwise(looks))
    if ascending and len(looks) <= MOST_LOOKS and all(FEWEST_SEEDS <= seeds <= MOST_SEEDS for seeds in looks):
        return None
    expected = f"expected up to {MOST_LOOKS} ascending numbers of seeds from {FEWEST_SEEDS} to {MOST_SEEDS}"
    return f"comparison.looks={list(looks)}: {expected}, e.g. [5,8,12,20]"


def with_planned_seeds(
    parameters: Sequence[str], arguments: Sequence[str], looks: Sequence[int]
) -> tuple[list[str], list[str]]:
    """The parameters and arguments of a sweep with `seeds=auto`: its looks, and the seeds up to the last one.

    Args:
        parameters: what an experiment sweeps over; its seeds are left out.
        arguments: of the command line.
        looks: `comparison.looks`; if empty, the standard ones.

    Raises:
        BadInput: seeds are given as well, or the looks cannot be planned.
    """
    given = next((each for each in arguments if override_key(each) == "seed"), None)
    if given is not None:
        raise BadInput(f"{given} and seeds=auto exclude each other: seeds=auto uses the seeds 0, 1, 2, … of its looks")
    if problem := look_problem(looks):
        raise BadInput(problem)
    looks = looks or STANDARD_LOOKS
    planned = [f"comparison.looks=[{','.join(map(str, looks))}]", f"seed={','.join(map(str, range(looks[-1])))}"]
    others = [each for each in arguments if override_key(each) != "comparison.looks"]
    return [each for each in parameters if override_key(each) != "seed"], [*others, *planned]

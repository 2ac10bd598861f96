"""Arguments that are rejected before Hydra sees them, because it would store them or do something else."""

import re
from collections.abc import Sequence

from activation_study.credentials import has_credentials

SWEEPER = "study"  # ours: the only one that plans, copies, and stores no command line


def unusable(arguments: Sequence[str]) -> str | None:
    """Why the arguments cannot be used; None if they can."""
    values = dict(_key_and_value(argument) for argument in arguments)
    sweeper = values.get("hydra/sweeper", SWEEPER)
    for key, asked in (("dry_run", ("true",)), ("sync", ("true", "all")), ("seeds", ("auto",))):
        if sweeper != SWEEPER and (value := values.get(key, "").lower()) in asked:
            return foreign_sweeper(f"{key}={value}", f"hydra/sweeper={sweeper}", "train")
    if (sweeper != SWEEPER or "hydra.output_subdir" in values) and any(map(has_credentials, arguments)):
        return (
            "hydra/sweeper=… and hydra.output_subdir=… make Hydra store the command line, and it has a password; give "
            "it in the environment, e.g. as MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
    for group in ("experiment", "protocol"):  # of several, only the last one would count
        options = values.get(group, "").replace(" ", "")
        if re.fullmatch(r"\[.*,.*\]", options):
            return f"{group}={options}: expected one {group}; `-m {group}={options.strip('[]')}` runs each of them"
    return None


def foreign_sweeper(what: str, sweeper: str, would: str) -> str:
    """The message about what only our own sweeper does.

    Args:
        what: that was asked for.
        sweeper: that was asked to do it.
        would: what it would do.
    """
    return f"{what} needs hydra/sweeper={SWEEPER}, the default; {sweeper} would {would}"


def _key_and_value(argument: str) -> tuple[str, str]:
    key, _, value = argument.partition("=")
    return key.lstrip("+"), value.strip("'\"")

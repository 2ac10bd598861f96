"""Metrics that finished runs were not scored by, because they were asked for later."""

from collections.abc import Iterable

from activation_study.config.schema import Config
from activation_study.errors import counted
from activation_study.outcome import warn
from activation_study.records.record import Record


def warn_of_unscored_metrics(finished: Iterable[tuple[Config, Record]]) -> None:
    """Warns of finished runs that lack metrics of `evaluation.metrics`.

    Args:
        finished: the configuration that asks for each run, and its record.
    """
    missing: dict[str, None] = {}
    runs = 0
    for config, record in finished:
        scored = record.config["evaluation"].get("metrics", [])
        lacking = [name for name in config.evaluation.metrics if name not in scored]
        missing |= dict.fromkeys(lacking)
        runs += bool(lacking)
    if runs:
        warn(
            f"{counted(runs, 'finished run')} {'was' if runs == 1 else 'were'} scored without {', '.join(missing)}: "
            "metrics that are asked for later are not added; rerun=all trains such runs again"
        )

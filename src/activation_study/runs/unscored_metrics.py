"""Metrics that finished runs were not scored by, because they were asked for later."""

from collections.abc import Iterable

from activation_study.config.schema import Config
from activation_study.errors import counted
from activation_study.outcome import warn
from activation_study.records.record import Record
from activation_study.runs.messages import training_again


def warn_of_unscored_metrics(finished: Iterable[tuple[Config, Record]]) -> None:
    """Warns of finished runs that lack metrics of `evaluation.metrics`.

    Args:
        finished: the configuration that asks for each run, and its record.
    """
    missing: dict[str, None] = {}
    runs: list[Config] = []
    for config, record in finished:
        scored = record.config["evaluation"].get("metrics", [])
        lacking = [name for name in config.evaluation.metrics if name not in scored]
        missing |= dict.fromkeys(lacking)
        runs += [config] if lacking else []
    if runs:
        scored = f"{counted(len(runs), 'finished run')} {'was' if len(runs) == 1 else 'were'} scored"
        warn(
            f"{scored} without {', '.join(missing)}: metrics that are asked for later are not added; "
            f"{training_again(runs[0])} trains such runs again"
        )

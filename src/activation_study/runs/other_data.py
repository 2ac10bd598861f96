"""Rejects data that are not those of a study's finished runs, before anything starts.

The content of the data is no part of a run's identity: own images that were added, removed or exchanged lead to the
same folders. Runs on different contents cannot be compared, so no new one may begin.
"""

from collections.abc import Iterator, Sequence, Set
from functools import cache
from pathlib import Path

from activation_study.config.schema import Config
from activation_study.data.labels.label_types import label_type_of
from activation_study.data.source import current_digest
from activation_study.errors import BadInput, problems_message
from activation_study.records.record import Record, run_folders
from activation_study.records.run import finished_records
from activation_study.runs.messages import training_again

FinishedRuns = list[tuple[Path, Record]]  # folders and records


def reject_other_data(configs: Sequence[Config], repeated: Set[Path] = frozenset()) -> None:
    """Compares the data as they are now with those of all finished runs of the same studies.

    Args:
        configs: of the runs of one command.
        repeated: run folders of the command whose finished runs are trained again.

    Raises:
        BadInput: names the finished runs with other data; or the data cannot be used.
    """
    groups: dict[tuple[Path, str], dict[str, Config]] = {}  # one configuration for each set of options
    for config in configs:
        group = groups.setdefault((config.run_folder.parent, config.data.name), {})
        group.setdefault(f"{config.data} {config.label_type}", config)

    @cache
    def finished_of(study: Path) -> FinishedRuns:
        return list(finished_records(folder for folder in run_folders(study) if folder not in repeated))

    problems: list[str] = []
    for (study, name), options in groups.items():
        finished = [run for run in finished_of(study) if run[1].config["data"]["name"] == name]
        if finished or len(options) > 1:  # otherwise there is nothing to compare with
            digests = [current_digest(config.data, label_type_of(config)) for config in options.values()]
            problems += _problems(study, name, dict.fromkeys(filter(None, digests)), finished)
    if problems:
        raise BadInput(
            problems_message(
                "Other data: runs on different contents of one data set cannot be compared",
                problems,
                f"Restore the data; or train all of these runs again in one command with {training_again(configs[0])}; "
                "or give the new data a study of their own: study=NAME.",
            )
        )


def _problems(study: Path, name: str, digests: dict[str, None], finished: FinishedRuns) -> Iterator[str]:
    now = " or ".join(digest[:12] for digest in digests)
    if len(digests) > 1:
        yield f"{study}: data.name={name} stands for different contents in this command: {now}"
    for folder, record in finished:
        then = record.digests["data"]
        if digests and then not in digests:
            yield f"{folder}: {name} had the content {then[:12]}, now {now}"

"""Fresh seeds for what was chosen on validation, so that it is not compared by the runs that it was chosen by."""

from collections.abc import Callable, Sequence

from activation_study.analysis.comparable_runs import is_fresh
from activation_study.analysis.folds import merge_folds
from activation_study.analysis.formatting import display_name, listed
from activation_study.analysis.results import read_study
from activation_study.analysis.selection import Selection, select_on_validation
from activation_study.errors import BadInput, counted
from activation_study.records.record import read_record, run_folders
from activation_study.sweep.plan import Job, Overrides, make_job, study_dirs
from activation_study.sweep.status import RunStatus


class FreshSeeds:
    """The runs of a choice on validation, and then of each winner with seeds that had no part in the choice.

    Args:
        jobs: the runs of the choice.
        plan: the jobs of combinations of overrides.

    Raises:
        BadInput: nothing is chosen, or there are runs of several studies.
    """

    def __init__(self, jobs: Sequence[Job], plan: Callable[[Sequence[Overrides]], list[Job]]) -> None:
        self._jobs, self._plan = list(jobs), plan
        comparison = jobs[0].config.comparison
        if comparison.chosen_on_validation is None:
            raise BadInput("comparison.fresh_seeds needs comparison.chosen_on_validation: what the winners win")
        if len(study_dirs(jobs)) > 1:
            raise BadInput("comparison.fresh_seeds: expected runs of one study; start a sweep for each")
        (self._study_dir,) = study_dirs(jobs)
        self._key, self._count = comparison.chosen_on_validation, comparison.fresh_seeds
        records = [record for folder in run_folders(self._study_dir) if (record := read_record(folder)) is not None]
        used = {job.config.run_name: job.config.seed for job in jobs}
        if again := sorted({used[record.name] for record in records if is_fresh(record) and record.name in used}):
            raise BadInput(
                f"{self._study_dir}: seed {', '.join(map(str, again))} was trained afresh for winners of an earlier "
                "choice and cannot choose now; use other seeds, or another study: study=NAME"
            )
        of_choice = [int(record.config["seed"]) for record in records if not is_fresh(record)]
        self._first = 1 + max([*used.values(), *of_choice])
        self.account = ""
        self._began = False

    @property
    def foretold(self) -> str:
        """How many runs the winners get."""
        arms = {(job.config.data.name, job.config.label_type.name, job.config.activation.name) for job in self._jobs}
        return (
            f"{counted(len(self._jobs), 'run')} choose {self._key} on validation; then the winners get "
            f"{counted(self._count, 'fresh seed')} each: {counted(self._count * len(arms), 'run')} more."
        )

    def begin(self) -> None:
        """From now on, results are those of this sweep."""
        self._began = True

    def keep(self) -> None:
        """A choice is read from its runs."""

    def overrides(self, job: Job) -> list[str]:
        """Says of a run that it had no part in the choice."""
        return [f"comparison.fresh={str(job.config.seed >= self._first).lower()}"]

    def needed(self) -> list[Job]:
        """The runs of the choice, and after it those of the winners."""
        jobs = [make_job(job.overrides, job.config) for job in self._jobs]
        again = jobs[0].config.rerun == "all" and not self._began  # old results may be damaged
        if again or not all(job.status == RunStatus.DONE for job in jobs):
            return jobs
        conditions, _ = read_study(self._study_dir, allow_incomplete=True)
        selections = select_on_validation(merge_folds(conditions), self._key)
        self.account = "\n".join(f"Chosen{_where(each, selections)}: {_winners(each)}." for each in selections)
        winners = {folder.name for each in selections for folder in each.winners.values()}
        fresh = [
            [*(each for each in job.overrides if not each.startswith("seed=")), f"seed={seed}"]
            for job in jobs
            if job.config.run_name in winners
            for seed in range(self._first, self._first + self._count)
        ]
        return self._plan([*(job.overrides for job in jobs), *fresh])


def _where(selection: Selection, selections: Sequence[Selection]) -> str:
    return f" on {selection.condition.subject}" if len(selections) > 1 else ""


def _winners(selection: Selection) -> str:
    return listed([f"{display_name(name)} {selection.key}={selection.best(name)}" for name in selection.scores])

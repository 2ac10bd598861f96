"""`tuning.space`: which runs of a sweep are needed, batch by batch (docs/explanation/tuning.md)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from activation_study.analysis.formatting import display_name
from activation_study.analysis.tuning_sentences import ranges_in_words
from activation_study.config.factor import factor_of
from activation_study.config.schema import fold_of, resolved
from activation_study.config.search_space import values_in
from activation_study.config.tuning import is_trial, space_of_arm
from activation_study.console import format_duration
from activation_study.errors import BadInput, counted
from activation_study.records.record import Record, read_records
from activation_study.sweep.plan import Job, Overrides, study_dirs
from activation_study.sweep.remaining import disk_bytes, format_size
from activation_study.sweep.rounds.arm_search import ArmSearch
from activation_study.sweep.rounds.planned_seeds import PlannedSeeds
from activation_study.tuning.searches import Search, searches_of
from activation_study.tuning.trials import SearchKey, search_key

# Keys of `tuning` that cannot be changed after a search has begun; its length may grow until arms are compared.
_FIXED = ("space", "spaces", "sampler", "batch", "seeds", "pruner", "search_per")
_LENGTH = ("trials", "epochs")


class TunedArms:
    """The trials of each arm's search, and then the runs of the command with the best values of their arm.

    Args:
        jobs: those of the command, as configured.
        plan: the jobs of combinations of overrides.

    Raises:
        BadInput: the search was begun otherwise, or a value of the space cannot be used.
    """

    def __init__(self, jobs: Sequence[Job], plan: Callable[[Sequence[Overrides]], list[Job]]) -> None:
        if len(study_dirs(jobs)) > 1:
            raise BadInput("tuning.space: expected runs of one study; start a sweep for each")
        self._jobs, self._plan = list(jobs), plan
        (self._study_dir,) = study_dirs(jobs)
        self._factor = factor_of([resolved(job.config) for job in jobs])
        self._tuning = resolved(jobs[0].config)["tuning"]
        if jobs[0].config.rerun == "all":
            raise BadInput(
                f"rerun=all: a search follows from its trials, which would be replaced one by one: delete "
                f"{self._study_dir}, or use another study: study=NAME"
            )
        self.account = ""
        self._began = False
        records = read_records(self._study_dir)
        _reject_other_search(str(self._study_dir), self._tuning, records)
        searches = self._searches(records)
        for each in searches:
            _reject_varied(each)
            self._check_ends(each)
        self._looks = self._planned_looks(searches, records) if jobs[0].config.seeds == "auto" else None

    def _planned_looks(self, searches: Sequence[ArmSearch], records: Sequence[Record]) -> PlannedSeeds:
        """The looks at the runs with the best values; as long as these are not known, at the runs as configured."""
        if self._tuning["search_per"] == "seed":
            raise BadInput("tuning.search_per=seed: expected seed=0,1,… in the place of seeds=auto")
        complete = all(each.search.complete for each in searches)
        jobs = self._tuned(searches) if complete else self._jobs
        return PlannedSeeds(jobs, self._beside(jobs, records))

    def foretold(self, at_once: int = 1) -> str:
        """What is searched, and how many runs there will be."""
        searches = self._searches(read_records(self._study_dir))
        most = sum(each.search.planned for each in searches) * self._tuning["seeds"]
        budget = self._tuning["epochs"]
        until = f", or until {budget} epochs are trained" if budget else ""
        trials = (
            f"{counted(len(searches), 'search', 'searches')} ("
            f"{ranges_in_words([each.search for each in searches])}) of up to "
            f"{max(each.search.planned for each in searches)} trials, "
            f"{self._tuning['batch']} at a time{until}: at most {counted(most, 'run')}"
        )
        untuned = ", and as many as configured" if self._tuning["untuned"] else ""
        if self._looks:
            return f"{trials}. Then, with the best values of each{untuned}: {self._looks.foretold(at_once)}"
        return (
            f"{trials}; then {counted(len(self._jobs), 'run')} with the best values of each{untuned}.\n"
            f"{self._in_all(searches)}"
        )

    def _in_all(self, searches: Sequence[ArmSearch]) -> str:
        """All runs that there can be, their disk space, and their time as far as it was measured."""
        counts = [
            each.search.planned * self._tuning["seeds"] + len(each.jobs) * (1 + self._tuning["untuned"])
            for each in searches
        ]
        disk = sum(count * disk_bytes(each.jobs[0]) for count, each in zip(counts, searches, strict=True))
        times = [each.search.seconds_per_run for each in searches]
        known = [time * count for time, count in zip(times, counts, strict=True) if time is not None]
        duration = f", {format_duration(sum(known))} one after the other" if len(known) == len(searches) else ""
        return f"In all at most {counted(sum(counts), 'run')}, {format_size(disk)} of disk space{duration}."

    def begin(self) -> None:
        """Keeps the planned looks, if there are any."""
        self._began = True
        if self._looks:
            self._looks.begin()

    def keep(self) -> None:
        """Keeps a look at the results; searches are read from their runs."""
        if self._looks:
            self._looks.keep()

    def overrides(self, job: Job) -> list[str]:
        """What each run records beyond its own command line."""
        return self._looks.overrides(job) if self._looks else []

    def needed(self) -> list[Job]:
        """The trials up to the first batch that has not ended; after all searches, the runs with their best values.

        Raises:
            BadInput: all trials of an arm's first batch failed, or none finished.
        """
        records = read_records(self._study_dir)
        searches = self._searches(records)
        trials = [overrides for each in searches for overrides in each.runs_of_trials()]
        self.account = "\n".join(map(str, searches))
        self._reject_failing(searches)
        if not all(each.search.complete for each in searches):
            return self._plan(trials)
        tuned = self._tuned(searches)
        if self._looks:
            self._looks = PlannedSeeds(tuned, self._beside(tuned, records))
            if self._began:
                self._looks.begin()
            tuned = self._looks.needed()
            self.account = "\n".join(filter(None, (self.account, self._looks.account)))
        return self._plan([*trials, *(job.overrides for job in tuned), *self._untuned(tuned)])

    def _searches(self, records: Sequence[Record]) -> list[ArmSearch]:
        """The searches that the command needs, in the order of its jobs."""
        known, wanted = searches_of(records, self._factor), dict[SearchKey, list[Job]]()
        for job in self._jobs:
            of_seed = job.config.seed if self._tuning["search_per"] == "seed" else None
            wanted.setdefault(search_key(resolved(job.config), of_seed, self._tuning["space"]), []).append(job)
        return [self._search(known.get(key), key[0], jobs) for key, jobs in wanted.items()]

    def _search(self, known: Search | None, of_seed: int | None, jobs: Sequence[Job]) -> ArmSearch:
        config = resolved(jobs[0].config)
        space = space_of_arm(config, self._factor)
        search = known or Search(self._factor.arm(config), of_seed, space, {}, (), fold_of(config))
        subjects = {(job.config.data.name, job.config.label_type.name) for job in self._jobs}
        where = f" on {config['label_type']['name']} of {config['data']['name']}" if len(subjects) > 1 else ""
        fold = "" if search.fold is None else f", fold {search.fold}"
        seed = "" if of_seed is None else f", seed {of_seed}"
        title = f"{display_name(search.arm)}{where}{fold}{seed}"
        return ArmSearch(replace(search, tuning=self._tuning), tuple(jobs), title)

    def _tuned(self, searches: Sequence[ArmSearch]) -> list[Job]:
        return self._plan([overrides for each in searches for overrides in each.runs_with_best()])

    def _untuned(self, tuned: Sequence[Job]) -> list[Overrides]:
        """The command's runs of the same arms and seeds, as configured, but those whose best values are the same."""
        if not self._tuning["untuned"]:
            return []
        keys = {self._key(job) for job in tuned}
        there = {job.config.run_key for job in tuned}
        return [job.overrides for job in self._jobs if self._key(job) in keys and job.config.run_key not in there]

    def _key(self, job: Job) -> SearchKey:
        """Of the job's arm and seed."""
        return search_key(resolved(job.config), job.config.seed, self._tuning["space"])

    def _beside(self, jobs: Sequence[Job], records: Sequence[Record]) -> set[str]:
        """The names of runs that take no part in planned looks: trials, and those as configured."""
        configured = {job.config.run_key for job in self._jobs} - {job.config.run_key for job in jobs}
        return {record.name for record in records if is_trial(record.config) or record.identity in configured}

    def _check_ends(self, each: ArmSearch) -> None:
        """Raises BadInput if a value at an end of the space cannot be used, before anything is trained."""
        for key, parameter in each.search.space.items():
            for value in parameter.ends:
                values = {**each.configured, key: value}
                (job,) = self._plan([each.overrides(values, each.jobs[0].config.seed)])
                found = values_in(resolved(job.config), each.search.space)
                if found != values:
                    raise BadInput(f"tuning.space: {values} became {found}: something else sets one of these keys")

    def _reject_failing(self, searches: Sequence[ArmSearch]) -> None:
        """Raises BadInput if all trials of a first batch failed: the same would happen to the others."""
        for each in searches:
            search = each.search
            failed = search.count("failed")
            if failed == len(search.trials) >= min(self._tuning["batch"], search.planned):
                raise BadInput(
                    f"{each.title}: {counted(failed, 'trial')} failed and none finished; {each.why_failed}. If the "
                    f"settings were not to blame, delete their folders in {self._study_dir} to try again"
                )


def _reject_varied(each: ArmSearch) -> None:
    """Raises BadInput if the command gives a tuned key several values: a search starts from one."""
    space = each.search.space
    first, *others = (values_in(resolved(job.config), space) for job in each.jobs)
    varied = [key for key in space if any(values[key] != first[key] for values in others)]
    if varied:
        raise BadInput(
            f"tuning.space: the sweep gives {', '.join(varied)} several values, which the search would replace; leave "
            f"{'it' if len(varied) == 1 else 'them'} out of the sweep, or out of tuning.space"
        )


def _reject_other_search(study: str, tuning: dict[str, Any], records: Sequence[Record]) -> None:
    """Raises BadInput if the study's search was begun with other settings."""
    tuned = [record for record in records if record.config.get("tuning", {}).get("space")]
    compared = any(not is_trial(record.config) for record in tuned)
    begun = [record.config["tuning"] for record in tuned]

    def refused(key: str, recorded: Any, why: str) -> BadInput:
        change = f"its search has tuning.{key}={recorded}, now {tuning[key]}"
        return BadInput(f"{study}: {change}; {why}: use another study: study=NAME")

    for key in _FIXED:
        for each in begun:
            if each[key] != tuning[key]:
                raise refused(key, each[key], "a search cannot be changed after it has begun")
    for key in _LENGTH if begun else ():
        longest = max((each[key] for each in begun), key=_length)
        if _length(tuning[key]) < _length(longest):
            raise refused(key, longest, "a search may become longer, not shorter")
        if compared and tuning[key] != longest:
            raise refused(key, longest, "a search cannot be changed after its arms were compared")


def _length(value: int | None) -> float:
    return math.inf if value is None else value

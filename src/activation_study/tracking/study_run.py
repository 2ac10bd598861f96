"""The run of a study in MLflow: the parent of its trained runs, with the report as description and artifacts."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from activation_study.records.public_copy import public_copy
from activation_study.tracking.parent_run import ParentRun
from activation_study.tracking.run_page.description import adopted, note_tags
from activation_study.tracking.run_page.run_tags import COLOR_TAG, PARENT_TAG, UNFOLDED
from activation_study.tracking.search_run import search_ids
from activation_study.tracking.store.problems import deleted_runs
from activation_study.tracking.tags import study_key

REPORT_FILES = ("*.html", "*.md", "*.csv", "*.tex", "figures/*.svg")  # what else is in the folder is not copied
NEUTRAL_COLOR = "#777777"  # that of no activation
FORMER_KEY = "report of "  # such runs had the report, and no runs below them


def is_study(name: str) -> bool:
    """Whether an experiment has trained runs: reproductions and evaluations are in `<study>/…`."""
    return "/" not in name


def study_run_name(study: str) -> str:
    """How messages call the run of a study."""
    return f"{study} (the study's own run)"


class StudyRun(ParentRun):
    """The parent run of one study.

    Args:
        client: MLflow's client.
        experiment_id: the study's experiment.
        study: the study's name.
        lock: held while the run is created, so that processes of this store's machine create one.
    """

    def __init__(
        self, client: Any, experiment_id: str, study: str, lock: Callable[[], AbstractContextManager[Any]]
    ) -> None:
        note = f"The answer stands here once the runs are compared: `python compare.py study={study}`"
        tags = {COLOR_TAG: NEUTRAL_COLOR, **note_tags({}, note)}
        super().__init__(client, experiment_id, (study_key(study), FORMER_KEY + study), study, tags, lock)

    def _adopt(self, run: Any) -> None:
        super()._adopt(run)
        self.set_tags(run.info.run_id, adopted(run.data.tags))

    def child_tags(self) -> dict[str, str]:
        """The tags that place a run below this one."""
        return {PARENT_TAG: self.run_id, **UNFOLDED}

    def log_report(self, folder: Path, note: str) -> None:
        """Replaces description and artifacts by a report, and places all runs of the study below this one; those of
        searches stay below their search.

        Raises:
            StoreProblem: a person has deleted it.
        """
        if self._deleted:
            raise deleted_runs([study_run_name(self._name)])
        runs = self._search()
        parents = {self.run_id, *search_ids(runs)}
        for run in runs:
            if run.info.run_id != self.run_id and run.data.tags.get(PARENT_TAG) not in parents:
                self.set_tags(run.info.run_id, self.child_tags())
        self.set_tags(self.run_id, note_tags(self._client.get_run(self.run_id).data.tags, note.strip()))
        for path in sorted(path for pattern in REPORT_FILES for path in folder.glob(pattern) if path.is_file()):
            place = path.relative_to(folder).parent.as_posix().removeprefix(".") or None
            with public_copy(path) as copy:
                self._client.log_artifact(self.run_id, str(copy), place)
        self.update_status()

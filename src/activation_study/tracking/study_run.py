"""The run of a study in MLflow: the parent of its trained runs, with the report as description and artifacts.

It has no metrics, so it takes no place in charts. It is RUNNING while one of its runs is. If a person has deleted it,
it stays as it is, and its runs stay below it, until it is restored.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from activation_study.location import SCRIPTS
from activation_study.records.public_copy import public_copy
from activation_study.tracking.run_page.description import adopted, note_tags
from activation_study.tracking.run_page.run_tags import COLOR_TAG, PARENT_TAG, UNFOLDED
from activation_study.tracking.store.experiments import StoreProblem, deleted_run_message
from activation_study.tracking.tags import DUPLICATE_TAG, KEY_TAG, study_key
from activation_study.user import user_name

REPORT_FILES = ("*.html", "*.md", "*.csv", "*.tex", "figures/*.svg")  # what else is in the folder is not copied
OLDEST_FIRST = ("attributes.start_time ASC", "attributes.run_id ASC")
NEUTRAL_COLOR = "#777777"  # that of no activation
FORMER_KEY = "report of "  # such runs had the report, and no runs below them


def is_study(name: str) -> bool:
    """Whether an experiment has trained runs: reproductions and evaluations are in `<study>/…`."""
    return "/" not in name


def study_run_name(study: str) -> str:
    """How messages call the run of a study."""
    return f"{study} (the study's own run)"


class StudyRun:
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
        self._client, self._experiment_id, self._study = client, experiment_id, study
        self._key = study_key(study)
        self._deleted = False
        with lock():
            self.run_id = self._find() or self._find_deleted() or self._create()

    def _find_deleted(self) -> str | None:
        """One that a person has deleted: a second one in its place would undo that, and split the study's runs."""
        found = self._search(f"tags.`{KEY_TAG}` = '{self._key}'", *OLDEST_FIRST, deleted=True)
        self._deleted = bool(found)
        return str(found[0].info.run_id) if found else None

    def _find(self) -> str | None:
        """The oldest of the study's runs, by which all processes choose the same one; any others are deleted.

        On a server there may be several for a moment, since no lock is shared.
        """
        found = []
        for key in (self._key, FORMER_KEY + self._study):
            found += self._search(f"tags.`{KEY_TAG}` = '{key}'", *OLDEST_FIRST)
        for other in found[1:]:
            for run in self._search(f"tags.`{PARENT_TAG}` = '{other.info.run_id}'"):
                self._client.set_tag(run.info.run_id, PARENT_TAG, found[0].info.run_id)
            self._client.set_tag(other.info.run_id, DUPLICATE_TAG, found[0].info.run_id)
            self._client.delete_run(other.info.run_id)
        if found and found[0].data.tags[KEY_TAG].startswith(FORMER_KEY):
            self._client.update_run(found[0].info.run_id, name=self._study)
            self._set_tags(found[0].info.run_id, {**adopted(found[0].data.tags), KEY_TAG: self._key})
        return str(found[0].info.run_id) if found else None

    def _create(self) -> str:
        note = f"The answer stands here once the runs are compared: `python compare.py study={self._study}`"
        tags = {
            KEY_TAG: self._key,
            COLOR_TAG: NEUTRAL_COLOR,
            "mlflow.source.name": SCRIPTS["train"],
            "mlflow.source.type": "LOCAL",
            "mlflow.user": user_name(),
            **note_tags({}, note),
        }
        created = self._client.create_run(self._experiment_id, tags=tags, run_name=self._study)
        return self._find() or str(created.info.run_id)

    def child_tags(self) -> dict[str, str]:
        """The tags that place a run below this one."""
        return {PARENT_TAG: self.run_id, **UNFOLDED}

    def update_status(self) -> None:
        """RUNNING while a run below it is, otherwise FINISHED."""
        if self._deleted:
            return
        running = self._search(f"tags.`{PARENT_TAG}` = '{self.run_id}' and attributes.status = 'RUNNING'")
        status = "RUNNING" if running else "FINISHED"
        if self._client.get_run(self.run_id).info.status != status:
            if running:
                self._client.update_run(self.run_id, status=status)
            else:
                self._client.set_terminated(self.run_id, status)

    def log_report(self, folder: Path, note: str) -> None:
        """Replaces description and artifacts by a report, and places all runs of the study below this one.

        Raises:
            StoreProblem: a person has deleted it.
        """
        if self._deleted:
            raise StoreProblem(deleted_run_message([study_run_name(self._study)], self._study))
        for run in self._search():
            if run.info.run_id != self.run_id and run.data.tags.get(PARENT_TAG) != self.run_id:
                self._set_tags(run.info.run_id, self.child_tags())
        self._set_tags(self.run_id, note_tags(self._client.get_run(self.run_id).data.tags, note.strip()))
        for path in sorted(path for pattern in REPORT_FILES for path in folder.glob(pattern) if path.is_file()):
            place = path.relative_to(folder).parent.as_posix().removeprefix(".") or None
            with public_copy(path) as copy:
                self._client.log_artifact(self.run_id, str(copy), place)
        self.update_status()

    def _set_tags(self, run_id: str, tags: dict[str, str]) -> None:
        for name, value in tags.items():
            self._client.set_tag(run_id, name, value)

    def _search(self, condition: str = "", *order: str, deleted: bool = False) -> list[Any]:
        from mlflow.entities import ViewType

        view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
        runs: list[Any] = []
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment_id], condition, view, order_by=list(order), page_token=token
            )
            runs, token = [*runs, *page], page.token
            if not token:
                return runs

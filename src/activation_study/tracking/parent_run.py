"""A run in MLflow that has no training of its own, but runs below it.

It has no metrics, so it takes no place in charts. It is RUNNING while one of its runs is. If a person has deleted it,
it stays as it is, and its runs stay below it, until it is restored.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from activation_study.location import SCRIPTS
from activation_study.tracking.run_page.run_tags import PARENT_TAG
from activation_study.tracking.tags import DUPLICATE_TAG, KEY_TAG
from activation_study.user import user_name

OLDEST_FIRST = ("attributes.start_time ASC", "attributes.run_id ASC")


class ParentRun:
    """A parent of runs, which is created if the store lacks it.

    Args:
        client: MLflow's client.
        experiment_id: the study's experiment.
        keys: by which it is found: today's, and former ones.
        name: of the run.
        tags: further ones of a new run.
        lock: held while the run is created, so that processes of this store's machine create one.
    """

    def __init__(
        self,
        client: Any,
        experiment_id: str,
        keys: tuple[str, ...],
        name: str,
        tags: Mapping[str, str],
        lock: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self._client, self._experiment_id, self._keys, self._name = client, experiment_id, keys, name
        self._deleted = False
        with lock():
            self.run_id = self._find() or self._find_deleted() or self._create(tags)

    def _find_deleted(self) -> str | None:
        """One that a person has deleted: a second one in its place would undo that, and split its runs."""
        found = self._search(f"tags.`{KEY_TAG}` = '{self._keys[0]}'", *OLDEST_FIRST, deleted=True)
        self._deleted = bool(found)
        return str(found[0].info.run_id) if found else None

    def _find(self) -> str | None:
        """The oldest of its runs, by which all processes choose the same one; any others are deleted.

        On a server there may be several for a moment, since no lock is shared.
        """
        found = []
        for key in self._keys:
            found += self._search(f"tags.`{KEY_TAG}` = '{key}'", *OLDEST_FIRST)
        for other in found[1:]:
            for run in self._search(f"tags.`{PARENT_TAG}` = '{other.info.run_id}'"):
                self._client.set_tag(run.info.run_id, PARENT_TAG, found[0].info.run_id)
            self._client.set_tag(other.info.run_id, DUPLICATE_TAG, found[0].info.run_id)
            self._client.delete_run(other.info.run_id)
        if found and found[0].data.tags[KEY_TAG] != self._keys[0]:
            self._adopt(found[0])
        return str(found[0].info.run_id) if found else None

    def _adopt(self, run: Any) -> None:
        """Renames a run that has a former key."""
        self._client.update_run(run.info.run_id, name=self._name)
        self.set_tags(run.info.run_id, {KEY_TAG: self._keys[0]})

    def _create(self, tags: Mapping[str, str]) -> str:
        own = {
            KEY_TAG: self._keys[0],
            "mlflow.source.name": SCRIPTS["train"],
            "mlflow.source.type": "LOCAL",
            "mlflow.user": user_name(),
        }
        created = self._client.create_run(self._experiment_id, tags={**own, **tags}, run_name=self._name)
        return self._find() or str(created.info.run_id)

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

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Sets tags of a run of the experiment."""
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

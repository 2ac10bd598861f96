"""The run of a search in MLflow: the parent of its trials, below the run of the study."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from activation_study.config.factor import factor_of
from activation_study.config.schema import fold_of
from activation_study.palette import activation_color
from activation_study.records.record import Record
from activation_study.tracking.parent_run import ParentRun
from activation_study.tracking.run_page.description import note_tags
from activation_study.tracking.run_page.run_tags import COLOR_TAG, PARENT_TAG
from activation_study.tracking.tags import KEY_TAG
from activation_study.tuning.trials import search_key

KEY = "search of "


class SearchRun(ParentRun):
    """The parent run of the trials of one search.

    Args:
        client: MLflow's client.
        experiment_id: the study's experiment.
        record: of one of the trials.
        study_tags: those that place a run below that of the study.
        lock: held while the run is created, so that processes of this store's machine create one.
    """

    def __init__(
        self,
        client: Any,
        experiment_id: str,
        record: Record,
        study_tags: dict[str, str],
        lock: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        config, tuning = record.config, record.config["tuning"]
        arm = factor_of([config]).arm(config)
        fold, of_seed = fold_of(config), tuning["of_seed"]
        parts = [] if fold is None else [f"fold {fold}"]
        parts += [] if of_seed is None else [f"seed {of_seed}"]
        name = ", ".join([f"search: {config['label_type']['name']} {arm}", *parts])
        keys = ", ".join(tuning["space"])
        note = f"The trials that search for the best {keys} of {arm} on validation. The comparison has other runs."
        tags = {COLOR_TAG: activation_color(arm), **note_tags({}, note), **study_tags}
        digest = hashlib.sha256(repr(search_key(config, of_seed, tuning["space"])).encode()).hexdigest()[:16]
        super().__init__(client, experiment_id, (f"{KEY}{record.study}: {digest}",), name, tags, lock)

    def child_tags(self) -> dict[str, str]:
        """The tags that place a trial below this one, which stays folded: trials take no part in the comparison."""
        return {PARENT_TAG: self.run_id}


def search_ids(runs: Sequence[Any]) -> set[str]:
    """The IDs of those runs that are searches."""
    return {run.info.run_id for run in runs if run.data.tags.get(KEY_TAG, "").startswith(KEY)}

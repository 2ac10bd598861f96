"""The MLflow experiment of a study: found by a tag of its own, so that renaming it in MLflow's page loses nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from activation_study.tracking.store.problems import StoreProblem, deleted_experiment

STUDY_TAG = "activation_study.study"
# Without this tag, MLflow's web page treats a new experiment as one about language models.
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}


@dataclass(frozen=True)
class Experiment:
    """An experiment of a store.

    Args:
        id: of the experiment.
        name: as MLflow's page shows it.
        deleted: whether it was deleted there; its name stays taken.
        study: whose it is, by its tag; None: it has no tag.
    """

    id: str
    name: str
    deleted: bool
    study: str | None


def choose(study: str, experiments: Iterable[Experiment]) -> Experiment | None:
    """The study's experiment among those with its tag or its name, those that exist before deleted ones."""
    own = [each for each in experiments if each.study == study or (each.study is None and each.name == study)]
    own.sort(key=lambda each: (each.deleted, each.study is None, int(each.id)))
    return own[0] if own else None


def find_experiment(client: Any, study: str) -> Experiment | None:
    """The study's experiment, which may be deleted; None if there is none.

    Args:
        client: MLflow's client.
        study: the study's name.
    """
    from mlflow.entities import ViewType

    tagged = client.search_experiments(view_type=ViewType.ALL, filter_string=f"tags.`{STUDY_TAG}` = '{study}'")
    found = [_experiment(each) for each in tagged]
    if not any(not each.deleted for each in found):
        named = client.get_experiment_by_name(study)
        found += [_experiment(named)] if named is not None else []
    return choose(study, found)


def open_experiment(client: Any, study: str) -> str:
    """The ID of the study's experiment, which is created if there is none.

    Raises:
        StoreProblem: it was deleted, or another study's experiment has its name.
    """
    from mlflow.exceptions import MlflowException

    found = find_experiment(client, study)
    if found is None:
        try:
            return str(client.create_experiment(study, tags={**EXPERIMENT_TAGS, STUDY_TAG: study}))
        except MlflowException:  # on a server, another process may have created it in the meantime
            found = find_experiment(client, study)
            if found is None:
                taken = client.get_experiment_by_name(study)
                if taken is None:
                    raise
                raise _taken(study, _experiment(taken)) from None
    if found.deleted:
        raise deleted_experiment(found.name)
    if found.study is None:
        client.set_experiment_tag(found.id, STUDY_TAG, study)
    return found.id


def _taken(study: str, other: Experiment) -> StoreProblem:
    problem = f"the experiment named {study} belongs to the study {other.study}, by its tag {STUDY_TAG}"
    return StoreProblem(problem, "copies the runs", first="Rename it in MLflow; then ")


def _experiment(entity: Any) -> Experiment:
    deleted = entity.lifecycle_stage == "deleted"
    return Experiment(str(entity.experiment_id), entity.name, deleted, dict(entity.tags).get(STUDY_TAG))

"""The MLflow experiment of a study: found by a tag of its own, so that renaming it in MLflow's page loses nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from activation_study.location import command

STUDY_TAG = "activation_study.study"
# Without this tag, MLflow's web page treats a new experiment as one about language models.
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}


class StoreProblem(Exception):
    """Something in the store that a person has to mend; the message says how."""


class ModelRefused(Exception):
    """A run's model was not logged, because of its file; everything else was."""


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
                raise StoreProblem(_taken(study, _experiment(taken))) from None
    if found.deleted:
        raise StoreProblem(deleted_message(found.name, study))
    if found.study is None:
        client.set_experiment_tag(found.id, STUDY_TAG, study)
    return found.id


def deleted_message(name: str, study: str) -> str:
    """Says that the experiment of a study was deleted, and what to do."""
    return (
        f"the experiment {name} was deleted in MLflow. `{command('train')} sync=all study={study.partition('/')[0]}` "
        f"brings it back with its runs; another study=NAME uses another experiment"
    )


def deleted_run_message(names: list[str], study: str) -> str:
    """Says which runs a person has deleted, and how to bring them back."""
    return (
        f"deleted in MLflow: {', '.join(names)}; `{command('train')} sync=all study={study.partition('/')[0]}` "
        f"brings {'it' if len(names) == 1 else 'them'} back"
    )


def _taken(study: str, other: Experiment) -> str:
    return (
        f"the experiment named {study} belongs to the study {other.study}, by its tag {STUDY_TAG}. "
        f"Rename it in MLflow, then run `{command('train')} sync=true study={study.partition('/')[0]}`"
    )


def _experiment(entity: Any) -> Experiment:
    deleted = entity.lifecycle_stage == "deleted"
    return Experiment(str(entity.experiment_id), entity.name, deleted, dict(entity.tags).get(STUDY_TAG))

"""Registers the best model of a study in MLflow's registry, under the alias `best`."""

import json
from pathlib import Path
from typing import Any

from activation_study.config.schema import Config
from activation_study.outcome import warn
from activation_study.records.record import Record, run_folders
from activation_study.records.run import finished_records
from activation_study.tracking.run_page.description import NOTE_TAG
from activation_study.tracking.store.reachable import check_reachable

ALIAS = "best"
_VERSIONS_TAG = "mlflow.modelVersions"  # by which a logged model's page lists its registered versions
_SPLIT_KEYS = (
    *("split", "split_seed", "folds", "fold", "split_digest", "groups", "groups_digest"),
    *("remove_duplicates", "image_size", "label_interpolation", "classes"),
)


def register_after(config: Config) -> None:
    """Registers the best run of the study after a single run; a sweep does at its end, and a reproduction never."""
    if not config.sweep.position and not config.suffix:
        register_best(config.run_folder.parent, config.tracking.uri, config.tracking.register)


def register_best(study_dir: Path, uri: str | None, name: str | None) -> None:
    """Registers the run of a study with the largest mean IoU on the validation images; the test images have no part.

    Runs of several data sets or label types cannot be ranked: each of them gets a registered model of its own,
    `<name>-<data>-<label type>`. Repeating it adds nothing. If runs were validated on different images, or if the
    store cannot be reached, a warning is printed.

    Args:
        study_dir: the study's folder.
        uri: of the MLflow store that has the runs; None registers nothing.
        name: of the registered model; None registers nothing.
    """
    if uri is None or name is None:
        return
    groups: dict[str, list[Record]] = {}
    for _, record in finished_records(run_folders(study_dir)):
        data, label_type = record.config["data"]["name"], record.config["label_type"]["name"]
        groups.setdefault(f"{name}-{data}-{label_type}", []).append(record)
    for group, records in groups.items():
        model = group if len(groups) > 1 else name
        if len({_validated_on(record) for record in records}) > 1:
            warn(
                f"{model} was not registered: the runs of {study_dir} were validated on different images or labels "
                f"(other data, split, fold, image size, classes or label interpolation), so their scores cannot be "
                "ranked; put them into studies of their own"
            )
            continue
        best = max(records, key=lambda record: (record.validation_mean_iou, -record.started))
        _register(best, uri, model, len(records))


def _validated_on(record: Record) -> tuple[str, ...]:
    """What decides which images and labels a run was validated on."""
    data = record.config["data"]
    border = record.config["label_type"].get("border_width")
    return (record.digests["data"], str(border), *(str(data.get(key)) for key in _SPLIT_KEYS))


def _register(record: Record, uri: str, name: str, among: int) -> None:
    from activation_study.tracking.run_page.log_model import current_store
    from activation_study.tracking.store.mlflow_store import MlflowStore

    try:
        check_reachable(uri)
        store = MlflowStore(uri)
        run_id = store.find_run(record)
        models = store.models(run_id) if run_id else []
        if not models or run_id is None:
            raise LookupError(f"{record.name} has no model there (tracking.weights=best logs it)")
        with current_store(uri):  # MLflow looks up the logged model in its current store
            version = _version(store.client, models[0], name, run_id, record)
        store.client.set_registered_model_alias(name, ALIAS, version)
    except Exception as error:  # the model can be registered later, by the same command
        warn(f"{name} could not be registered in {uri}: {error}")
        return
    chosen = f", the best of {among} runs" if among > 1 else ""
    score = f"mean IoU {record.validation_mean_iou:.3f} on the validation images"
    print(f"Registered:           models:/{name}@{ALIAS} = version {version}, {record.name}{chosen}: {score}")


def _version(client: Any, model: Any, name: str, run_id: str, record: Record) -> str:
    """The version of a logged model, which is created if needed."""
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    source, description = f"models:/{model.model_id}", model.tags.get(NOTE_TAG)
    for version in client.search_model_versions(f"name = '{name}'"):
        if version.run_id == run_id and version.source == source:  # otherwise of a model that was deleted
            return str(version.version)
    created = client.create_model_version(name, source, run_id, description=description, model_id=model.model_id)
    listed = json.loads(model.tags.get(_VERSIONS_TAG, "[]"))
    others = [each for each in listed if each["name"] != name]  # what is listed under this name was deleted
    versions = [*others, {"name": name, "version": created.version}]
    client.set_logged_model_tags(model.model_id, {_VERSIONS_TAG: json.dumps(versions)})
    return str(created.version)

"""Logs a run's scored weights as an MLflow model that loads without this project."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from activation_study import plugins
from activation_study.config.identity import INTRODUCED
from activation_study.config.schema import Config, Data
from activation_study.keras_import import import_keras, usable_backend
from activation_study.location import PACKAGE
from activation_study.model.build import untrained_network
from activation_study.records.record import Record
from activation_study.records.run import read_findings
from activation_study.records.weights import load_recorded_weights
from activation_study.tracking.run_page.description import NOTE_TAG, describe_run
from activation_study.tracking.run_page.run_params import run_params
from activation_study.tracking.run_page.run_tags import source_tags

MODEL_NAME = "model"


def log_model(uri: str, run_id: str, record: Record, weights: Path) -> str:
    """Logs `runs:/<run id>/model`; the model has the run's parameters, and its name and source as tags.

    MLflow finds `runs:/<run id>/<name>` by the model's name, so all models have the same one.

    Args:
        uri: the store's tracking URI.
        run_id: ID of the run, which has ended.
        record: the run's record.
        weights: the file of its scored weights.

    Returns:
        The model's ID.

    Raises:
        WrongWeights: the file cannot be read, or does not have the recorded weights.
        BadInput: the network cannot be built from the record.
    """
    import mlflow
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    data = record.configuration().data
    height, width = data.image_size
    classes = len(record.classes)
    signature = ModelSignature(
        inputs=Schema([TensorSpec(np.dtype(np.float32), (-1, height, width, data.channels))]),
        outputs=Schema([TensorSpec(np.dtype(np.float32), (-1, height, width, classes))]),
    )
    note = describe_run(record, run_id, read_findings(weights.parent, record))
    import_keras(usable_backend())  # here, because MLflow runs the model's code, which imports it
    network = untrained_network(record.configuration(), classes)
    load_recorded_weights(network, record, weights)
    modules = _plugins_in(network, record.configuration())
    with current_store(uri), mlflow.start_run(run_id=run_id), warnings.catch_warnings(), _layers_package() as layers:
        # An input example would be stored with every model; the explicit signature makes it unnecessary.
        warnings.filterwarnings("ignore", message=".*input example was not provided.*")
        logged = mlflow.pyfunc.log_model(
            name=MODEL_NAME,
            params=run_params(record),
            tags={"run": record.name, NOTE_TAG: note, **source_tags(record)},
            python_model=str(Path(__file__).with_name("logged_model.py")),
            artifacts={"keras_model": str(weights)},
            code_paths=[str(layers), *map(str, plugins.packages(modules))],
            signature=signature,
            # MLflow also logs it as a parameter of the run; under this name, the run has it already.
            model_config={**_input_format(data), **({"plugins": modules} if modules else {})},
            pip_requirements=[f"{name}=={version(name)}" for name in ("tensorflow", "keras", "numpy", "mlflow")],
        )
    return str(logged.model_id)


def _plugins_in(network: Any, config: Config) -> list[str]:
    """The modules of plug-ins that the network's layers and initializers come from."""
    packages = {plugins.module_of(name).partition(".")[0] for name in config.plugins}
    modules = {type(layer).__module__ for layer in network._flatten_layers()}
    modules.add(str(config.initializer["_target_"]).rpartition(".")[0])
    return sorted(module for module in modules if module.partition(".")[0] in packages)


def _input_format(data: Data) -> dict[str, Any]:
    """What the network takes, as far as it is not the usual."""
    values = {"data.channel_order": data.channel_order}
    for key in ("channels", "value_range"):
        if getattr(data, key) != INTRODUCED[f"data.{key}"]:
            values[f"data.{key}"] = getattr(data, key)
    return values


@contextmanager
def current_store(uri: str) -> Iterator[None]:
    """Makes a store MLflow's current one inside the block.

    MLflow also sets MLFLOW_TRACKING_URI. That must not last: it is the default of the next run's `tracking.uri`.
    """
    import mlflow

    before = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)  # type: ignore[arg-type]  # None: unset


@contextmanager
def _layers_package() -> Iterator[Path]:
    """A temporary package with the project's custom layers, which `logged_model.py` imports."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "activation_study_layers"
        package.mkdir()
        for module in ("activations.py", "normalization.py"):
            shutil.copy(PACKAGE / "model" / module, package)
        yield package

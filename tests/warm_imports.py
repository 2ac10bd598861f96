"""What the server of `warm_start` imports before it forks: what takes long, with the settings of this project."""

from activation_study.keras_import import import_keras

import_keras()

import activation_study.cli.commands  # noqa: E402
import activation_study.tracking.store.mlflow_store  # noqa: E402, F401

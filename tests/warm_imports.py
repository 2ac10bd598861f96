"""What the server of `warm_start` imports before it forks: what takes long, with the settings of this project."""

from activation_study.keras_import import import_keras

import_keras()

import activation_study.cli.commands  # noqa: E402, I001
import activation_study.tracking.store.mlflow_store  # noqa: E402, F401 (before MLflow, for which it sets variables)
import cv2  # noqa: E402, F401
import matplotlib.figure  # noqa: E402, F401
import mlflow.pyfunc  # noqa: E402
import mlflow.store.tracking.sqlalchemy_store  # noqa: E402, F401

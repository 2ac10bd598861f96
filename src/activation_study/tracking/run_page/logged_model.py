"""The logged model's code, which MLflow runs from the model's folder, where this project need not be installed.

The model consists of the best weights as `best.keras` and the custom layers as source files; nothing is pickled.
"""

import os
import sys
from typing import Any

if "keras" not in sys.modules:  # TensorFlow is what the model requires; keras.json may name another backend
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import mlflow
import numpy as np

try:
    import activation_study_layers.activations  # noqa: F401  # from the model's code folder; registers the layers
except ImportError:
    import activation_study.model.activations  # noqa: F401

BATCH_SIZE = 32  # affects only speed and memory
TOLERANCE = 0.05  # how far resizing may push a pixel below 0 or above 1


class SegmentationModel(mlflow.pyfunc.PythonModel):  # type: ignore[name-defined]
    """float32 [N, height, width, 3], preprocessed as for training → probabilities float32 [N, height, width, C]."""

    def load_context(self, context: Any) -> None:
        """Loads the network in Keras' safe mode."""
        self.network = keras.saving.load_model(context.artifacts["keras_model"], compile=False)

    def predict(self, context: Any, model_input: np.ndarray, params: dict[str, Any] | None = None) -> np.ndarray:
        """The class probabilities of each pixel.

        Raises:
            MlflowException: a value is not a number, below 0 or above 1.
        """
        order = (context.model_config or {}).get("data.channel_order", "bgr").upper()
        low, high = (float(extreme) for extreme in (np.min(model_input), np.max(model_input)))
        if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):
            raise mlflow.exceptions.MlflowException.invalid_parameter_value(
                f"the model expects float32 images with values from 0 to 1 (uint8 divided by 255), with their channels "
                f"in the order {order}, resized as for training; got values from {low:g} to {high:g}"
            )
        # Not `predict`, which would cast the images to the host's keras.config.floatx().
        starts = range(0, len(model_input), BATCH_SIZE)
        batches = [self.network.predict_on_batch(model_input[start : start + BATCH_SIZE]) for start in starts]
        return np.concatenate(batches)


mlflow.models.set_model(SegmentationModel())

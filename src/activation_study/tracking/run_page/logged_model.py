"""The logged model's code, which MLflow runs from the model's folder, where this project need not be installed.

The model consists of the scored weights as a `.keras` file and the custom layers as source files; nothing is pickled.
"""

import importlib
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
    """float32 [N, height, width, channels], prepared as for training → probabilities float32 [N, height, width, C]."""

    def load_context(self, context: Any) -> None:
        """Loads the network in Keras' safe mode."""
        for module in (context.model_config or {}).get("plugins", ()):
            importlib.import_module(module)  # from the model's code folder; registers the layers
        self.network = keras.saving.load_model(context.artifacts["keras_model"], compile=False)

    def predict(self, context: Any, model_input: np.ndarray, params: dict[str, Any] | None = None) -> np.ndarray:
        """The class probabilities of each pixel.

        Raises:
            MlflowException: a value is not a number, below 0 or above 1.
        """
        config = context.model_config or {}
        low, high = (float(extreme) for extreme in (np.min(model_input), np.max(model_input)))
        if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):
            raise mlflow.exceptions.MlflowException.invalid_parameter_value(
                f"the model expects float32 images with values from 0 to 1 ({_scale(config)}), with "
                f"{_channels(config)}, resized as for training; got values from {low:g} to {high:g}"
            )
        # Not `predict`, which would cast the images to the host's keras.config.floatx().
        starts = range(0, len(model_input), BATCH_SIZE)
        batches = [self.network.predict_on_batch(model_input[start : start + BATCH_SIZE]) for start in starts]
        return np.concatenate(batches)


def _scale(config: dict[str, Any]) -> str:
    value_range = config.get("data.value_range")
    return "uint8 divided by 255" if value_range is None else "from {:g} to {:g} in the files".format(*value_range)


def _channels(config: dict[str, Any]) -> str:
    channels = config.get("data.channels", 3)
    if channels == 1:
        return "one channel, grey"
    if channels == 3:
        return f"their channels in the order {config.get('data.channel_order', 'bgr').upper()}"
    return f"their {channels} channels in the order of the files"


mlflow.models.set_model(SegmentationModel())

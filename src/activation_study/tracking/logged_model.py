"""The logged model's code, which MLflow runs from the model's folder, where this project need not be installed.

The model consists of the best weights as `best.keras` and the custom layers as source files; nothing is pickled.
"""

from typing import Any

import keras
import mlflow
import numpy as np

try:
    import activation_study_layers.activations  # noqa: F401  # from the model's code folder; registers the layers
except ImportError:
    import activation_study.model.activations  # noqa: F401


class SegmentationModel(mlflow.pyfunc.PythonModel):  # type: ignore[name-defined]
    """float32 [N, height, width, 3], preprocessed as for training → probabilities float32 [N, height, width, C]."""

    def load_context(self, context: Any) -> None:
        """Loads the network in Keras' safe mode."""
        self.network = keras.saving.load_model(context.artifacts["keras_model"], compile=False)

    def predict(self, context: Any, model_input: np.ndarray, params: dict[str, Any] | None = None) -> np.ndarray:
        """The class probabilities of each pixel."""
        return self.network.predict(model_input, verbose=0)


mlflow.models.set_model(SegmentationModel())

"""Steps as Keras makes them, for the backends on which these are as fast as any."""

from collections.abc import Callable
from typing import Any

Step = Callable[[Any, Any], dict[str, Any]]


def steps(model: Any) -> tuple[Step, Step]:
    """The training and the validation step; both return the metrics of their batch only."""
    return (
        lambda images, labels: model.train_on_batch(images, labels, return_dict=True),
        lambda images, labels: model.test_on_batch(images, labels, return_dict=True),
    )


def prediction(model: Any) -> Callable[[Any], Any]:
    """The forward pass: float32 [N, …] → the model's output as an array."""
    return lambda images: model.predict_on_batch(images)

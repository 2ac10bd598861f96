"""An activation. It imports Keras alone, since this file is copied into each logged model."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("my_parts")
class Snake(keras.Layer):
    """x + sin²(a x) / a, with a learned a for each channel.

    Source: Ziyin, Hartwig, Ueda, "Neural Networks Fail to Learn Periodic Functions and How to Fix It", 2020,
    arXiv:2006.08195.
    """

    def __init__(self, start: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates a."""
        start = keras.initializers.Constant(self.start)
        self.a = self.add_weight(shape=(input_shape[-1],), initializer=start, name="a")

    def call(self, x: Any) -> Any:
        """Snake of x."""
        a = ops.cast(self.a, x.dtype)
        return x + ops.square(ops.sin(a * x)) / a

    def get_config(self) -> dict[str, Any]:
        """The arguments, for saving."""
        return {**super().get_config(), "start": self.start}

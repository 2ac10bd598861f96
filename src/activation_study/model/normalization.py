"""Keras' batch normalisation by TensorFlow's fused operation."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("activation_study")
class BatchNormalization(keras.layers.BatchNormalization):
    """γ (x − mean) / sqrt(variance + ε) + β over [batch, height, width, channels], per channel.

    In training, mean and variance are those of the batch and update the moving ones; otherwise the moving ones are
    used. Arguments, weights and values are the same as in Keras' layer, which consists of some twenty operations, each
    a pass over memory. This layer trains with TensorFlow's fused operation, which stores only x for the gradient and
    computes in float32 on half-precision input. Other backends fuse operations themselves and use Keras' layer.
    Source: Ioffe, Szegedy, "Batch Normalization", 2015, arXiv:1502.03167.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalises the inputs."""
        if not (training and self.trainable and mask is None and self._can_fuse(inputs)):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=ops.convert_to_tensor(self.gamma),
            offset=ops.convert_to_tensor(self.beta),
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        # TensorFlow returns the sample variance Σ / (n − 1); Keras' moving variance is updated with Σ / n.
        count = ops.cast(tf.size(inputs) // inputs.shape[-1], "float32")
        self._update_moving(self.moving_mean, mean)
        self._update_moving(self.moving_variance, variance * ((count - 1.0) / count))
        return outputs

    def _can_fuse(self, inputs: Any) -> bool:
        plain = self.scale and self.center and not self.renorm and not self.synchronized
        return keras.backend.backend() == "tensorflow" and plain and len(inputs.shape) == 4 and self.axis in (-1, 3)

    def _update_moving(self, moving: Any, value: Any) -> None:
        moving.assign(moving * self.momentum + value * (1.0 - self.momentum))

"""The optimizer of a configuration, and the one that Keras lacks for convolutions."""

from typing import Any

import keras
from keras import ops

from activation_study.config.components import make_component
from activation_study.errors import BadInput

# Of Keras: they wrap others, or need other weights for the evaluation than for training.
UNSUITABLE = ("LossScaleOptimizer", "MultiOptimizer", "OptimizerMap", "Optimizer", "ScheduleFreeAdamW")


class ConvolutionMuon(keras.optimizers.Muon):
    """Muon for convolutions: each kernel [height, width, in, out] is taken as the matrix [height · width · in, out].

    Keras' Muon gives every variable that is not a matrix to AdamW, and so all of a convolutional network. Here AdamW
    has what is left: biases, normalisations, depthwise kernels and the layer before the softmax (`exclude_layers`).
    Its learning rate is `adam_lr_ratio` times that of Muon. Arguments are those of Keras' class.

    Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, where kernels are flattened
    in the same way.
    """

    def _should_use_adamw(self, variable: Any) -> bool:
        if len(variable.shape) == 4 and variable.shape[-1] > 1:
            return any(name in variable.path for name in self.exclude_layers)
        return bool(super()._should_use_adamw(variable))

    def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        direction = ops.add(gradient, self.momentum * m) if self.nesterov else m
        matrix = ops.reshape(direction, (-1, variable.shape[-1]))
        update = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, ops.reshape(update, variable.shape))


def make_optimizer(options: dict[str, Any]) -> keras.Optimizer:
    """A new optimizer.

    Args:
        options: the group `optimizer` of the configuration: `name`, `_target_`, `learning_rate` and other arguments.

    Raises:
        BadInput: the class is not allowed, or rejects the arguments; the message has both.
    """
    modules = {
        "keras.optimizers": {name: each for name, each in vars(keras.optimizers).items() if name not in UNSUITABLE},
        __name__: {ConvolutionMuon.__name__: ConvolutionMuon},
    }
    optimizer: keras.Optimizer = make_component("optimizer", options, keras.Optimizer, modules)
    if optimizer.use_ema and optimizer.ema_overwrite_frequency is None:
        raise BadInput(
            "optimizer.use_ema=true: the average would never be used; every run keeps one of its own, which "
            "evaluation.weights=ema scores"
        )
    return optimizer

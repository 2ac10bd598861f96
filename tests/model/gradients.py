"""Loss and gradients of one batch from given weights, on the backend of KERAS_BACKEND: gradients.py FOLDER.

Reads weights-ACTIVATION.npz if it exists, otherwise writes it; writes BACKEND-ACTIVATION.npz.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from activation_study import backend

ACTIVATIONS = (
    "keras.layers.ReLU",
    "activation_study.model.activations.Mish",
    "activation_study.model.activations.FReLU",
)


def main(folder: Path) -> None:
    """Writes the files."""
    backend.configure_backend(1, "float32")
    import keras

    from activation_study.model.activation_factory import activation_factory
    from activation_study.model.losses.cross_entropy import CrossEntropy
    from activation_study.model.network_parts import NetworkParts
    from activation_study.model.networks.unet import build_unet

    generator = np.random.default_rng(0)
    images = generator.uniform(size=(3, 32, 32, 3)).astype(np.float32)
    labels = generator.integers(-1, 4, size=(3, 32, 32)).astype(np.int8)
    for target in ACTIVATIONS:
        name = target.rpartition(".")[2]
        unet = build_unet(NetworkParts((32, 32), 4, activation_factory(target, {}), 1), [8, 16, 16], [1, 1, 2], [2, 1])
        weights = folder / f"weights-{name}.npz"
        if weights.exists():
            with np.load(weights) as saved:
                unet.set_weights([saved[key] for key in saved])
        else:
            np.savez(weights, *unet.get_weights())
        logits = keras.Model(unet.input, unet.get_layer("logits").output)
        loss, gradients = loss_and_gradients(logits, CrossEntropy(), images, labels)
        arrays = {str(number): np.asarray(gradient) for number, gradient in enumerate(gradients)}
        path = folder / f"{keras.backend.backend()}-{name}.npz"
        np.savez(path, loss=np.asarray(loss), parameters=unet.count_params(), **arrays)


def loss_and_gradients(logits: Any, loss: Any, images: Any, labels: Any) -> tuple[Any, list[Any]]:
    """The loss in training mode, and its gradients by the trainable weights."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss.call(labels, logits(images, training=True))
        return value, tape.gradient(value, [variable.value for variable in logits.trainable_variables])
    if keras.backend.backend() == "torch":
        value = loss.call(labels, logits(images, training=True))
        value.backward()
        return value.detach(), [variable.value.grad for variable in logits.trainable_variables]
    import jax

    others = [variable.value for variable in logits.non_trainable_variables]

    def value_of(weights: list[Any]) -> Any:
        outputs, _ = logits.stateless_call(weights, others, images, training=True)
        return loss.call(labels, outputs)

    return jax.jit(jax.value_and_grad(value_of))([variable.value for variable in logits.trainable_variables])


if __name__ == "__main__":
    main(Path(sys.argv[1]))

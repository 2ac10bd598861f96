"""Which layers are refused on PyTorch for state that a checkpoint would miss; prints JSON."""

import json
from typing import Any

import numpy as np

from activation_study import backend


def main() -> None:
    """Prints the names of the layers that are accepted, refused, and changed by the check."""
    backend.configure_backend(1, "float32")
    import keras
    import torch

    from activation_study.errors import BadInput
    from activation_study.model.activations import FReLU
    from activation_study.model.network_parts import NetworkParts
    from activation_study.model.networks.unet import build_unet
    from activation_study.model.random_state import random_states, reject_unsaved_state

    class Unseeded(keras.layers.Dropout):  # Keras draws its numbers from PyTorch's global generator
        pass

    class Torch(keras.Layer):
        def call(self, x: Any) -> Any:
            return x + torch.randn_like(x)

    class Global(keras.Layer):
        def call(self, x: Any) -> Any:
            return x + keras.random.normal(keras.ops.shape(x))

    class NumPy(keras.Layer):
        def call(self, x: Any) -> Any:
            return x * float(np.random.random())

    class Generator(keras.Layer):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.generator = torch.Generator().manual_seed(3)

        def call(self, x: Any) -> Any:
            return x + torch.rand(1, generator=self.generator)

    class Counter(keras.Layer):
        count = 0

        def call(self, x: Any) -> Any:
            self.count += 1
            return x * self.count

    found: dict[str, list[str]] = {"accepted": [], "refused": [], "changed": []}
    for kind in (keras.layers.ReLU, FReLU, keras.layers.Dropout, Unseeded, Torch, Global, NumPy, Generator, Counter):
        arguments = {Unseeded: {"rate": 0.5}, keras.layers.Dropout: {"rate": 0.5, "seed": 3}}.get(kind, {})
        parts = NetworkParts((16, 16), 3, lambda name, seed, make=kind, given=arguments: make(name=name, **given))
        unet = build_unet(parts, [4, 6], [1, 1], [1])
        before = [np.array(value.numpy()) for value in (*unet.variables, *random_states(unet))]
        try:
            reject_unsaved_state(unet)
            found["accepted"].append(kind.__name__)
        except BadInput:
            found["refused"].append(kind.__name__)
        after = [np.array(value.numpy()) for value in (*unet.variables, *random_states(unet))]
        if any((first != second).any() for first, second in zip(before, after, strict=True)):
            found["changed"].append(kind.__name__)
    print(json.dumps(found))


if __name__ == "__main__":
    main()

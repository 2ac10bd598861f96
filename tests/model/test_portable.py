"""A saved network loads in plain Keras where Keras has its layers, with equal weights and outputs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from activation_study import backend
from activation_study.model.activation_factory import activation_factory
from activation_study.model.losses.cross_entropy import CrossEntropy
from activation_study.model.network import Network, weights_digest
from activation_study.model.network_parts import NetworkParts
from activation_study.model.networks.unet import build_unet

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    ),  # Keras' own
]

KERAS_LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("keras.layers.ReLU", {}),
    "mish": ("activation_study.model.activations.Mish", {}),
    "silu": ("keras.layers.Activation", {"activation": "silu"}),
    "prelu": ("keras.layers.PReLU", {"shared_axes": [1, 2]}),
    "dropout": ("keras.layers.Dropout", {"rate": 0.2}),
}
OWN_LAYERS = {"frelu": ("activation_study.model.activations.FReLU", {})}
LOAD = """
import sys, keras, numpy as np
images = np.load("images.npy")
for name in sys.argv[1:]:
    network = keras.saving.load_model(name + ".keras")
    np.savez(name + ".npz", network.predict_on_batch(images), *network.get_weights())
assert not any(name.startswith("activation_study") for name in sys.modules)
"""


def network(name: str, precision: str) -> Network:
    target, arguments = {**KERAS_LAYERS, **OWN_LAYERS}[name]
    backend.configure_backend(None, precision)
    unet = build_unet(NetworkParts((16, 16), 3, activation_factory(target, arguments)), [4, 6], [1, 1], [1])
    generator = np.random.default_rng(1)
    unet.set_weights([generator.uniform(0.1, 0.5, weight.shape) for weight in unet.get_weights()])
    return Network(unet, CrossEntropy(), keras.optimizers.Adam(1e-3, amsgrad=True))


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_networks_of_keras_layers_load_in_plain_keras_with_equal_bits(precision: str, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images.astype(np.float32) / np.float32(255))
    expected = {}
    for name in KERAS_LAYERS:
        saved = network(name, precision)
        saved.save(tmp_path / f"{name}.keras")
        expected[name] = saved.predict(images), saved.weights()
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *KERAS_LAYERS], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name, (probabilities, weights) in expected.items():
        with np.load(tmp_path / f"{name}.npz") as arrays:
            loaded, *loaded_weights = arrays.values()
        assert weights_digest(loaded_weights) == weights_digest(weights), name
        np.testing.assert_allclose(loaded, probabilities, atol=1e-6 if precision == "float32" else 0.02, err_msg=name)


@pytest.mark.parametrize("name", [*KERAS_LAYERS, *OWN_LAYERS])
def test_a_saved_network_and_one_of_an_earlier_version_are_loaded_into_the_same_network(
    name: str, tmp_path: Path
) -> None:
    saved = network(name, "float32")
    before = type(saved.unet.layers[2])
    saved.save(tmp_path / "new.keras")
    saved.unet.save(tmp_path / "old.keras")  # with this project's layers
    assert type(saved.unet.layers[2]) is before, "saving does not change the network"
    for file in ("new.keras", "old.keras"):
        loaded = network(name, "float32")
        loaded.set_weights([0 * weight for weight in loaded.weights()])
        loaded.load(tmp_path / file)
        assert weights_digest(loaded.weights()) == weights_digest(saved.weights())


def test_only_layers_that_keras_lacks_are_named_in_a_saved_network(tmp_path: Path) -> None:
    network("frelu", "float32").save(tmp_path / "frelu.keras")
    loaded = keras.saving.load_model(tmp_path / "frelu.keras")
    own = {type(layer).__name__ for layer in loaded.layers if type(layer).__module__.startswith("activation_study")}
    assert own == {"FReLU"}

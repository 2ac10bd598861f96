"""The other networks: parameters by hand, connections, the injected parts, what is said of sizes that do not fit."""

import itertools
from typing import Any

import numpy as np
import pytest

from activation_study import backend
from activation_study.errors import BadInput
from activation_study.model.network import shared_weights_digest
from activation_study.validation import from_hydra
from hydra_compose import composed

pytestmark = pytest.mark.integration
NAMES = ("residual_unet", "segnet", "deeplab")


@pytest.fixture(scope="module", autouse=True)
def _backend() -> None:
    backend.configure_backend(None, "float32")


def network(model: str, *overrides: str, classes: int = 3) -> Any:
    from activation_study.model.build import untrained_network

    return untrained_network(from_hydra(composed([f"model={model}", "data.image_size=32", *overrides])), classes)


def conv(inputs: int, outputs: int, kernel: int = 3) -> int:
    return kernel * kernel * inputs * outputs + outputs


def block(inputs: int, outputs: int, kernel: int = 3) -> int:
    return conv(inputs, outputs, kernel) + 4 * outputs


def residual_unet(widths: list[int], classes: int) -> int:
    def unit(inputs: int, width: int, first: bool = False) -> int:
        norms = 4 * width + (0 if first else 4 * inputs)
        return conv(inputs, width, 1) + conv(inputs, width) + conv(width, width) + norms

    down = unit(3, widths[0], first=True) + sum(unit(a, b) for a, b in itertools.pairwise(widths))
    up = sum(unit(below + width, width) for width, below in itertools.pairwise(widths))
    return down + up + conv(widths[0], classes, 1)


def segnet(widths: list[int], blocks: list[int], classes: int) -> int:
    total, channels = 0, 3
    for width, count in zip(widths, blocks, strict=True):
        for _ in range(count):
            total, channels = total + block(channels, width), width
    for level in reversed(range(len(widths))):
        channels += widths[level]
        outputs = [widths[level]] * (blocks[level] - 1) + [widths[max(level - 1, 0)]]
        for width in outputs:
            total, channels = total + block(channels, width), width
    return total + conv(channels, classes, 1)


def deeplab(widths: list[int], blocks: list[int], width: int, skip: int, classes: int) -> int:
    total, channels = 0, 3
    for each, count in zip(widths, blocks, strict=True):
        for _ in range(count):
            total, channels = total + block(channels, each), each
    total += (
        block(channels, width, 1) + 3 * block(channels, width) + conv(channels, width, 1) + block(5 * width, width, 1)
    )
    total += block(widths[1], skip, 1) + block(width + skip, width) + block(width, width)
    return total + conv(width, classes, 1)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("residual_unet", residual_unet([32, 64, 128, 256, 512], 3)),
        ("residual_unet_small", residual_unet([8, 16, 32, 64, 128], 3)),
        ("segnet_small", segnet([8, 16, 32, 64, 64], [2, 2, 3, 3, 3], 3)),
        ("deeplab", deeplab([32, 64, 128, 256], [1, 2, 2, 2], 128, 24, 3)),
        ("deeplab_small", deeplab([8, 16, 32, 64], [1, 2, 2, 2], 32, 6, 3)),
    ],
)
def test_the_number_of_parameters_is_that_of_the_description(model: str, expected: int) -> None:
    assert network(model).count_params() == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_output_is_a_distribution_at_each_pixel(name: str) -> None:
    images = np.random.default_rng(0).uniform(size=(2, 32, 64, 3)).astype(np.float32)
    output = np.asarray(network(f"{name}_small", "data.image_size=[32,64]", classes=4)(images))
    assert output.shape == (2, 32, 64, 4)
    np.testing.assert_allclose(output.sum(axis=-1), 1, atol=1e-5)
    assert output.std() > 0


@pytest.mark.parametrize("name", NAMES)
def test_activation_normalisation_and_scope_are_injected(name: str) -> None:
    import keras

    from activation_study.model.activations import FReLU

    built = network(f"{name}_small", "activation=frelu", "activation.scope=decoder", "normalization=layer")
    layers = {layer.name: type(layer) for layer in built.layers}
    activations = {key: kind for key, kind in layers.items() if "_activation" in key}
    assert len(activations) > 8
    for key, kind in activations.items():
        assert kind is (FReLU if key.startswith("decoder") else keras.layers.ReLU), key
    assert {kind for key, kind in layers.items() if "_norm" in key} == {keras.layers.GroupNormalization}


@pytest.mark.parametrize("name", NAMES)
def test_shared_layers_start_equal_under_every_activation(name: str) -> None:
    digests = {shared_weights_digest(network(f"{name}_small", f"activation={each}")) for each in ("relu", "frelu")}
    assert len(digests) == 1
    assert shared_weights_digest(network(f"{name}_small", "seed=1")) not in digests


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_learned(name: str) -> None:
    """Also that no gradient ends the process, as that of a 1×1 convolution with strides at this size does."""
    from activation_study.model.build import build_network

    config = from_hydra(composed([f"model={name}_small", "data.image_size=64", "protocol=modern"]))
    built, generator = build_network(config, 3), np.random.default_rng(0)
    images = generator.integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)
    labels = (images[..., 0] > 127).astype(np.int8)
    losses = [built.train_on(images, labels)[0] for _ in range(12)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_residual_unit_adds_its_input() -> None:
    built = network("residual_unet_small")
    inputs = [tensor._keras_history.operation.name for tensor in built.get_layer("encoder2_sum").input]
    assert inputs == ["encoder2_conv2", "encoder2_shortcut"]
    assert built.get_layer("encoder2_shortcut_pixels").strides == (2, 2)
    assert built.get_layer("encoder2_shortcut_pixels").pool_size == (1, 1)
    assert built.get_layer("encoder2_norm1").input._keras_history.operation.name == "encoder1_sum"


def test_segnet_pools_after_every_level_and_joins_what_was_pooled() -> None:
    import keras

    built = network("segnet_small")
    assert sum(isinstance(layer, keras.layers.MaxPooling2D) for layer in built.layers) == 5
    joined = [tensor._keras_history.operation.name for tensor in built.get_layer("decoder5_join").input]
    assert joined == ["decoder5_up", "encoder5_block3_activation"]


def test_the_pyramid_of_deeplab_has_the_dilation_rates() -> None:
    built = network("deeplab_small", "model.rates=[1,3]")
    rates = [built.get_layer(f"encoder_pyramid_rate{rate}_conv").dilation_rate for rate in (1, 3)]
    assert rates == [(1, 1), (3, 3)]
    assert built.get_layer("encoder_pyramid_join").output.shape == (None, 4, 4, 4 * 32)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("segnet_small", "data.image_size=16"), "must be multiples of 32"),
        (("segnet_small", "model.blocks=[1,1]"), "5 widths need 5 blocks"),
        (("deeplab_small", "model.skip_level=4"), "a skip_level from 1 to 3"),
        (("residual_unet_small", "+model.blocks=[1]"), "rejects"),
    ],
)
def test_what_does_not_fit_is_said(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        network(*overrides)

"""Normalisation, up-sampling and initial weights: what each option computes, and what cannot be used."""

from typing import Any

import numpy as np
import pytest

from activation_study import backend
from activation_study.errors import BadInput
from activation_study.location import conf_dir
from activation_study.validation import from_hydra
from hydra_compose import composed

pytestmark = pytest.mark.integration
SMALL = ("model.widths=[8,16]", "model.encoder_blocks=[1,1]", "model.decoder_blocks=[1]", "data.image_size=16")


@pytest.fixture(scope="module", autouse=True)
def _backend() -> None:
    backend.configure_backend(None, "float32")


def options_of(group: str) -> list[str]:
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


def network(*overrides: str) -> Any:
    from activation_study.model.build import untrained_network

    return untrained_network(from_hydra(composed([*SMALL, *overrides])), 3)


def images() -> Any:
    return np.random.default_rng(0).uniform(size=(2, 16, 16, 3)).astype(np.float32)


@pytest.mark.parametrize("group", ["normalization", "upsampling", "initializer"])
def test_each_option_makes_another_network_of_the_same_shape(group: str) -> None:
    outputs = [np.asarray(network(f"{group}={option}")(images())) for option in options_of(group)]
    assert {output.shape for output in outputs} == {(2, 16, 16, 3)}
    assert len({output.tobytes() for output in outputs}) == len(outputs) > 2


@pytest.mark.parametrize(
    ("option", "axes"),
    [("layer", (1, 2, 3)), ("instance", (1, 2))],
)
def test_a_normalisation_of_single_images_by_its_formula(option: str, axes: tuple[int, ...]) -> None:
    from activation_study.model.layer_factories import normalization_factory

    x = np.random.default_rng(1).normal(3, 2, size=(2, 5, 6, 8)).astype(np.float32)
    layer = normalization_factory(from_hydra(composed([f"normalization={option}"])).normalization)("norm", 0)
    expected = (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + 1e-3)
    np.testing.assert_allclose(np.asarray(layer(x)), expected, atol=1e-4)


def test_group_normalisation_by_its_formula() -> None:
    from activation_study.model.layer_factories import normalization_factory

    x = np.random.default_rng(1).normal(3, 2, size=(2, 5, 6, 8)).astype(np.float32)
    layer = normalization_factory(from_hydra(composed(["normalization=group"])).normalization)("norm", 0)
    groups = x.reshape(2, 5, 6, 4, 2)
    centred = groups - groups.mean(axis=(1, 2, 4), keepdims=True)
    expected = (centred / np.sqrt(groups.var(axis=(1, 2, 4), keepdims=True) + 1e-3)).reshape(x.shape)
    np.testing.assert_allclose(np.asarray(layer(x)), expected, atol=1e-4)


def test_without_normalisation_frelu_keeps_its_own() -> None:
    from activation_study.model.normalization import BatchNormalization

    built = network("normalization=none", "activation=frelu", "protocol=modern")
    norms = [layer for layer in built._flatten_layers() if isinstance(layer, BatchNormalization)]
    assert len(norms) == 3
    assert {layer.momentum for layer in norms} == {0.9}, "that of the protocol"


def test_a_transposed_convolution_has_as_many_channels_as_its_input() -> None:
    layer = network("upsampling=transposed").get_layer("head_up")
    assert layer.kernel.shape == (2, 2, 16, 16)


def test_other_parts_leave_the_initial_weights_of_convolutions_as_they_are() -> None:
    kernels = [
        np.asarray(network(*options).get_layer("decoder2_block1_conv").kernel)
        for options in ([], ["normalization=none"], ["upsampling=transposed"], ["activation=frelu"])
    ]
    for kernel in kernels[1:]:
        np.testing.assert_array_equal(kernel, kernels[0])
    assert not np.array_equal(np.asarray(network("initializer=orthogonal").get_layer("logits").kernel), kernels[0])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["normalization=group", "normalization.groups=32"], "GroupNormalization at 8 channels: .*32"),
        (["normalization=batch", "normalization._target_=keras.layers.Dropout"], "has no layer of that name"),
        (["normalization=batch", "normalization._target_=keras.layers.Lambda"], "has no layer of that name"),
        (["normalization=group", "+normalization.size=3"], "rejects .*'size': 3"),
        (["upsampling=transposed", "upsampling.kernel_size=3", "+upsampling.padding=valid"], r"makes \(9, 9, 3\) of"),
        (["upsampling=nearest", "upsampling.interpolation=huge"], "upsampling: keras.layers.UpSampling2D rejects"),
        (["initializer=he_normal", "initializer._target_=keras.layers.ReLU"], "only classes of keras.initializers"),
        (["initializer=he_normal", "+initializer.scale=2"], "initializer: keras.initializers.HeNormal rejects"),
        (["model._target_=activation_study.model.networks.unet.Any"], "has no function of that name"),
        (["+model.depth=3"], "model: activation_study.model.networks.unet.build_unet rejects"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said(overrides: list[str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        network(*overrides)

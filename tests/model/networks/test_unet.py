"""The U-Net: parameters, layers and connections as in the article, equal initial weights for every activation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

import reference_unet  # in benchmarks/
import side_by_side  # in benchmarks/
from activation_study import backend
from activation_study.model.activation_factory import activation_factory
from activation_study.model.network import shared_weights_digest
from activation_study.model.network_parts import NetworkParts
from activation_study.model.networks.unet import build_unet
from activation_study.model.normalization import BatchNormalization

CONFIGURATION = Path(__file__).resolve().parents[3] / "conf"
ACTIVATIONS = sorted(path.stem for path in (CONFIGURATION / "activation").glob("*.yaml"))
MOMENTUM = {"momentum": 0.99}
TINY = {"widths": [4, 8, 8], "encoder_blocks": [1, 1, 2], "decoder_blocks": [1, 1]}


@pytest.fixture(scope="module", autouse=True)
def _backend() -> None:
    backend.configure_backend(None, "float32")


def factory(name: str) -> Any:
    file = OmegaConf.load(CONFIGURATION / f"activation/{name}.yaml")
    layer: Any = OmegaConf.to_container(
        OmegaConf.merge({"normalization": MOMENTUM, "protocol_defaults": {"normalization": MOMENTUM}}, file),
        resolve=True,
    )["layer"]
    return activation_factory(layer.pop("_target_"), layer)


def shape_of(model: str) -> dict[str, list[int]]:
    """The shape in conf/model, including its defaults."""
    options = OmegaConf.merge(
        OmegaConf.load(CONFIGURATION / "model/unet.yaml"), OmegaConf.load(CONFIGURATION / f"model/{model}.yaml")
    )
    return {key: list(options[key]) for key in ("widths", "encoder_blocks", "decoder_blocks")}


def build(activation: str = "relu", model: str = "unet_small", classes: int = 3, side: int = 32, seed: int = 0) -> Any:
    return build_unet(NetworkParts((side, side), classes, factory(activation), seed), **shape_of(model))


def tiny(activation: str = "relu", seed: int = 0) -> Any:
    return build_unet(NetworkParts((16, 16), 3, factory(activation), seed), **TINY)


@pytest.fixture(scope="module")
def small() -> Any:
    return build()


def convolutions(unet: Any) -> dict[str, int]:
    """The width of each convolution by its name."""
    import keras

    return {layer.name: layer.filters for layer in unet.layers if type(layer) is keras.layers.Conv2D}


def sources(unet: Any, name: str) -> list[str]:
    """The names of the input layers of the layer `name`, in order."""
    inputs = unet.get_layer(name).input
    return [tensor._keras_history.operation.name for tensor in (inputs if isinstance(inputs, list) else [inputs])]


# --- the article's numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "activation", "classes", "expected"),
    [
        ("unet", "relu", 3, 39_365_251),
        ("unet", "mish", 8, 39_365_576),
        ("unet", "frelu", 3, 39_443_875),
        ("unet", "frelu", 8, 39_444_200),
        ("unet_small", "relu", 3, 2_466_211),
        ("unet_small", "mish", 3, 2_466_211),
        ("unet_small", "frelu", 3, 2_485_867),
        ("unet_small", "relu", 8, 2_466_211 + 5 * (16 + 1)),
        ("unet_small", "frelu", 8, 2_485_867 + 5 * (16 + 1)),
    ],
)
def test_the_number_of_parameters_is_as_documented(model: str, activation: str, classes: int, expected: int) -> None:
    assert build(activation, model, classes).count_params() == expected


def test_there_are_fourteen_activations() -> None:
    from activation_study.model.activations import FReLU

    assert sum(type(layer) is FReLU for layer in build("frelu").layers) == 14


def test_the_small_network_has_a_quarter_of_each_width() -> None:
    full, small = shape_of("unet"), shape_of("unet_small")
    assert full["widths"] == [4 * width for width in small["widths"]] == [32, 64, 128, 256, 512, 1024]
    assert full["encoder_blocks"] == small["encoder_blocks"] == [1, 1, 1, 1, 2, 2]
    assert full["decoder_blocks"] == small["decoder_blocks"] == [1, 2, 1, 1, 1]


# --- layers ----------------------------------------------------------------------------------------------------------


def test_the_network_pools_and_doubles_five_times(small: Any) -> None:
    import keras

    for layer_class in (keras.layers.MaxPooling2D, keras.layers.UpSampling2D, keras.layers.Concatenate):
        assert sum(type(layer) is layer_class for layer in small.layers) == 5
    assert all(layer.pool_size == (2, 2) for layer in small.layers if type(layer) is keras.layers.MaxPooling2D)
    assert all(layer.interpolation == "nearest" for layer in small.layers if type(layer) is keras.layers.UpSampling2D)


def test_the_convolutions_are_those_of_the_article(small: Any) -> None:
    expected = {
        **{"encoder1_block1_conv": 8, "encoder2_block1_conv": 16, "encoder3_block1_conv": 32},
        **{"encoder4_block1_conv": 64, "encoder5_block1_conv": 128, "encoder5_block2_conv": 128},
        **{"encoder6_block1_conv": 256, "encoder6_block2_conv": 256, "decoder6_block1_conv": 256},
        **{"decoder5_block1_conv": 128, "decoder5_block2_conv": 128, "decoder4_block1_conv": 64},
        **{"decoder3_block1_conv": 32, "decoder2_block1_conv": 16, "head_conv": 16, "logits": 3},
    }
    assert convolutions(small) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("decoder5_join", ["decoder5_up", "encoder5_block2_activation"]),
        ("decoder4_join", ["decoder4_up", "encoder4_block1_activation"]),
        ("decoder2_join", ["decoder2_up", "encoder2_block1_activation"]),
        ("head_join", ["head_up", "encoder1_block1_activation"]),
        ("decoder5_up", ["decoder6_block1_activation"]),
        ("head_up", ["decoder2_block1_activation"]),
        ("encoder2_block1_conv", ["encoder1_pool"]),
        ("encoder1_pool", ["encoder1_block1_activation"]),
        ("encoder1_block1_activation", ["encoder1_block1_norm"]),
        ("encoder1_block1_norm", ["encoder1_block1_conv"]),
        ("decoder6_block1_conv", ["encoder6_block2_activation"]),
        ("head_conv", ["head_join"]),
        ("logits", ["head_conv"]),
        ("probabilities", ["logits"]),
    ],
)
def test_the_layers_are_connected_as_in_the_article(small: Any, name: str, expected: list[str]) -> None:
    assert sources(small, name) == expected


def test_normalisations_have_the_defaults_of_keras_and_convolutions_a_bias(small: Any) -> None:
    import keras

    norms = [layer for layer in small.layers if type(layer) is BatchNormalization]
    assert len(norms) == 14
    assert {(layer.momentum, layer.epsilon) for layer in norms} == {(0.99, 1e-3)}
    convs = [layer for layer in small.layers if type(layer) is keras.layers.Conv2D]
    assert len(convs) == 16
    assert all(layer.use_bias and layer.padding == "same" for layer in convs)


def test_kernels_are_initialised_he_normal(small: Any) -> None:
    kernel = small.get_layer("encoder6_block2_conv").get_weights()[0]
    expected = np.sqrt(2 / (9 * 256))
    assert kernel.std() == pytest.approx(expected, rel=0.01)
    assert np.abs(kernel).max() == pytest.approx(2 * expected / 0.8796, rel=0.01)  # truncated at two σ
    assert not small.get_layer("encoder6_block2_conv").get_weights()[1].any()


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("activation", ["relu", "mish", "frelu"])
def test_the_outputs_equal_those_of_the_written_out_network(activation: str, training: bool) -> None:
    reference = reference_unet.network(32, 3, activation, shape_of("unet_small")["widths"])
    generator = np.random.default_rng(3)
    copy = build(activation)
    weights = [weight + 0.1 * generator.uniform(size=weight.shape) for weight in copy.get_weights()]
    copy.set_weights(weights)
    reference.set_weights(weights)
    images = generator.uniform(size=(2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(copy(images, training=training), reference(images, training=training), atol=1e-5)


def test_the_operations_of_a_training_step_are_those_of_the_convolutions(small: Any) -> None:
    """The number used in docs/BENCHMARKS.md and docs/how-to/gpu.md, against the shapes of the layers."""
    import keras

    forward = 0
    for layer in small.layers:
        if type(layer) is keras.layers.Conv2D:
            _, height, width, _ = layer.output.shape
            forward += 2 * height * width * int(np.prod(layer.kernel.shape))
    first = 2 * 32 * 32 * 9 * 3 * 8
    assert side_by_side.gigaflops_of_an_image(32, 8) == pytest.approx((3 * forward - first) / 1e9)


# --- shapes and rejected input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 8])
def test_the_output_is_a_distribution_over_the_classes_at_each_pixel(classes: int) -> None:
    images = np.random.default_rng(0).uniform(size=(2, 64, 64, 3)).astype(np.float32)
    probabilities = np.asarray(build("mish", classes=classes, side=64)(images))
    assert probabilities.shape == (2, 64, 64, classes)
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all()
    assert probabilities.std() > 0
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-5)


def test_height_and_width_may_differ() -> None:
    parts = NetworkParts((32, 64), 3, factory("relu"))
    assert build_unet(parts, **shape_of("unet_small")).output_shape == (None, 32, 64, 3)


@pytest.mark.parametrize("size", [(48, 32), (32, 48), (224, 225), (16, 16)])
def test_a_size_that_is_no_multiple_of_32_is_rejected(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="must be multiples of 32"):
        build_unet(NetworkParts(size, 3, factory("relu")), **shape_of("unet_small"))


@pytest.mark.parametrize(("key", "blocks"), [("encoder_blocks", [1, 1]), ("decoder_blocks", [1, 1, 1])])
def test_lists_of_the_wrong_length_are_rejected(key: str, blocks: list[int]) -> None:
    with pytest.raises(ValueError, match="3 widths need 3 encoder_blocks and 2 decoder_blocks"):
        build_unet(NetworkParts((16, 16), 3, factory("relu")), **{**TINY, key: blocks})


# --- fairness --------------------------------------------------------------------------------------------------------


def test_shared_layers_start_equal_for_every_activation() -> None:
    assert len(ACTIVATIONS) > 2
    networks = {name: tiny(name) for name in ACTIVATIONS}
    assert len({shared_weights_digest(network) for network in networks.values()}) == 1
    kernels = {name: network.get_layer("decoder3_block1_conv").get_weights()[0] for name, network in networks.items()}
    for kernel in kernels.values():
        np.testing.assert_array_equal(kernel, kernels["relu"])


def test_another_seed_gives_other_initial_weights() -> None:
    assert len({shared_weights_digest(tiny(seed=seed)) for seed in (0, 1, 2)}) == 3


def test_the_digest_changes_with_any_shared_layer() -> None:
    network = tiny("frelu")
    before = shared_weights_digest(network)
    for name in ("head_conv", "logits", "encoder3_block2_norm"):
        layer = network.get_layer(name)
        original = layer.get_weights()
        layer.set_weights([original[0] + 1, *original[1:]])
        assert shared_weights_digest(network) != before
        layer.set_weights(original)
    layer = network.get_layer("encoder1_block1_activation")
    layer.set_weights([weight + 1 for weight in layer.get_weights()])
    assert shared_weights_digest(network) == before


def test_layers_of_the_same_shape_start_different() -> None:
    kernels = [tiny().get_layer(name).get_weights()[0] for name in ("encoder3_block1_conv", "encoder3_block2_conv")]
    assert (kernels[0] != kernels[1]).all()


def test_frelu_layers_start_different_and_depend_on_the_seed() -> None:
    first, again, other = tiny("frelu"), tiny("frelu"), tiny("frelu", seed=1)
    names = ("encoder2_block1_activation", "encoder3_block1_activation")
    start = [first.get_layer(name).depthwise.get_weights()[0] for name in names]
    assert (start[0] != start[1]).all()
    np.testing.assert_array_equal(start[0], again.get_layer(names[0]).depthwise.get_weights()[0])
    assert (start[0] != other.get_layer(names[0]).depthwise.get_weights()[0]).all()

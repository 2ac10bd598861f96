"""The optimizers: which classes are allowed, that each option trains, and Muon for convolutions by its definition."""

from typing import Any

import keras
import numpy as np
import pytest
import yaml

from activation_study.errors import BadInput
from activation_study.location import conf_dir
from activation_study.model.optimizers import ConvolutionMuon, make_optimizer

pytestmark = pytest.mark.integration

OPTIONS = {path.stem: path for path in sorted((conf_dir() / "optimizer").glob("*.yaml"))}


def options(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(OPTIONS[name].read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", OPTIONS)
def test_each_option_makes_its_class_with_its_arguments(name: str) -> None:
    given = options(name)
    optimizer = make_optimizer(given)
    assert given["name"] == name
    assert given["_target_"].rpartition(".")[2] == type(optimizer).__name__
    config = optimizer.get_config()
    for key, value in given.items():
        if key not in ("name", "_target_"):
            assert config[key] == pytest.approx(value), key


def test_the_default_is_the_article_s() -> None:
    optimizer = make_optimizer(options("adam_amsgrad"))
    article = keras.optimizers.Adam(1e-3, amsgrad=True)
    assert {**optimizer.get_config(), "name": ""} == {**article.get_config(), "name": ""}


@pytest.mark.parametrize(
    "target",
    ["keras.optimizers.Optimizer", "keras.optimizers.LossScaleOptimizer", "keras.optimizers.ScheduleFreeAdamW",
     "keras.optimizers.schedules", "keras.layers.ReLU", "os.system", "adam", "torch.optim.Adam",
     "activation_study.model.optimizers.make_optimizer"],
)  # fmt: skip
def test_other_targets_are_rejected(target: str) -> None:
    with pytest.raises(BadInput, match=f"optimizer._target_={target}: "):
        make_optimizer({"name": "x", "_target_": target, "learning_rate": 1e-3})


@pytest.mark.parametrize(
    "arguments", [{"lerning_rate": 1e-3}, {"learning_rate": "fast"}, {"learning_rate": 1e-3, "momentum": 0.9}]
)
def test_a_rejected_argument_is_reported_with_its_class(arguments: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"optimizer: keras\.optimizers\.Adam rejects "):
        make_optimizer({"name": "x", "_target_": "keras.optimizers.Adam", **arguments})


def test_an_average_that_keras_uses_in_fit_alone_is_rejected() -> None:
    options = {"name": "x", "_target_": "keras.optimizers.Adam", "learning_rate": 1e-3, "use_ema": True}
    with pytest.raises(BadInput, match=r"the average would never be used.*evaluation\.weights=ema"):
        make_optimizer(options)
    assert make_optimizer({**options, "ema_overwrite_frequency": 10}).use_ema


def test_an_argument_that_names_other_code_is_rejected() -> None:
    schedule = {"module": "os", "class_name": "system", "config": {}}
    with pytest.raises(BadInput, match="only objects of Keras are allowed"):
        make_optimizer({"name": "x", "_target_": "keras.optimizers.SGD", "learning_rate": schedule})


def muon_step(shape: tuple[int, ...], path: str) -> tuple[np.ndarray, np.ndarray]:
    """The change of a variable by one step without momentum, and the gradient."""
    variable = keras.Variable(np.zeros(shape, np.float32), name=path)
    gradient = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    arguments = {"rms_rate": None, "nesterov": False, "weight_decay": 0.0, "adam_lr_ratio": 0.1}
    optimizer = ConvolutionMuon(learning_rate=1.0, exclude_layers=["logits"], **arguments)
    optimizer.build([variable])
    optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return np.asarray(variable), gradient


def test_the_step_of_a_kernel_is_its_gradient_with_all_singular_values_near_one() -> None:
    step, gradient = muon_step((3, 3, 4, 8), "conv_kernel")
    u, values, v = np.linalg.svd(gradient.reshape(-1, 8), full_matrices=False)
    assert values.max() > 1.5 * values.min()
    found = np.linalg.svd(-step.reshape(-1, 8), compute_uv=False)
    assert (found > 0.6).all()
    assert (found < 1.3).all()
    cosine = (-step.reshape(-1, 8) * (u @ v)).sum() / np.linalg.norm(step) / np.linalg.norm(u @ v)
    assert cosine > 0.98


@pytest.mark.parametrize(
    ("shape", "path"), [((3, 3, 4, 1), "depthwise"), ((8,), "bias"), ((1, 1, 4, 3), "logits_kernel")]
)
def test_what_is_no_matrix_is_left_to_adamw(shape: tuple[int, ...], path: str) -> None:
    step, gradient = muon_step(shape, path)
    np.testing.assert_allclose(step, -0.1 * np.sign(gradient), rtol=1e-3)  # Adam's first step, at a tenth of the rate

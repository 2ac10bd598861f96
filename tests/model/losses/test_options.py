"""The losses: each by its formula on small cases, unlabeled pixels without effect, each option as its file says it."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from activation_study import backend
from activation_study.errors import BadInput
from activation_study.location import conf_dir
from activation_study.validation import from_hydra
from hydra_compose import composed

pytestmark = pytest.mark.integration
OPTIONS = sorted(path.stem for path in (conf_dir() / "loss").glob("*.yaml"))
LOSSES = "activation_study.model.losses"
PIXELS = (10, 40, 20)  # training pixels of each class


@pytest.fixture(scope="module", autouse=True)
def _backend() -> None:
    backend.configure_backend(None, "float32")


def made(option: str, *overrides: str, pixels: Any = PIXELS) -> Any:
    from activation_study.model.losses.make import make_loss

    return make_loss(from_hydra(composed([f"loss={option}", "protocol=modern", *overrides])).loss, pixels)


def value_and_gradient(loss: Any, labels: NDArray[np.int8], logits: NDArray[Any]) -> tuple[float, NDArray[Any]]:
    import tensorflow as tf

    inputs = tf.constant(logits.astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = loss(labels, inputs)
    return float(value), tape.gradient(value, inputs).numpy()


def example() -> tuple[NDArray[np.int8], NDArray[Any], NDArray[Any]]:
    """Labels with unlabeled pixels, logits, and their probabilities in float64."""
    generator = np.random.default_rng(2)
    labels = generator.integers(-1, 3, (2, 4, 5)).astype(np.int8)
    labels[1][labels[1] == 2] = 0  # a class that only one of the images has
    logits = 2 * generator.normal(size=(2, 4, 5, 3))
    powers = np.exp(logits)
    return labels, logits, powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("option", OPTIONS)
def test_unlabeled_pixels_have_no_effect(option: str) -> None:
    labels, logits, _ = example()
    value, gradient = value_and_gradient(made(option), labels, logits)
    changed = np.where((labels < 0)[..., None], -logits, logits)
    assert value_and_gradient(made(option), labels, changed)[0] == pytest.approx(value, rel=1e-6)
    assert (labels < 0).sum() > 3
    np.testing.assert_array_equal(gradient[labels < 0], 0)
    assert (np.abs(gradient[labels >= 0]).max(axis=-1) > 0).all()


@pytest.mark.parametrize("option", OPTIONS)
def test_a_batch_without_labels_has_a_finite_loss(option: str) -> None:
    labels, logits, _ = example()
    value, gradient = value_and_gradient(made(option), np.full_like(labels, -1), logits)
    assert np.isfinite(value)
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("option", OPTIONS)
def test_the_gradient_is_that_of_the_value(option: str) -> None:
    labels, logits, _ = example()
    loss, step = made(option), 1e-2
    _, gradient = value_and_gradient(loss, labels, logits)
    for place in ((0, 1, 2, 0), (1, 3, 4, 1), (1, 0, 0, 2)):
        shift = np.zeros_like(logits)
        shift[place] = step
        values = [value_and_gradient(loss, labels, logits + sign * shift)[0] for sign in (1, -1)]
        assert gradient[place] == pytest.approx((values[0] - values[1]) / (2 * step), abs=2e-4)


def test_weighted_cross_entropy_by_its_formula() -> None:
    labels, logits, probabilities = example()
    known = labels >= 0
    weights = np.array([2.0, 0.5, 1.0])  # the median, 20, divided by 10, 40 and 20
    likelihood = np.take_along_axis(probabilities, np.maximum(labels, 0)[..., None].astype(int), -1)[..., 0]
    expected = (weights[labels] * -np.log(likelihood))[known].sum() / known.sum()
    assert value_and_gradient(made("weighted"), labels, logits)[0] == pytest.approx(expected, rel=1e-5)
    given = made("weighted", "loss.class_weights=[2,0.5,1]")
    assert value_and_gradient(given, labels, logits)[0] == pytest.approx(expected, rel=1e-5)


def test_a_class_without_training_pixels_has_weight_one() -> None:
    assert made("weighted", pixels=(10, 0, 30)).class_weights == [2.0, 1.0, 20 / 30]


def test_focal_loss_by_its_formula() -> None:
    labels, logits, probabilities = example()
    known = labels >= 0
    likelihood = np.take_along_axis(probabilities, np.maximum(labels, 0)[..., None].astype(int), -1)[..., 0]
    values = -((1 - likelihood) ** 2) * np.log(likelihood)
    value, _ = value_and_gradient(made("focal"), labels, logits)
    assert value == pytest.approx(values[known].mean(), rel=1e-5)
    everywhere, _ = value_and_gradient(made("focal", "loss.average_over=all_pixels"), labels, logits)
    assert everywhere == pytest.approx(values[known].sum() / labels.size, rel=1e-5)
    plain, _ = value_and_gradient(made("focal", "loss.gamma=0"), labels, logits)
    assert plain == pytest.approx(value_and_gradient(made("cross_entropy"), labels, logits)[0], rel=1e-5)


@pytest.mark.parametrize(("option", "alpha", "beta"), [("dice", 0.5, 0.5), ("tversky", 0.3, 0.7)])
def test_overlap_losses_by_their_formula(option: str, alpha: float, beta: float) -> None:
    labels, logits, probabilities = example()
    indices = []
    for label, p in zip(labels, probabilities, strict=True):
        for c in range(3):
            truth, known = label == c, label >= 0
            if truth.any():
                tp = p[truth, c].sum()
                fp, fn = p[known & ~truth, c].sum(), (1 - p[truth, c]).sum()
                indices.append((tp + 1) / (tp + alpha * fp + beta * fn + 1))
    assert len(indices) == 5, "one of the images lacks a class"
    assert value_and_gradient(made(option), labels, logits)[0] == pytest.approx(1 - np.mean(indices), rel=1e-5)


def test_a_perfect_prediction_has_no_overlap_loss() -> None:
    labels = example()[0]
    logits = 50.0 * (labels[..., None] == np.arange(3))
    assert value_and_gradient(made("dice"), labels, logits)[0] == pytest.approx(0, abs=1e-6)


def test_a_sum_is_that_of_its_weighted_losses() -> None:
    labels, logits, _ = example()
    parts = [value_and_gradient(made(option), labels, logits) for option in ("cross_entropy", "dice")]
    value, gradient = value_and_gradient(made("cross_entropy_dice", "loss.weights=[1.0,3.0]"), labels, logits)
    assert value == pytest.approx(parts[0][0] + 3 * parts[1][0], rel=1e-6)
    np.testing.assert_allclose(gradient, parts[0][1] + 3 * parts[1][1], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("option", OPTIONS)
def test_the_loss_of_half_precision_logits_is_computed_in_single_precision(option: str) -> None:
    import tensorflow as tf

    labels, logits, _ = example()
    rounded = tf.cast(logits, "bfloat16")
    loss = made(option)
    value = loss(labels, rounded)
    assert value.dtype == tf.float32
    assert float(value) == float(loss(labels, tf.cast(rounded, tf.float32)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"_target_": "keras.losses.Dice"}, "loss: keras.losses.Dice takes no logits"),
        ({"_target_": "keras.losses.MeanSquaredError"}, "takes no logits"),
        ({"_target_": "keras.losses.Loss"}, "has no loss of that name"),
        ({"_target_": "os.system"}, "loss._target_=os.system: only classes of"),
        ({"_target_": f"{LOSSES}.overlap.Tversky", "alpha": -1.0}, "alpha and beta of at least 0"),
        ({"_target_": f"{LOSSES}.cross_entropy.CrossEntropy", "unlabeled": "maybe"}, "unlabeled=maybe"),
        ({"_target_": f"{LOSSES}.cross_entropy.WeightedCrossEntropy", "class_weights": [1.0]},
         "1 numbers for 3 classes"),
        ({"_target_": f"{LOSSES}.total.Sum", "losses": ["dice"], "weights": [1.0]}, "dice: expected a loss's class"),
        ({"_target_": f"{LOSSES}.total.Sum", "losses": [{"_target_": "x.Y"}], "weights": [1.0]},
         "loss.losses, number 1._target_=x.Y"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said(options: dict[str, Any], message: str) -> None:
    from activation_study.model.losses.make import make_loss

    with pytest.raises(BadInput, match=message):
        make_loss({"name": "x", **options}, PIXELS)

"""The rules against Keras' callbacks; the training loop: best weights, errors, bit-identical repetition."""

import itertools
import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from activation_study import backend
from activation_study.config.identity import INTRODUCED_STEPS
from activation_study.config.schema import EarlyStopping, Seeding, Training
from activation_study.data.augmentation import Step, make_steps
from activation_study.data.batching import batches, epoch_order
from activation_study.data.preprocessing import PreprocessedData
from activation_study.data.splitting.splits import Split, split
from activation_study.energy import EnergyMeter
from activation_study.model.network import Network, weights_digest
from activation_study.training.early_stopping import StoppingRule
from activation_study.training.loop import (
    NonFiniteLoss,
    RunningMetrics,
    TrainingSetup,
    TrainState,
    initial_state,
    train,
    training_batches,
    validate,
)
from activation_study.training.schedule import Plateau
from activation_study.training.weight_average import DECAY

# Keras itself triggers this when it calls `np.array` on a variable.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

SPLIT: Split = split(18, "sorted")  # 10 train, 4 validation, 4 test


@pytest.fixture(scope="module", autouse=True)
def _backend() -> None:
    backend.configure_backend(None, "float32")


# --- rules -----------------------------------------------------------------------------------------------------------


def random_losses(seed: int, exact: bool) -> list[float]:
    """Slowly falling losses with plateaus and steps of about min_delta.

    Keras compares in float32, TensorFlow 2.4 and the rules in float64; with `exact`, ties are ties in both.
    """
    generator = np.random.default_rng(seed)
    if exact:
        steps = generator.choice([0, 0, -1, 1, -2, 2, -3, 512, -512, -513, -1024], 40) / 2**14
    else:
        steps = generator.normal(-1e-4, 3e-4, 40) * generator.choice([0.1, 1, 30], 40)
    return [float(np.float32(value)) for value in 2 + np.cumsum(steps)]


# (min_delta, exact): 2^-13 is about the article's 1e-4.
DELTAS = [(0.0, True), (2**-13, True), (2**-5, True), (0.0, False), (1e-4, False), (0.01, False)]


@pytest.mark.parametrize(("min_delta", "exact"), DELTAS)
@pytest.mark.parametrize("patience", range(6))
@pytest.mark.parametrize("factor", [0.2, 0.5])
def test_the_plateau_rule_equals_keras(patience: int, min_delta: float, exact: bool, factor: float) -> None:
    import keras

    reductions = 0
    for seed in range(8):
        stub = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=1e-3))
        callback = keras.callbacks.ReduceLROnPlateau(
            "loss", factor, patience, mode="min", min_delta=min_delta, cooldown=0, min_lr=0
        )
        callback.set_model(stub)
        callback.on_train_begin()
        rule, learning_rate = Plateau(factor, patience, min_delta), 1e-3
        for epoch, loss in enumerate(random_losses(seed, exact)):
            callback.on_epoch_end(epoch, {"loss": loss})
            before, learning_rate = learning_rate, rule.after_epoch(loss, learning_rate)
            assert learning_rate == stub.optimizer.learning_rate, (seed, epoch)
            reductions += learning_rate < before
    assert reductions > 0


@pytest.mark.parametrize(("min_delta", "exact"), DELTAS)
@pytest.mark.parametrize("patience", range(6))
def test_the_stopping_rule_equals_keras(patience: int, min_delta: float, exact: bool) -> None:
    import keras

    lengths = set()
    for seed in range(25):
        stub = SimpleNamespace(stop_training=False)
        callback = keras.callbacks.EarlyStopping("loss", min_delta, patience, mode="min")
        callback.set_model(stub)
        callback.on_train_begin()
        rule = StoppingRule(patience, min_delta)
        for epoch, loss in enumerate(random_losses(seed, exact)):
            callback.on_epoch_end(epoch, {"loss": loss})
            stop = rule.update(loss, epoch + 1)
            assert stop == stub.stop_training, (seed, epoch)
            if stop:
                break
        lengths.add(epoch)
    assert len(lengths) > 1


def test_the_stopping_rule_waits_for_the_second_epoch() -> None:
    rule = StoppingRule(patience=0, min_delta=0.0, best=1.0)
    assert not rule.update(2.0, 1)
    assert rule.update(2.0, 2)


# --- the loop --------------------------------------------------------------------------------------------------------


@dataclass
class TrainingResult:
    """The results of one training."""

    network: Network
    state: TrainState
    epochs: list[dict[str, float]]
    weights: list[str]  # digests after each epoch
    steps: list[tuple[int, int, float]]  # epoch, images, loss


@pytest.fixture(scope="module")
def data() -> PreprocessedData:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (18, 16, 16, 3), dtype=np.uint8)
    return PreprocessedData(images, generator.integers(-1, 3, (18, 16, 16)).astype(np.int8))


def build_network(learning_rate: float = 1e-3, activation: str = "keras.layers.ReLU") -> Network:
    import keras

    from activation_study.model.activation_factory import activation_factory
    from activation_study.model.losses.cross_entropy import CrossEntropy
    from activation_study.model.network_parts import NetworkParts
    from activation_study.model.networks.unet import build_unet

    unet = build_unet(NetworkParts((16, 16), 3, activation_factory(activation, {})), [4, 8, 8], [1, 1, 1], [1, 1])
    return Network(unet, CrossEntropy(), keras.optimizers.Adam(learning_rate, amsgrad=True))


class Options(NamedTuple):
    training: Training
    schedule: Plateau
    augmentation: list[Step]

    def initial_state(self) -> TrainState:
        return initial_state(self.schedule, self.training.early_stopping)


def make_options(
    epochs: int = 3, monitor: str = "loss", patience: int = 100, min_delta: float = 0.0, augmentation: str = "none"
) -> Options:
    early_stopping = EarlyStopping(patience=patience, min_delta=min_delta)
    training = Training(
        epochs=epochs, batch_size=4, precision="float32", monitor=monitor, early_stopping=early_stopping
    )
    return Options(training, Plateau(0.2, patience, min_delta), make_steps(INTRODUCED_STEPS[augmentation]))


def trained(
    data: PreprocessedData,
    options: Options,
    order_seed: int = 0,
    learning_rate: float = 1e-3,
    augmentation_seed: int = 0,
    meter: EnergyMeter | None = None,
    **network_arguments: Any,
) -> TrainingResult:
    network, state = build_network(learning_rate, **network_arguments), options.initial_state()
    weights: list[str] = []
    steps: list[tuple[int, int, float]] = []

    def on_step(state: TrainState, images: int) -> None:
        if images:
            steps.append((state.epoch, images, state.totals.loss))

    seeding = Seeding(0, order_seed, augmentation_seed)
    setup = TrainingSetup(network, data, SPLIT, options.training, options.augmentation, seeding, meter)
    train(setup, state, on_step, lambda state: weights.append(weights_digest(network.weights())))
    return TrainingResult(network, state, state.history, weights, steps)


@pytest.fixture(scope="module")
def noisy(data: PreprocessedData) -> TrainingResult:
    """Trained on noise with too large a learning rate, so the best epoch is not the last."""
    return trained(data, make_options(epochs=8), learning_rate=0.03)


def test_the_best_weights_have_the_smallest_validation_loss(noisy: TrainingResult) -> None:
    losses = [metrics["val/loss"] for metrics in noisy.epochs]
    best = int(np.argmin(losses))
    assert 0 < best < len(losses) - 1, "otherwise the test could not fail"
    assert noisy.state.best_epoch == best + 1
    assert noisy.state.best_value == losses[best]
    assert weights_digest(noisy.state.best_weights) == noisy.weights[best]
    assert len(set(noisy.weights)) == len(noisy.weights)


def test_the_last_weights_and_the_average_are_those_of_the_epochs(data: PreprocessedData) -> None:
    network, options, after = build_network(), make_options(epochs=3), []
    state = options.initial_state()
    setup = TrainingSetup(network, data, SPLIT, options.training, [], Seeding(0, 0, 0))
    train(setup, state, lambda *_: None, lambda state: after.append(network.weights()))
    assert weights_digest(state.last_weights) == weights_digest(after[-1])
    factors = DECAY ** np.arange(2, -1, -1.0) / (1 + DECAY + DECAY**2)
    for index, average in enumerate(state.ema_weights):
        expected = sum(factor * weights[index] for factor, weights in zip(factors, after, strict=True))
        np.testing.assert_allclose(average, expected, rtol=1e-5, atol=1e-6)


def test_a_meter_adds_the_energy_of_each_epoch_and_changes_nothing_else(data: PreprocessedData) -> None:
    options, readings = make_options(epochs=2), itertools.count(step=1000.0)
    plain, measured = trained(data, options), trained(data, options, meter=EnergyMeter("GPU", [lambda: next(readings)]))
    assert [metrics["energy_joules"] for metrics in measured.epochs] == [1.0, 1.0]
    assert all("energy_joules" not in metrics for metrics in plain.epochs)
    assert measured.weights == plain.weights


def validate_result(result: TrainingResult, data: PreprocessedData) -> RunningMetrics:
    return validate(
        TrainingSetup(result.network, data, SPLIT, make_options().training, [], Seeding(0, 0, 0)),
        result.state,
        lambda *_: None,
    )


def test_the_best_weights_give_the_best_validation_loss(noisy: TrainingResult, data: PreprocessedData) -> None:
    last_weights = noisy.network.weights()
    noisy.network.set_weights(noisy.state.best_weights)
    assert validate_result(noisy, data).loss == pytest.approx(noisy.state.best_value, rel=1e-6)
    noisy.network.set_weights(last_weights)
    assert validate_result(noisy, data).loss != pytest.approx(noisy.state.best_value, rel=1e-6)


def test_validation_does_not_change_the_weights(noisy: TrainingResult, data: PreprocessedData) -> None:
    before = weights_digest(noisy.network.weights())
    validate_result(noisy, data)
    assert weights_digest(noisy.network.weights()) == before


def test_each_step_is_reported_with_its_number_of_images(noisy: TrainingResult) -> None:
    assert [(epoch, images) for epoch, images, _ in noisy.steps[:4]] == [(1, 4), (1, 4), (1, 2), (2, 4)]
    assert len(noisy.steps) == 3 * 8
    assert noisy.steps[2][2] == noisy.epochs[0]["train/loss"]


def test_the_metrics_of_an_epoch_are_computed_from_its_batches(data: PreprocessedData) -> None:
    result = trained(data, make_options(epochs=1))
    network = build_network()
    losses, counts = [], np.zeros((3, 3))
    for images, labels in batches(data, epoch_order(SPLIT.train, 0, 1), 4):
        loss, confusion = network.train_on(images, labels)
        losses.append(loss)
        counts += confusion
    metrics = result.epochs[0]
    assert metrics["train/loss"] == pytest.approx((4 * losses[0] + 4 * losses[1] + 2 * losses[2]) / 10, rel=1e-6)
    assert metrics["train/accuracy"] == pytest.approx(np.trace(counts) / counts.sum())
    truth = data.labels[SPLIT.validation]
    predicted = network.predict(data.images[SPLIT.validation]).argmax(axis=-1)
    assert metrics["val/accuracy"] == pytest.approx((predicted == truth)[truth >= 0].mean(), abs=0.003)
    assert metrics["learning_rate"] == pytest.approx(1e-3)
    assert metrics["images_per_second"] > 0


def test_the_first_loss_is_the_cross_entropy_of_the_untrained_network(data: PreprocessedData) -> None:
    network = build_network()
    images, labels = data.images[:4], data.labels[:4]
    logits = np.asarray(_logits(network)(images.astype(np.float32) / 255, training=True), np.float64)
    exponentials = np.exp(logits)
    softmax = exponentials / exponentials.sum(axis=-1, keepdims=True)
    probabilities = np.take_along_axis(softmax, np.maximum(labels, 0)[..., None], -1)
    expected = -np.log(probabilities[..., 0])[labels >= 0].sum() / labels.size
    loss, confusion = network.train_on(images, labels)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert confusion.sum() == (labels >= 0).sum()


def _logits(network: Network) -> Any:
    import keras

    return keras.Model(network.unet.input, network.unet.get_layer("logits").output)


@pytest.mark.integration
@pytest.mark.parametrize(("monitor", "metric"), [("loss", "train/loss"), ("val_loss", "val/loss")])
def test_the_rules_monitor_the_configured_loss(data: PreprocessedData, monitor: str, metric: str) -> None:
    result = trained(data, make_options(epochs=12, monitor=monitor, patience=2, min_delta=0.02), learning_rate=0.02)
    plateau, stopping = Plateau(0.2, 2, 0.02), StoppingRule(2, 0.02)
    learning_rate = result.epochs[0]["learning_rate"]
    for number, metrics in enumerate(result.epochs, 1):
        assert metrics["learning_rate"] == pytest.approx(learning_rate, rel=1e-6)
        learning_rate = plateau.after_epoch(metrics[metric], learning_rate)
        assert stopping.update(metrics[metric], number) == (number == len(result.epochs))
    assert len(result.epochs) < 12
    assert result.network.learning_rate == pytest.approx(
        0.004, rel=1e-6
    )  # the plateau rule comes before early stopping
    assert result.state.done
    assert result.state.epoch == len(result.epochs) + 1


# --- repetition -----------------------------------------------------------------------------------------------------


@pytest.mark.integration
def test_training_twice_in_one_process_gives_the_same_bits(data: PreprocessedData) -> None:
    backend.configure_backend(None, "float32")
    first = trained(data, make_options(epochs=2))
    backend.configure_backend(None, "float32")
    trained(data, make_options(epochs=1), order_seed=7, activation="activation_study.model.activations.FReLU")
    np.random.default_rng().normal(size=10)
    backend.configure_backend(None, "float32")
    second = trained(data, make_options(epochs=2))
    assert first.weights == second.weights
    assert weights_digest(first.state.best_weights) == weights_digest(second.state.best_weights)
    assert [epoch["val/loss"] for epoch in first.epochs] == [epoch["val/loss"] for epoch in second.epochs]


@pytest.mark.integration
def test_another_order_seed_gives_other_weights(data: PreprocessedData) -> None:
    first, other = (trained(data, make_options(epochs=1), order_seed=seed) for seed in (0, 1))
    assert first.weights != other.weights


def test_an_epoch_resumed_in_the_middle_has_the_same_augmented_batches(data: PreprocessedData) -> None:
    steps = make_steps(INTRODUCED_STEPS["flip_crop_color"])
    setup = TrainingSetup(build_network(), data, SPLIT, make_options().training, steps, Seeding(0, 0, 0))
    all_batches, remaining = (list(training_batches(setup, 2, step)) for step in (0, 1))
    assert len(all_batches) == len(remaining) + 1 >= 3
    for (images, labels), (resumed_images, resumed_labels) in zip(all_batches[1:], remaining, strict=True):
        np.testing.assert_array_equal(images, resumed_images)
        np.testing.assert_array_equal(labels, resumed_labels)


@pytest.mark.integration
def test_augmentation_has_its_own_seed(data: PreprocessedData) -> None:
    plain = [trained(data, make_options(epochs=1), augmentation_seed=seed).weights for seed in (0, 1)]
    flip = make_options(epochs=1, augmentation="flip")
    flipped = [trained(data, flip, augmentation_seed=seed).weights for seed in (0, 1)]
    assert plain[0] == plain[1]
    assert len({str(weights) for weights in (plain[0], *flipped)}) == 3
    repeated = trained(data, flip, augmentation_seed=1).weights
    assert repeated == flipped[1]


# --- errors ----------------------------------------------------------------------------------------------------------


class ScriptedNetwork:
    """A network with given losses that counts its training steps."""

    learning_rate = 0.5

    def __init__(self, losses: list[float], validation: float = 1.0) -> None:
        self.losses = losses
        self.validation = validation
        self.trained = 0

    def train_on(self, images: NDArray[np.uint8], labels: NDArray[np.int8]) -> tuple[float, NDArray[np.float32]]:
        self.trained += 1
        return self.losses[self.trained - 1], np.ones((3, 3), np.float32)

    def validate_on(self, images: NDArray[np.uint8], labels: NDArray[np.int8]) -> tuple[float, NDArray[np.float32]]:
        return self.validation, np.ones((3, 3), np.float32)

    def weights(self) -> list[NDArray[Any]]:
        return []


def train_scripted(network: Any, data: PreprocessedData, options: Options) -> TrainState:
    state = options.initial_state()
    train(
        TrainingSetup(network, data, SPLIT, options.training, options.augmentation, Seeding(0, 0, 0)),
        state,
        lambda *_: None,
        lambda _: None,
    )
    return state


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_non_finite_loss_is_reported_with_epoch_step_and_hint(data: PreprocessedData, loss: float) -> None:
    scripted = ScriptedNetwork([1.0, 1.0, 1.0, 1.0, loss, 1.0])
    with pytest.raises(
        NonFiniteLoss, match=rf"is {loss} in epoch 2, step 2; try an optimizer.learning_rate below 0\.5$"
    ):
        train_scripted(scripted, data, make_options())
    assert scripted.trained == 5


def test_a_non_finite_validation_loss_is_reported_with_its_epoch(data: PreprocessedData) -> None:
    with pytest.raises(NonFiniteLoss, match="validation loss is nan after epoch 1"):
        train_scripted(ScriptedNetwork([1.0] * 9, math.nan), data, make_options())


@pytest.mark.integration
def test_a_huge_learning_rate_ends_in_a_non_finite_loss(data: PreprocessedData) -> None:
    with pytest.raises(NonFiniteLoss, match=r"in epoch 1, step [23];"):
        trained(data, make_options(), learning_rate=1e30)


def test_training_stops_when_the_patience_is_exhausted(data: PreprocessedData) -> None:
    scripted = ScriptedNetwork([1.0] * 99)
    state = train_scripted(scripted, data, make_options(epochs=30, patience=5))
    assert len(state.history) == 6
    assert state.best_epoch == 1, "the first of equal losses counts"
    assert scripted.learning_rate == 0.5 * 0.2
    assert len(train_scripted(ScriptedNetwork([1.0] * 99), data, make_options(epochs=4, patience=5)).history) == 4


def test_all_images_have_the_same_weight_in_the_mean_loss() -> None:
    totals = RunningMetrics()
    totals.add(1.0, np.array([[1, 0], [2, 0]], np.float32), 4)
    totals.add(4.0, np.array([[0, 3], [0, 0]], np.float32), 2)
    assert totals.loss == pytest.approx(2.0)
    np.testing.assert_array_equal(totals.confusion, [[1, 3], [2, 0]])

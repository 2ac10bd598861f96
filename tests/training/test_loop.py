"""The two rules against Keras' callbacks; the loop: best weights, faults, and the same bits twice in one process."""

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from activation_study import backend
from activation_study.config.schema import EarlyStopping, Schedule, Seeding, Training
from activation_study.data.batching import batches, epoch_order
from activation_study.data.preprocessing import PreprocessedData
from activation_study.data.splits import Split, split
from activation_study.model.network import Network, weights_digest
from activation_study.training.loop import (
    NonFiniteLoss,
    PlateauRule,
    RunningMetrics,
    StoppingRule,
    TrainingSetup,
    TrainState,
    batches_to_train,
    initial_state,
    train,
    validate,
)

# Keras' own, when it reads a variable: `np.array` of one.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

PARTS: Split = split(18, "sorted")  # 10 train, 4 validate, 4 test


@pytest.fixture(scope="module", autouse=True)
def _backend() -> None:
    backend.configure_backend(None, "float32")


# --- rules -----------------------------------------------------------------------------------------------------------


def random_losses(seed: int, exact: bool) -> list[float]:
    """Falling slowly, with plateaus and steps of about min_delta's size.

    Keras compares in float32, TensorFlow 2.4 and the rules in float64: `exact` ties are ties in both.
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
def test_the_plateau_rule_is_keras(patience: int, min_delta: float, exact: bool, factor: float) -> None:
    import keras

    falls = 0
    for seed in range(8):
        stub = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=1e-3))
        callback = keras.callbacks.ReduceLROnPlateau(
            "loss", factor, patience, mode="min", min_delta=min_delta, cooldown=0, min_lr=0
        )
        callback.set_model(stub)
        callback.on_train_begin()
        rule, learning_rate = PlateauRule(factor, patience, min_delta), 1e-3
        for epoch, loss in enumerate(random_losses(seed, exact)):
            callback.on_epoch_end(epoch, {"loss": loss})
            before, learning_rate = learning_rate, rule.update(loss, learning_rate)
            assert learning_rate == stub.optimizer.learning_rate, (seed, epoch)
            falls += learning_rate < before
    assert falls > 0


@pytest.mark.parametrize(("min_delta", "exact"), DELTAS)
@pytest.mark.parametrize("patience", range(6))
def test_the_stopping_rule_is_keras(patience: int, min_delta: float, exact: bool) -> None:
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
class Run:
    """What one training left behind."""

    network: Network
    state: TrainState
    epochs: list[dict[str, float]]
    weights: list[str]  # digest after each epoch
    steps: list[tuple[int, int, float]]


@pytest.fixture(scope="module")
def data() -> PreprocessedData:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (18, 16, 16, 3), dtype=np.uint8)
    return PreprocessedData(images, generator.integers(-1, 3, (18, 16, 16)).astype(np.int8))


def network(learning_rate: float = 1e-3, activation: str = "keras.layers.ReLU") -> Network:
    from activation_study.model.activations import activation_factory
    from activation_study.model.losses import SegmentationLoss
    from activation_study.model.unet import build_unet

    unet = build_unet((16, 16), 3, activation_factory(activation, {}), [4, 8, 8], [1, 1, 1], [1, 1], seed=0)
    return Network(unet, SegmentationLoss(), learning_rate)


class Options(NamedTuple):
    training: Training
    schedule: Schedule
    augmentation: str

    def initial_state(self) -> TrainState:
        return initial_state(self.schedule, self.training.early_stopping)


def options(
    epochs: int = 3, monitor: str = "loss", patience: int = 100, min_delta: float = 0.0, augmentation: str = "none"
) -> Options:
    early_stopping = EarlyStopping(patience=patience, min_delta=min_delta)
    training = Training(
        epochs=epochs, batch_size=4, precision="float32", monitor=monitor, early_stopping=early_stopping
    )
    return Options(training, Schedule("plateau", factor=0.2, patience=patience, min_delta=min_delta), augmentation)


def trained(
    data: PreprocessedData,
    how: Options,
    order_seed: int = 0,
    learning_rate: float = 1e-3,
    augmentation_seed: int = 0,
    **more: Any,
) -> Run:
    own, state = network(learning_rate, **more), how.beginning()
    weights: list[str] = []
    steps: list[tuple[int, int, float]] = []

    def on_step(state: TrainState, pictures: int) -> None:
        if pictures:
            steps.append((state.epoch, pictures, state.totals.loss))

    setup = TrainingSetup(own, data, PARTS, how.training, how.augmentation, Seeding(0, order_seed, augmentation_seed))
    train(setup, state, on_step, lambda state: weights.append(weights_digest(own.weights())))
    return Run(own, state, state.history, weights, steps)


@pytest.fixture(scope="module")
def restless(data: PreprocessedData) -> Run:
    """Trained on noise with too large a learning rate, so that the best epoch is not the last."""
    return trained(data, options(epochs=8), learning_rate=0.03)


def test_the_best_weights_are_those_of_the_smallest_validation_loss(restless: Run) -> None:
    losses = [metrics["val/loss"] for metrics in restless.epochs]
    best = int(np.argmin(losses))
    assert 0 < best < len(losses) - 1, "the example has to be able to fail"
    assert restless.state.best_epoch == best + 1
    assert restless.state.best_value == losses[best]
    assert weights_digest(restless.state.best_weights) == restless.weights[best]
    assert len(set(restless.weights)) == len(restless.weights)


def validation(run: Run, data: PreprocessedData) -> RunningMetrics:
    return validate(
        TrainingSetup(run.network, data, PARTS, options().training, "none", Seeding(0, 0, 0)),
        run.state,
        lambda *_: None,
    )


def test_the_best_weights_put_back_give_the_best_validation_loss(restless: Run, data: PreprocessedData) -> None:
    kept = restless.network.weights()
    restless.network.set_weights(restless.state.best_weights)
    assert validation(restless, data).loss == pytest.approx(restless.state.best_value, rel=1e-6)
    restless.network.set_weights(kept)
    assert validation(restless, data).loss != pytest.approx(restless.state.best_value, rel=1e-6)


def test_validation_learns_nothing(restless: Run, data: PreprocessedData) -> None:
    before = weights_digest(restless.network.weights())
    validation(restless, data)
    assert weights_digest(restless.network.weights()) == before


def test_each_step_is_reported_with_its_pictures(restless: Run) -> None:
    assert [(epoch, pictures) for epoch, pictures, _ in restless.steps[:4]] == [(1, 4), (1, 4), (1, 2), (2, 4)]
    assert len(restless.steps) == 3 * 8
    assert restless.steps[2][2] == restless.epochs[0]["train/loss"]


def test_the_metrics_of_an_epoch_are_those_of_its_batches(data: PreprocessedData) -> None:
    run = trained(data, options(epochs=1))
    again = network()
    losses, counts = [], np.zeros((3, 3))
    for images, labels in batches(data, epoch_order(PARTS.train, 0, 1), 4):
        loss, confusion = again.train_on(images, labels)
        losses.append(loss)
        counts += confusion
    metrics = run.epochs[0]
    assert metrics["train/loss"] == pytest.approx((4 * losses[0] + 4 * losses[1] + 2 * losses[2]) / 10, rel=1e-6)
    assert metrics["train/accuracy"] == pytest.approx(np.trace(counts) / counts.sum())
    known = data.labels[PARTS.validation]
    predicted = again.predict(data.images[PARTS.validation]).argmax(axis=-1)
    assert metrics["val/accuracy"] == pytest.approx((predicted == known)[known >= 0].mean(), abs=0.003)
    assert metrics["learning_rate"] == pytest.approx(1e-3)
    assert metrics["images_per_second"] > 0


def test_the_first_loss_is_the_cross_entropy_of_the_untrained_network(data: PreprocessedData) -> None:
    own = network()
    images, labels = data.images[:4], data.labels[:4]
    logits = np.asarray(_logits(own)(images.astype(np.float32) / 255, training=True), np.float64)
    powers = np.exp(logits)
    chosen = np.take_along_axis(powers / powers.sum(axis=-1, keepdims=True), np.maximum(labels, 0)[..., None], -1)
    expected = -np.log(chosen[..., 0])[labels >= 0].sum() / labels.size
    loss, confusion = own.train_on(images, labels)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert confusion.sum() == (labels >= 0).sum()


def _logits(own: Network) -> Any:
    import keras

    return keras.Model(own.unet.input, own.unet.get_layer("logits").output)


@pytest.mark.parametrize(("monitor", "metric"), [("loss", "train/loss"), ("val_loss", "val/loss")])
def test_the_rules_watch_the_chosen_loss(data: PreprocessedData, monitor: str, metric: str) -> None:
    run = trained(data, options(epochs=12, monitor=monitor, patience=2, min_delta=0.02), learning_rate=0.02)
    plateau, stopping = PlateauRule(0.2, 2, 0.02), StoppingRule(2, 0.02)
    learning_rate = run.epochs[0]["learning_rate"]
    for number, metrics in enumerate(run.epochs, 1):
        assert metrics["learning_rate"] == pytest.approx(learning_rate, rel=1e-6)
        learning_rate = plateau.update(metrics[metric], learning_rate)
        assert stopping.update(metrics[metric], number) == (number == len(run.epochs))
    assert len(run.epochs) < 12
    assert run.network.learning_rate == pytest.approx(0.004, rel=1e-6)  # the plateau comes before stopping
    assert run.state.done
    assert run.state.epoch == len(run.epochs) + 1


# --- the same bits ---------------------------------------------------------------------------------------------------


def test_training_twice_in_one_process_gives_the_same_bits(data: PreprocessedData) -> None:
    backend.configure_backend(None, "float32")
    first = trained(data, options(epochs=2))
    backend.configure_backend(None, "float32")
    trained(data, options(epochs=1), order_seed=7, activation="activation_study.model.activations.FReLU")
    np.random.default_rng().normal(size=10)
    backend.configure_backend(None, "float32")
    second = trained(data, options(epochs=2))
    assert first.weights == second.weights
    assert weights_digest(first.state.best_weights) == weights_digest(second.state.best_weights)
    assert [epoch["val/loss"] for epoch in first.epochs] == [epoch["val/loss"] for epoch in second.epochs]


def test_another_order_seed_gives_other_weights(data: PreprocessedData) -> None:
    first, other = (trained(data, options(epochs=1), order_seed=seed) for seed in (0, 1))
    assert first.weights != other.weights


def test_an_epoch_taken_up_in_its_middle_meets_the_same_augmented_batches(data: PreprocessedData) -> None:
    setup = TrainingSetup(network(), data, PARTS, options().training, "flip_crop_color", Seeding(0, 0, 0))
    whole, rest = (list(batches_to_train(setup, 2, step)) for step in (0, 1))
    assert len(whole) == len(rest) + 1 >= 3
    for (images, labels), (images_again, labels_again) in zip(whole[1:], rest, strict=True):
        np.testing.assert_array_equal(images, images_again)
        np.testing.assert_array_equal(labels, labels_again)


def test_augmentation_changes_what_is_trained_on_by_a_seed_of_its_own(data: PreprocessedData) -> None:
    plain = [trained(data, options(epochs=1), augmentation_seed=seed).weights for seed in (0, 1)]
    flipped = [trained(data, options(epochs=1, augmentation="flip"), augmentation_seed=seed).weights for seed in (0, 1)]
    assert plain[0] == plain[1]
    assert len({str(weights) for weights in (plain[0], *flipped)}) == 3
    again = trained(data, options(epochs=1, augmentation="flip"), augmentation_seed=1).weights
    assert again == flipped[1]


# --- faults ----------------------------------------------------------------------------------------------------------


class Scripted:
    """A network whose losses are given; it counts what it is asked for."""

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


def setup(scripted: Any, data: PreprocessedData, how: Options) -> TrainState:
    state = how.beginning()
    train(
        TrainingSetup(scripted, data, PARTS, how.training, how.augmentation, Seeding(0, 0, 0)),
        state,
        lambda *_: None,
        lambda _: None,
    )
    return state


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_named_with_epoch_step_and_mend(data: PreprocessedData, loss: float) -> None:
    scripted = Scripted([1.0, 1.0, 1.0, 1.0, loss, 1.0])
    with pytest.raises(NonFiniteLoss, match=rf"is {loss} in epoch 2, step 2; .*optimizer.learning_rate than 0\.5 "):
        setup(scripted, data, options())
    assert scripted.trained == 5


def test_a_validation_loss_that_is_not_finite_is_named_with_its_epoch(data: PreprocessedData) -> None:
    with pytest.raises(NonFiniteLoss, match="validation loss is nan after epoch 1"):
        setup(Scripted([1.0] * 9, math.nan), data, options())


def test_an_absurd_learning_rate_ends_in_a_loss_that_is_not_finite(data: PreprocessedData) -> None:
    with pytest.raises(NonFiniteLoss, match=r"in epoch 1, step [23];"):
        trained(data, options(), learning_rate=1e30)


def test_training_stops_after_the_patience_is_used_up(data: PreprocessedData) -> None:
    scripted = Scripted([1.0] * 99)
    state = setup(scripted, data, options(epochs=30, patience=5))
    assert len(state.history) == 6
    assert state.best_epoch == 1, "of equal losses the first is kept"
    assert scripted.learning_rate == 0.5 * 0.2
    assert len(setup(Scripted([1.0] * 99), data, options(epochs=4, patience=5)).history) == 4


def test_the_mean_loss_weighs_each_picture_alike() -> None:
    totals = RunningMetrics()
    totals.add(1.0, np.array([[1, 0], [2, 0]], np.float32), 4)
    totals.add(4.0, np.array([[0, 3], [0, 0]], np.float32), 2)
    assert totals.loss == pytest.approx(2.0)
    np.testing.assert_array_equal(totals.confusion, [[1, 3], [2, 0]])

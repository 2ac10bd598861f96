"""Saves: all comes back, a damaged one costs the time since the one before; training goes on to the same bits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study import backend
from activation_study.config.schema import EarlyStopping, Schedule, Seeding, Training
from activation_study.data.preprocessing import PreprocessedData
from activation_study.data.splits import split
from activation_study.model.network import Network, weights_digest
from activation_study.training.checkpoint import CHECKPOINT_FOLDER, MAX_SAVING_FRACTION, Checkpoints, remove_saves
from activation_study.training.loop import TIMING_METRICS, TrainingSetup, TrainState, initial_state, train

PARTS = split(18, "sorted")  # 10 train, 4 validate, 4 test: 3 steps and 1 batch of validation an epoch
OPTIONS = Training(epochs=4, batch_size=4, precision="float32", monitor="loss", early_stopping=EarlyStopping(3, 0.05))
LEARNING_RATE = 1e-2


def first_state() -> TrainState:
    return initial_state(Schedule("plateau", 0.2, 1, 0.05), OPTIONS.early_stopping)


class Stop(Exception):
    pass


@pytest.fixture(scope="module")
def data() -> PreprocessedData:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (18, 16, 16, 3), dtype=np.uint8)
    return PreprocessedData(images, generator.integers(-1, 3, (18, 16, 16)).astype(np.int8))


def network(activation: str = "keras.layers.ReLU", precision: str = "float32") -> Network:
    from activation_study.model.activations import activation_factory
    from activation_study.model.losses import SegmentationLoss
    from activation_study.model.unet import build_unet

    backend.configure_backend(None, precision)
    unet = build_unet((16, 16), 3, activation_factory(activation, {}), [4, 6], [1, 1], [1], seed=0)
    return Network(unet, SegmentationLoss(), LEARNING_RATE)


def go_on(own: Network, data: PreprocessedData, state: TrainState, stop_at: int | None = None) -> TrainState:
    """Trains on; stops at the `stop_at`-th report of a step or of a batch of validation."""
    calls = 0

    def on_step(state: TrainState, pictures: int) -> None:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise Stop

    train(
        TrainingSetup(own, data, PARTS, OPTIONS, "flip_crop_color", Seeding(0, 0, 0)),
        state,
        on_step,
        lambda state: None,
    )
    return state


def bits(state: TrainState) -> list[dict[str, float]]:
    return [{key: value for key, value in epoch.items() if key not in TIMING_METRICS} for epoch in state.history]


@pytest.mark.parametrize(
    ("activation", "precision"),
    [
        ("keras.layers.ReLU", "float32"),
        ("activation_study.model.activations.FReLU", "mixed_bfloat16"),
        ("activation_study.model.activations.Mish", "mixed_float16"),
    ],
)
def test_training_goes_on_to_the_same_bits_from_any_step(
    activation: str, precision: str, data: PreprocessedData, tmp_path: Path
) -> None:
    own = network(activation, precision)
    untrained, fresh_optimizer = own.weights(), own.optimizer_state()
    whole = go_on(own, data, first_state())
    expected = weights_digest(own.weights())
    assert len(whole.history) > 2
    assert own.learning_rate < LEARNING_RATE, "the plateau rule's state has to matter"
    for stop_at in (1, 3, 4, 5, 11):  # within an epoch, at its last step, in validation, after it, later
        own.set_weights(untrained)
        own.set_optimizer_state(fresh_optimizer)
        state = first_state()
        with pytest.raises(Stop):
            go_on(own, data, state, stop_at)
        folder = tmp_path / str(stop_at)
        Checkpoints(folder, "a").save(own, state)
        own.set_weights(untrained)
        own.set_optimizer_state(fresh_optimizer)
        found = Checkpoints(folder, "a").restore(own)
        assert found is not None
        assert (found.epoch, found.step) == (state.epoch, state.step)
        go_on(own, data, found)
        assert weights_digest(own.weights()) == expected
        assert weights_digest(found.best_weights) == weights_digest(whole.best_weights)
        assert bits(found) == bits(whole)
        assert (found.best_epoch, found.best_value) == (whole.best_epoch, whole.best_value)
    if precision == "mixed_float16":
        names = [variable.name for variable in own._training.optimizer.variables]
        assert any("scale" in name for name in names), "the loss scale is part of the state"


@pytest.fixture(scope="module")
def own(data: PreprocessedData) -> Network:
    return network()


@pytest.fixture
def two_saves(own: Network, data: PreprocessedData, tmp_path: Path) -> tuple[Path, list[str]]:
    """Two saves of one training, and the digests of the weights in them."""
    checkpoints, state, digests = Checkpoints(tmp_path, "a"), first_state(), []
    for _ in range(2):
        with pytest.raises(Stop):
            go_on(own, data, state, 2)
        checkpoints.save(own, state)
        digests.append(weights_digest(own.weights()))
    return tmp_path / CHECKPOINT_FOLDER, digests


def newest(folder: Path) -> Path:
    return max(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime_ns)


def restored(folder: Path, own: Network) -> str | None:
    state = Checkpoints(folder.parent, "a").restore(own)
    return None if state is None else weights_digest(own.weights())


def cut(path: Path) -> None:
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_the_newest_save_is_restored(two_saves: tuple[Path, list[str]], own: Network) -> None:
    folder, digests = two_saves
    assert digests[0] != digests[1]
    assert restored(folder, own) == digests[1]


@pytest.mark.parametrize("damage", [cut, flip, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_save_costs_only_itself(two_saves: tuple[Path, list[str]], own: Network, damage: Any) -> None:
    folder, digests = two_saves
    damage(newest(folder))
    assert restored(folder, own) == digests[0]
    checkpoints = Checkpoints(folder.parent, "a")
    state = checkpoints.restore(own)
    assert state is not None
    checkpoints.save(own, state)
    assert restored(folder, own) == digests[0]


def test_no_flipped_bit_comes_into_the_network(two_saves: tuple[Path, list[str]], own: Network) -> None:
    folder, digests = two_saves
    path, places = newest(folder), np.random.default_rng(0)
    whole, before = path.read_bytes(), 0
    for _ in range(100):
        content = bytearray(whole)
        content[places.integers(len(content))] ^= 1 << int(places.integers(8))
        path.write_bytes(bytes(content))
        found = restored(folder, own)
        assert found in digests  # the newest one where the bit means nothing, as in a member's date
        before += found == digests[0]
    assert before > 50


def test_two_damaged_saves_begin_anew_and_leave_the_network_alone(
    two_saves: tuple[Path, list[str]], own: Network
) -> None:
    folder, _ = two_saves
    before = weights_digest(own.weights())
    for path in folder.glob("*.npz"):
        flip(path)
    assert restored(folder, own) is None
    assert weights_digest(own.weights()) == before


def test_the_next_save_takes_the_place_of_the_older_one(
    two_saves: tuple[Path, list[str]], own: Network, data: PreprocessedData
) -> None:
    folder, digests = two_saves
    kept = newest(folder).read_bytes()
    checkpoints = Checkpoints(folder.parent, "a")
    state = checkpoints.restore(own)
    assert state is not None
    with pytest.raises(Stop):
        go_on(own, data, state, 2)
    checkpoints.save(own, state)
    assert kept in [path.read_bytes() for path in folder.glob("*.npz")]
    assert restored(folder, own) not in (*digests, None)
    assert len(list(folder.iterdir())) == 2


def test_what_a_killed_save_left_is_removed(two_saves: tuple[Path, list[str]], own: Network) -> None:
    folder, digests = two_saves
    (folder / ".tmp-state0-abc.npz").write_bytes(b"half")
    assert restored(folder, own) == digests[1]
    assert len(list(folder.iterdir())) == 2


def test_without_a_save_there_is_nothing_to_restore(own: Network, tmp_path: Path) -> None:
    assert Checkpoints(tmp_path, "a").restore(own) is None
    remove_saves(tmp_path)


def test_the_saves_of_another_attempt_or_network_do_not_count(two_saves: tuple[Path, list[str]], own: Network) -> None:
    folder, digests = two_saves
    before = weights_digest(own.weights())
    assert Checkpoints(folder.parent, "b").restore(own) is None
    other = network("activation_study.model.activations.FReLU")
    untrained = weights_digest(other.weights())
    assert Checkpoints(folder.parent, "a").restore(other) is None
    assert (weights_digest(own.weights()), weights_digest(other.weights())) == (before, untrained)
    assert restored(folder, own) == digests[1]


def test_a_save_is_due_after_its_minutes_and_never_costs_more_than_its_share(
    own: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 4))  # each look at it takes 4 s, and so does a save
    monkeypatch.setattr("activation_study.training.checkpoint.time.monotonic", lambda: next(clock))
    checkpoints = Checkpoints(tmp_path, "a")
    assert checkpoints.due(0)
    assert [checkpoints.due(0.2) for _ in range(3)] == [False, True, True]
    checkpoints.save(own, first_state())
    later = [checkpoints.due(0.2) for _ in range(200)]
    assert later.index(True) == 1 / MAX_SAVING_FRACTION - 1
    assert checkpoints.due(0)

"""Checkpoints: training resumes bit for bit, and a damaged save costs only the work since the previous one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from activation_study import backend
from activation_study.config.identity import INTRODUCED_STEPS
from activation_study.config.schema import EarlyStopping, Seeding, Training
from activation_study.config.scored_weights import WEIGHTS
from activation_study.data.augmentation import make_steps
from activation_study.data.preprocessing import PreprocessedData
from activation_study.data.splitting.splits import split
from activation_study.errors import BadInput
from activation_study.location import conf_dir
from activation_study.model.network import Network, weights_digest
from activation_study.training.checkpoint import CHECKPOINT_FOLDER, MAX_SAVING_FRACTION, Checkpoints, remove_saves
from activation_study.training.loop import TIMING_METRICS, TrainingSetup, TrainState, initial_state, train
from activation_study.training.schedule import Cosine, Plateau

pytestmark = pytest.mark.integration

SPLIT = split(18, "sorted")  # 10 train, 4 validation, 4 test: 3 steps and 1 validation batch per epoch
OPTIONS = Training(epochs=4, batch_size=4, precision="float32", monitor="loss", early_stopping=EarlyStopping(3, 0.05))
LEARNING_RATE = 1e-2
OPTIMIZERS = sorted(path.stem for path in (conf_dir() / "optimizer").glob("*.yaml"))
ARGUMENTS = {
    "keras.layers.Dropout": {"rate": 0.3},
    "keras.layers.GaussianNoise": {"stddev": 0.3},
    "keras.layers.PReLU": {"dtype": "bfloat16"},
}


def with_plateau() -> TrainState:
    return initial_state(Plateau(0.2, 1, 0.05), OPTIONS.early_stopping)


def with_cosine() -> TrainState:
    return initial_state(Cosine(LEARNING_RATE, OPTIONS.epochs, 3, warmup_epochs=1), OPTIONS.early_stopping)


class Stop(Exception):
    pass


@pytest.fixture(scope="module")
def data() -> PreprocessedData:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (18, 16, 16, 3), dtype=np.uint8)
    return PreprocessedData(images, generator.integers(-1, 3, (18, 16, 16)).astype(np.int8))


def build_network(
    activation: str = "keras.layers.ReLU",
    precision: str = "float32",
    arguments: dict[str, Any] | None = None,
    optimizer: str = "adam_amsgrad",
) -> Network:
    from activation_study.model.activation_factory import activation_factory
    from activation_study.model.losses.cross_entropy import CrossEntropy
    from activation_study.model.network_parts import NetworkParts
    from activation_study.model.networks.unet import build_unet
    from activation_study.model.optimizers import make_optimizer

    backend.configure_backend(None, precision)
    unet = build_unet(NetworkParts((16, 16), 3, activation_factory(activation, arguments or {})), [4, 6], [1, 1], [1])
    options = yaml.safe_load((conf_dir() / "optimizer" / f"{optimizer}.yaml").read_text(encoding="utf-8"))
    return Network(unet, CrossEntropy(), make_optimizer({**options, "learning_rate": LEARNING_RATE}))


def continue_training(
    network: Network, data: PreprocessedData, state: TrainState, stop_at: int | None = None
) -> TrainState:
    """Trains from `state`; stops at the `stop_at`-th training step or validation batch."""
    calls = 0

    def on_step(state: TrainState, images: int) -> None:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise Stop

    train(
        TrainingSetup(network, data, SPLIT, OPTIONS, make_steps(INTRODUCED_STEPS["flip_crop_color"]), Seeding(0, 0, 0)),
        state,
        on_step,
        lambda state: None,
    )
    return state


def bits(state: TrainState) -> list[dict[str, float]]:
    return [{key: value for key, value in epoch.items() if key not in TIMING_METRICS} for epoch in state.history]


@pytest.mark.parametrize(
    ("activation", "precision", "optimizer", "schedule"),
    [
        ("keras.layers.ReLU", "float32", "adam_amsgrad", "plateau"),
        ("activation_study.model.activations.FReLU", "mixed_bfloat16", "adam_amsgrad", "plateau"),
        ("activation_study.model.activations.Mish", "mixed_float16", "adam_amsgrad", "plateau"),
        ("keras.layers.Dropout", "float32", "adam_amsgrad", "plateau"),
        ("keras.layers.GaussianNoise", "mixed_bfloat16", "adam_amsgrad", "plateau"),
        ("keras.layers.PReLU", "float32", "adam_amsgrad", "plateau"),  # with weights in bfloat16
        *(("keras.layers.ReLU", "float32", each, "plateau") for each in OPTIMIZERS if each != "adam_amsgrad"),
        ("keras.layers.ReLU", "mixed_float16", "muon", "plateau"),
        ("keras.layers.ReLU", "float32", "adam_amsgrad", "cosine_warmup"),
    ],
)
def test_training_resumes_bit_for_bit_from_any_step(
    activation: str, precision: str, optimizer: str, schedule: str, data: PreprocessedData, tmp_path: Path
) -> None:
    first_state = {"plateau": with_plateau, "cosine_warmup": with_cosine}[schedule]
    network = build_network(activation, precision, ARGUMENTS.get(activation), optimizer)
    untrained, fresh_optimizer, initial_random = network.weights(), network.optimizer_state(), network.random_state()
    expected_state = continue_training(network, data, first_state())
    expected = weights_digest(network.weights())
    assert len(expected_state.history) > 2
    assert network.learning_rate < LEARNING_RATE, "the state of the schedule must matter"
    for stop_at in (1, 3, 4, 5, 11):  # within an epoch, at its last step, in its validation, after it, later
        network.set_weights(untrained)
        network.set_optimizer_state(fresh_optimizer)
        network.set_random_state(initial_random)
        state = first_state()
        with pytest.raises(Stop):
            continue_training(network, data, state, stop_at)
        folder = tmp_path / str(stop_at)
        Checkpoints(folder, "a").save(network, state)
        network.set_weights(untrained)
        network.set_optimizer_state(fresh_optimizer)
        network.set_random_state(initial_random)
        restored_state = Checkpoints(folder, "a").restore(network, first_state().schedule)
        assert restored_state is not None
        assert (restored_state.epoch, restored_state.step) == (state.epoch, state.step)
        continue_training(network, data, restored_state)
        assert weights_digest(network.weights()) == expected
        for name in WEIGHTS:
            assert weights_digest(restored_state.weights(name)) == weights_digest(expected_state.weights(name))
        assert bits(restored_state) == bits(expected_state)
        assert (restored_state.best_epoch, restored_state.best_value) == (
            expected_state.best_epoch,
            expected_state.best_value,
        )
    if precision == "mixed_float16":
        names = [variable.name for variable in network._training.optimizer.variables]
        assert any("scale" in name for name in names), "the loss scale is part of the state"


@pytest.fixture(scope="module")
def network(data: PreprocessedData) -> Network:
    return build_network()


@pytest.fixture
def two_saves(network: Network, data: PreprocessedData, tmp_path: Path) -> tuple[Path, list[str]]:
    """Two saves of one training, and the digests of the weights in them."""
    checkpoints, state, digests = Checkpoints(tmp_path, "a"), with_plateau(), []
    for _ in range(2):
        with pytest.raises(Stop):
            continue_training(network, data, state, 2)
        checkpoints.save(network, state)
        digests.append(weights_digest(network.weights()))
    return tmp_path / CHECKPOINT_FOLDER, digests


def newest(folder: Path) -> Path:
    return max(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime_ns)


def restored_digest(folder: Path, network: Network) -> str | None:
    state = Checkpoints(folder.parent, "a").restore(network, with_plateau().schedule)
    return None if state is None else weights_digest(network.weights())


def truncate(path: Path) -> None:
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2)


def flip_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_the_newest_save_is_restored(two_saves: tuple[Path, list[str]], network: Network) -> None:
    folder, digests = two_saves
    assert digests[0] != digests[1]
    assert restored_digest(folder, network) == digests[1]


@pytest.mark.parametrize("damage", [truncate, flip_bit, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_save_costs_only_itself(two_saves: tuple[Path, list[str]], network: Network, damage: Any) -> None:
    folder, digests = two_saves
    damage(newest(folder))
    assert restored_digest(folder, network) == digests[0]
    checkpoints = Checkpoints(folder.parent, "a")
    state = checkpoints.restore(network, with_plateau().schedule)
    assert state is not None
    checkpoints.save(network, state)
    assert restored_digest(folder, network) == digests[0]


def test_no_flipped_bit_reaches_the_network(two_saves: tuple[Path, list[str]], network: Network) -> None:
    folder, digests = two_saves
    path, generator = newest(folder), np.random.default_rng(0)
    intact, rejected = path.read_bytes(), 0
    for _ in range(100):
        content = bytearray(intact)
        content[generator.integers(len(content))] ^= 1 << int(generator.integers(8))
        path.write_bytes(bytes(content))
        digest = restored_digest(folder, network)
        assert digest in digests  # the newest save if the bit is irrelevant, e.g. in the date of a zip member
        rejected += digest == digests[0]
    assert rejected > 50


def test_with_two_damaged_saves_nothing_is_restored_and_the_network_is_unchanged(
    two_saves: tuple[Path, list[str]], network: Network
) -> None:
    folder, _ = two_saves
    before = weights_digest(network.weights())
    for path in folder.glob("*.npz"):
        flip_bit(path)
    assert restored_digest(folder, network) is None
    assert weights_digest(network.weights()) == before


def test_a_save_replaces_the_older_of_the_two(
    two_saves: tuple[Path, list[str]], network: Network, data: PreprocessedData
) -> None:
    folder, digests = two_saves
    kept = newest(folder).read_bytes()
    checkpoints = Checkpoints(folder.parent, "a")
    state = checkpoints.restore(network, with_plateau().schedule)
    assert state is not None
    with pytest.raises(Stop):
        continue_training(network, data, state, 2)
    checkpoints.save(network, state)
    assert kept in [path.read_bytes() for path in folder.glob("*.npz")]
    assert restored_digest(folder, network) not in (*digests, None)
    assert len(list(folder.iterdir())) == 2


def test_the_temporary_file_of_a_killed_save_is_removed(two_saves: tuple[Path, list[str]], network: Network) -> None:
    folder, digests = two_saves
    (folder / ".tmp-state0-abc.npz").write_bytes(b"half")
    assert restored_digest(folder, network) == digests[1]
    assert len(list(folder.iterdir())) == 2


def test_without_a_save_there_is_nothing_to_restore(network: Network, tmp_path: Path) -> None:
    assert Checkpoints(tmp_path, "a").restore(network, with_plateau().schedule) is None
    remove_saves(tmp_path)


def test_saves_of_another_attempt_are_ignored(two_saves: tuple[Path, list[str]], network: Network) -> None:
    folder, _ = two_saves
    before = weights_digest(network.weights())
    assert Checkpoints(folder.parent, "b").restore(network, with_plateau().schedule) is None
    assert weights_digest(network.weights()) == before


def test_a_save_that_does_not_fit_changes_nothing(two_saves: tuple[Path, list[str]]) -> None:
    folder, _ = two_saves
    other = build_network("activation_study.model.activations.FReLU")
    untrained = weights_digest(other.weights())
    with pytest.raises(BadInput, match="cannot go on from this checkpoint: it has other weights than the network"):
        Checkpoints(folder.parent, "a").restore(other, with_plateau().schedule)
    assert Checkpoints(folder.parent, "a").restore(other, with_plateau().schedule, by_this_code=False) is None
    assert weights_digest(other.weights()) == untrained


class Broken(Plateau):
    def restore(self, state: dict[str, float]) -> None:
        self.best = 0.0
        raise ValueError("not these")


def test_a_schedule_that_refuses_its_state_changes_nothing(two_saves: tuple[Path, list[str]], network: Network) -> None:
    folder, _ = two_saves
    before, schedule = weights_digest(network.weights()), Broken(0.2, 1, 0.05)
    with pytest.raises(BadInput, match="cannot go on from this checkpoint: not these"):
        Checkpoints(folder.parent, "a").restore(network, schedule)
    assert schedule.best == np.inf
    assert weights_digest(network.weights()) == before


def test_a_save_is_due_after_the_interval_but_saving_takes_a_small_fraction_of_the_time(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 4))  # it advances by 4 s at each call, so a save takes 4 s
    monkeypatch.setattr("activation_study.training.checkpoint.time.monotonic", lambda: next(clock))
    checkpoints = Checkpoints(tmp_path, "a")
    assert checkpoints.due(0)
    assert [checkpoints.due(0.2) for _ in range(3)] == [False, True, True]
    checkpoints.save(network, with_plateau())
    due = [checkpoints.due(0.2) for _ in range(200)]
    assert due.index(True) == 1 / MAX_SAVING_FRACTION - 1
    assert checkpoints.due(0)

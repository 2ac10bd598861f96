"""What is left to do, in seconds and bytes."""

import pytest

from activation_study import backend
from activation_study.config.schema import Config, Model, Training
from activation_study.records.record import Record
from activation_study.sweep.estimates import parameters, seconds_left


@pytest.mark.parametrize(
    ("model", "classes"),
    [
        (Model("unet", [32, 64, 128, 256, 512, 1024], [1, 1, 1, 1, 2, 2], [1, 2, 1, 1, 1]), 3),
        (Model("odd", [4, 6, 10], [2, 1, 3], [2, 1]), 8),
    ],
)
def test_the_parameters_are_those_of_the_network(model: Model, classes: int) -> None:
    from activation_study.model.activations import activation_factory
    from activation_study.model.unet import build_unet

    backend.configure_backend(None, "float32")  # before TensorFlow starts: another test of this process may need it so
    make = activation_factory("keras.layers.ReLU", {})
    unet = build_unet((32, 32), classes, make, model.widths, model.encoder_blocks, model.decoder_blocks, 0)
    assert parameters(model, classes) == unet.count_params()


def record(epochs: int, seconds: float) -> Record:
    made = Record("run", "study", "0", {}, [], [], {}, {}, results={"evaluation_seconds": 10.0})
    made.epochs = [{"epoch_seconds": seconds} for _ in range(epochs)]
    return made


def test_time_comes_from_finished_runs_and_counts_what_is_done() -> None:
    config = Config(training=Training(epochs=100))
    assert seconds_left(config, None, [record(20, 3.0), record(40, 3.0), record(30, 3.0)]) == 30 * 3 + 10
    assert seconds_left(config, record(12, 5.0), [record(20, 3.0)]) == 8 * 3 + 10
    assert seconds_left(config, record(50, 5.0), [record(20, 3.0)]) == 10
    assert seconds_left(config, record(40, 5.0), []) == 60 * 5, "at most"
    assert seconds_left(config, None, []) is None

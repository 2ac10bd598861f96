"""Estimates of the remaining time and disk space."""

import pytest

from activation_study import backend
from activation_study.config.schema import Config, Training
from activation_study.records.record import Record
from activation_study.sweep.estimates import parameters, seconds_left


@pytest.mark.parametrize(
    ("shape", "classes"),
    [
        (([32, 64, 128, 256, 512, 1024], [1, 1, 1, 1, 2, 2], [1, 2, 1, 1, 1]), 3),
        (([4, 6, 10], [2, 1, 3], [2, 1]), 8),
    ],
)
def test_the_estimated_number_of_parameters_is_that_of_the_network(shape: tuple[list[int], ...], classes: int) -> None:
    from activation_study.model.activation_factory import activation_factory
    from activation_study.model.network_parts import NetworkParts
    from activation_study.model.networks.unet import build_unet

    backend.configure_backend(None, "float32")  # before TensorFlow starts, as other tests in this process need it
    make = activation_factory("keras.layers.ReLU", {})
    unet = build_unet(NetworkParts((32, 32), classes, make), *shape)
    model = dict(zip(("widths", "encoder_blocks", "decoder_blocks"), shape, strict=True))
    assert parameters(model, classes) == unet.count_params()


def record(epochs: int, seconds: float) -> Record:
    result = Record("run", "study", "0", {}, [], [], {}, {}, results={"evaluation_seconds": 10.0})
    result.epochs = [{"epoch_seconds": seconds} for _ in range(epochs)]
    return result


def test_the_time_is_estimated_from_finished_runs_and_finished_epochs() -> None:
    config = Config(training=Training(epochs=100))
    assert seconds_left(config, None, [record(20, 3.0), record(40, 3.0), record(30, 3.0)]) == 30 * 3 + 10
    assert seconds_left(config, record(12, 5.0), [record(20, 3.0)]) == 8 * 3 + 10
    assert seconds_left(config, record(50, 5.0), [record(20, 3.0)]) == 10
    assert seconds_left(config, record(40, 5.0), []) == 60 * 5, "an upper bound"
    assert seconds_left(config, None, []) is None

"""Which configurations use an algorithm that came to compute something else."""

from typing import Any

import pytest

from activation_study.config.algorithms import algorithms_of

KERAS = {"_target_": "keras.layers.ReLU"}


@pytest.mark.parametrize(
    ("values", "uses"),
    [
        ({"activation": {"layer": KERAS}}, False),
        ({"activation": {"layer": {"_target_": "activation_study.model.activations.FReLU"}}}, False),
        ({"activation": {"layer": {"_target_": "keras.layers.DepthwiseConv2D"}}}, True),
        ({"activation": {"layer": {"_target_": "snake.Snake"}}}, True),
        ({"activation": {"layer": KERAS}, "normalization": {"_target_": "mine.Norm"}}, True),
        ({"activation": {"layer": KERAS}, "upsampling": {"_target_": "keras.layers.Conv2DTranspose"}}, False),
        ({"activation": {"layer": KERAS}, "model": {"_target_": "mine.build"}}, True),
        ({"activation": {"layer": KERAS}, "model": {"widths": [1]}, "optimizer": {"_target_": "mine.Sgd"}}, False),
    ],
)
def test_own_layers_may_have_weights_without_a_seed(values: dict[str, Any], uses: bool) -> None:
    assert ("own_layers" in algorithms_of(values)) == uses

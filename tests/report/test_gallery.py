"""Which test images are shown, and that what is missing is said."""

from pathlib import Path

import numpy as np
import pytest

from activation_study.analysis.contrasts import compare_block
from activation_study.analysis.results import Block, read_study
from activation_study.errors import BadInput
from activation_study.metrics import mean_iou
from activation_study.report.gallery import choose, gallery
from fake_runs import write_run


@pytest.fixture
def block(tmp_path: Path) -> Block:
    for seed in range(3):
        for place, name in enumerate(("relu", "mish", "frelu")):
            write_run(tmp_path / "s", name, seed, started=float(place))
    (found,), _ = read_study(tmp_path / "s")
    return found


def test_the_images_are_those_that_the_rule_names(block: Block) -> None:
    chosen = choose(block, compare_block(block, [], 0))
    scores = {
        arm.name: np.array([[mean_iou(arm.confusions[seed, image]) for image in range(10)] for seed in range(3)]).mean(
            axis=0
        )
        for arm in block.arms
    }
    difference = scores["mish"] - scores["relu"]
    assert "argest Mish − ReLU: +" in chosen[int(np.argmax(difference))]
    assert "mallest Mish − ReLU: " in chosen[int(np.argmin(difference))]
    assert f"{100 * difference.max():.1f} points" in chosen[int(np.argmax(difference))]
    other = scores["frelu"] - scores["relu"]
    assert "argest FReLU − ReLU: " in chosen[int(np.argmax(other))]
    assert "mallest FReLU − ReLU: " in chosen[int(np.argmin(other))]
    assert "edian Mish − ReLU" in chosen[int(np.argsort(difference)[5])]
    assert "owest mean IoU of all" in chosen[int(np.argmin(sum(scores.values())))]
    assert 2 <= len(chosen) <= 6


def test_one_activation_alone_has_its_worst_image(tmp_path: Path) -> None:
    write_run(tmp_path / "s", "relu", 0)
    (block,), _ = read_study(tmp_path / "s")
    (reason,) = choose(block, []).values()
    assert reason.startswith("Lowest mean IoU of all: ")


def test_weights_that_are_not_here_are_named(block: Block) -> None:
    with pytest.raises(BadInput, match="best weights are missing"):
        gallery(block, compare_block(block, [], 0))

"""Which sample images are chosen, and the error if they cannot be shown."""

from pathlib import Path

import numpy as np
import pytest

from activation_study.analysis.contrasts import compare_condition
from activation_study.analysis.results import Condition, read_study
from activation_study.errors import BadInput
from activation_study.metrics import mean_iou
from activation_study.report.gallery import choose, gallery
from fake_runs import write_run


@pytest.fixture
def condition(tmp_path: Path) -> Condition:
    for seed in range(3):
        for index, name in enumerate(("relu", "mish", "frelu")):
            write_run(tmp_path / "s", name, seed, started=float(index))
    (condition,), _ = read_study(tmp_path / "s")
    return condition


def test_the_images_are_chosen_by_the_rule(condition: Condition) -> None:
    chosen = choose(condition, compare_condition(condition, []))
    scores = {
        arm.name: np.array([[mean_iou(arm.confusions[seed, image]) for image in range(10)] for seed in range(3)]).mean(
            axis=0
        )
        for arm in condition.arms
    }
    difference = scores["mish"] - scores["relu"]
    assert "argest Mish − ReLU: +" in chosen[int(np.argmax(difference))]
    assert "mallest Mish − ReLU: " in chosen[int(np.argmin(difference))]
    assert f"{100 * difference.max():.1f} points" in chosen[int(np.argmax(difference))]
    other = scores["frelu"] - scores["relu"]
    assert "argest FReLU − ReLU: " in chosen[int(np.argmax(other))]
    assert "mallest FReLU − ReLU: " in chosen[int(np.argmin(other))]
    assert "edian Mish − ReLU" in chosen[int(np.argsort(difference)[5])]
    assert "owest mean IoU over all activations: " in chosen[int(np.argmin(sum(scores.values())))]
    assert 2 <= len(chosen) <= 6


def test_an_image_without_labels_is_not_the_worst(tmp_path: Path) -> None:
    counts = np.zeros((10, 4, 3), np.int64)
    counts[:, [0, 1, 2], [0, 1, 2]] = np.arange(500, 510)[:, None]
    counts[:, 0, 1] = 50
    counts[4] = 0
    counts[4, 3] = 100  # all of its pixels are unknown
    for name in ("relu", "mish"):
        write_run(tmp_path / "s", name, 0, counts=counts)
    (condition,), _ = read_study(tmp_path / "s")
    chosen = choose(condition, [])
    assert chosen.keys() == {0}
    assert chosen[0].startswith("Lowest mean IoU over all activations: 9")


def test_for_one_activation_alone_its_worst_image_is_chosen(tmp_path: Path) -> None:
    write_run(tmp_path / "s", "relu", 0)
    (condition,), _ = read_study(tmp_path / "s")
    (reason,) = choose(condition, []).values()
    assert reason.startswith("Lowest mean IoU over all activations: ")


def test_missing_weights_are_reported(condition: Condition) -> None:
    with pytest.raises(BadInput, match="weights are missing"):
        gallery(condition, compare_condition(condition, []))

"""What is said before a training starts: momentum and number of steps, classes without training pixels."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from activation_study.data.labels.class_list import read_classes
from activation_study.data.labels.label_types import COLOR, LABEL_TYPES, own_label_type
from activation_study.runs.start_warnings import start_warnings
from activation_study.validation import from_hydra
from hydra_compose import composed


def warnings(images: int, *overrides: str, pixels: dict[str, int] | None = None, **facts: Any) -> list[str]:
    dataset: Any = SimpleNamespace(
        split=SimpleNamespace(train=np.arange(images)),
        training_pixels=pixels or {"sky": 1},
        **{"label_type": LABEL_TYPES["surfaces"], **facts},
    )
    return list(start_warnings(from_hydra(composed([*overrides])), dataset))


def test_a_momentum_that_needs_more_steps_is_named_with_one_that_fits() -> None:
    assert warnings(12, "training.epochs=60", "training.batch_size=8") == [
        "120 steps (60 epochs of 2 batches) are too few for normalization.momentum=0.99: the network is validated and "
        "tested with moving statistics that keep 30 % of their initial values. Set normalization.momentum=0.9"
    ]


def test_a_training_that_is_too_short_for_any_usual_momentum_is_told_how_long_it_must_be() -> None:
    (warning,) = warnings(7, "training.epochs=30")
    assert warning.startswith("30 steps (30 epochs of 1 batch) are too few for normalization.momentum=0.99")
    assert warning.endswith("Set normalization.momentum=0.9 and training.epochs=44 or more")
    (warning,) = warnings(7, "training.epochs=30", "normalization.momentum=0.9")
    assert warning.endswith("keep 4 % of their initial values. Set training.epochs=44 or more")
    assert warnings(7, "training.epochs=44", "normalization.momentum=0.9") == []
    assert warnings(7, "training.epochs=1", "normalization.momentum=0") == []


@pytest.mark.parametrize(
    ("images", "overrides"),
    [
        (429, ["experiment=article"]),
        (429, ["experiment=small"]),
        (429, ["experiment=controls"]),
        (429, ["experiment=protocol"]),
        (420, ["experiment=small", "data=camvid"]),
        (144, ["experiment=demo"]),
    ],
)
def test_the_experiments_are_long_enough(images: int, overrides: list[str]) -> None:
    assert warnings(images, *overrides) == []


def test_classes_without_a_training_pixel_are_named_before_hours_are_spent() -> None:
    (warning,) = warnings(429, "data.image_size=64", pixels={"sky": 9, "crack": 0})
    assert warning == "crack: not in the training labels at 64×64, so the network cannot learn it"


COLORS = own_label_type(
    read_classes(
        {"classes": [{"name": "sky", "color": "#808080"}, {"name": "tree", "color": "#808000"}], "unknown": "others"}
    )
)


def test_a_colour_that_misses_a_class_narrowly_is_named_with_the_class() -> None:
    facts = {"label_type": COLORS, "unknown_share": 0.88}
    undeclared = {COLOR: 0.1, COLOR + 0x808180: 0.78}
    (warning,) = warnings(429, "data.image_size=64", undeclared=undeclared, **facts)
    assert warning == (
        "88 % of the pixels in the training labels at 64×64 are unknown: #808180 (78 % of the pixels) is undeclared, "
        'and only 1 away from sky #808080. If it is sky, give that class `colors: ["#808080", "#808180"]`'
    )


def test_labels_that_are_mostly_unknown_are_named_with_the_most_frequent_undeclared_value() -> None:
    (warning,) = warnings(429, label_type=COLORS, unknown_share=0.6, undeclared={COLOR: 0.4, COLOR + 0xFF0000: 0.2})
    assert (
        "60 % of the pixels in the training labels at 224×224 are unknown by `unknown: others`; the most frequent "
        in (warning)
    )
    assert "undeclared colour is #000000 (40 % of the pixels). If it is a class, declare it" in warning
    (warning,) = warnings(429, label_type=COLORS, unknown_share=0.6, undeclared={7: 0.4})
    assert "undeclared id is 7 (40 %" in warning
    (warning,) = warnings(429, label_type=COLORS, unknown_share=0.6, undeclared={})
    assert warning.endswith("are unknown: check `unknown` in the classes file")


def test_usual_shares_of_unknown_pixels_need_no_warning() -> None:
    assert warnings(429, label_type=COLORS, unknown_share=0.04) == []
    assert warnings(429, label_type=COLORS, unknown_share=0.45, undeclared={COLOR: 0.45}) == []
    assert warnings(429, label_type=COLORS, unknown_share=0.06, undeclared={COLOR + 0x808180: 0.02}) == []

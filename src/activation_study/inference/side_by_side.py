"""Draws an image and the label maps of several runs in a row."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.data.images.input_convention import displayed
from activation_study.data.labels.nearest import resize_nearest
from activation_study.evaluation.plots import colorize, draw_panels, panel_size
from activation_study.inference.inputs import NamedImage
from activation_study.inference.prediction_writer import Look


def write_side_by_side(
    path: Path, image: NamedImage, looks: Sequence[Look], label_maps: Sequence[NDArray[np.uint8]]
) -> None:
    """Draws an image and the runs' label maps, titled with the fraction of pixels where all agree.

    Args:
        path: of the PNG file.
        image: the image.
        looks: of the runs.
        label_maps: of the runs: class indices, uint8 [height, width].
    """
    same = np.ones(label_maps[0].shape, np.bool_)
    for label_map in label_maps[1:]:
        same &= label_map == label_maps[0]
    panels = [("image", displayed(image.pixels))]
    for look, label_map in zip(looks, label_maps, strict=True):
        reduced = resize_nearest(label_map, panel_size(label_map))
        panels.append((look.caption, colorize(reduced, look.colors)))
    legend = list(zip(looks[0].classes, looks[0].colors, strict=True))
    draw_panels(path, panels, legend, f"{image.name}: all agree on {same.mean():.0%} of the pixels")

"""Test images side by side: photograph, truth, and what each activation predicts; chosen by rule, not by eye."""

from collections.abc import Sequence

import numpy as np

from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.formatting import display_name, format_points
from activation_study.analysis.results import Block
from activation_study.inference.load import TrainedModel
from activation_study.metrics import mean_iou
from activation_study.palette import UNKNOWN_COLOR
from activation_study.report.data_uris import image_uri, label_map_uri
from activation_study.report.elements import Gallery, ImagePanel, ImageRow

RULE = (
    "for each of the first two contrasts the two test images with the largest and the smallest difference of the "
    "image's mean IoU (over its own classes, mean over the seeds); the image with the median difference of the first; "
    "and the one with the lowest mean IoU over all activations and seeds."
)


def choose(block: Block, contrasts: Sequence[Contrast]) -> dict[int, str]:
    """The images that are shown, by `RULE`: their places in the test split, and why; each once."""
    scores = {arm.name: mean_iou(arm.confusions).mean(axis=0) for arm in block.arms}  # [images]
    found: list[tuple[int, str]] = []
    primary = [contrast for contrast in contrasts if contrast.primary][:2]
    for contrast in primary:
        difference = scores[contrast.a] - scores[contrast.b]
        for word, place in (("largest", int(np.argmax(difference))), ("smallest", int(np.argmin(difference)))):
            found.append((place, f"{word} {contrast.pair}: {format_points(difference[place], signed=True)} points"))
    if primary:
        difference = scores[primary[0].a] - scores[primary[0].b]
        middle = int(np.argsort(difference, kind="stable")[len(difference) // 2])
        found.append((middle, f"median {primary[0].pair}: {format_points(difference[middle], signed=True)} points"))
    overall = np.mean(list(scores.values()), axis=0)
    worst = int(np.argmin(overall))
    found.append((worst, f"lowest mean IoU of all: {format_points(overall[worst])} %"))
    chosen: dict[int, str] = {}
    for place, reason in found:
        chosen[place] = f"{chosen[place]}; {reason}" if place in chosen else reason
    return {place: reason[0].upper() + reason[1:] for place, reason in chosen.items()}


def gallery(block: Block, contrasts: Sequence[Contrast]) -> Gallery:
    """The chosen images with the predictions of the first seed's runs.

    Raises:
        BadInput: data or weights of a run are not here.
    """
    chosen = choose(block, contrasts)
    names = [block.images[place] for place in chosen]
    runs = {arm.name: TrainedModel(arm.records[0], arm.folders[0]) for arm in block.arms}
    predicted = {name: run.predictions(names) for name, run in runs.items()}
    first = next(iter(runs.values()))
    rows = []
    for number, (place, reason) in enumerate(chosen.items()):
        name = names[number]
        panels = [
            ImagePanel(name, f"photograph {name}", image_uri(first.image(name))),
            ImagePanel("truth", f"true classes of {name}", label_map_uri(first.truth(name), block.colors)),
        ]
        for arm in block.arms:
            iou = 100 * float(mean_iou(arm.confusions[0, place]))
            shown = label_map_uri(predicted[arm.name][number], block.colors)
            panels.append(
                ImagePanel(
                    f"{display_name(arm.name)}, IoU {iou:.1f} %",
                    f"{display_name(arm.name)}'s prediction for {name}",
                    shown,
                )
            )
        rows.append(ImageRow(reason, tuple(panels)))
    legend = [*zip(block.classes, block.colors, strict=True), ("unknown", UNKNOWN_COLOR)]
    return Gallery(tuple(rows), tuple(legend), block.arms[0].seeds[0])

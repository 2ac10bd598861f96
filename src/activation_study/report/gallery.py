"""Sample test images, chosen by a fixed rule: image, truth, and the prediction of each activation."""

from collections.abc import Sequence

import numpy as np

from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.formatting import display_name, format_points
from activation_study.analysis.results import Condition, common_seeds
from activation_study.errors import BadInput
from activation_study.inference.load import TrainedModel
from activation_study.metrics import mean_iou
from activation_study.palette import UNKNOWN_COLOR
from activation_study.report.data_uris import image_uri, label_map_uri
from activation_study.report.elements import Gallery, ImagePanel, ImageRow

RULE = (
    "for each of the first two contrasts, the two images with the largest and the smallest difference of the image's "
    "mean IoU (over its own classes, mean over the seeds); the image with the median difference of the first contrast; "
    "and the image with the lowest mean IoU over all runs."
)


def choose(condition: Condition, contrasts: Sequence[Contrast]) -> dict[int, str]:
    """The images chosen by `RULE`: each image's index in the test split, and the reason why it is shown."""
    seeds = common_seeds(*condition.arms)
    labeled = np.flatnonzero(condition.arms[0].confusions[0, :, :-1].any(axis=(1, 2)))  # the others have no score
    scores = {arm.name: mean_iou(arm.at(seeds).confusions).mean(axis=0)[labeled] for arm in condition.arms}
    over_seeds = ", mean over the seeds" if len(seeds) > 1 else ""  # the images are of one seed
    candidates: list[tuple[int, str]] = []
    primary = [contrast for contrast in contrasts if contrast.primary and {contrast.a, contrast.b} <= scores.keys()][:2]
    for contrast in primary:
        difference = scores[contrast.a] - scores[contrast.b]
        for word, index in (("largest", int(np.argmax(difference))), ("smallest", int(np.argmin(difference)))):
            candidates.append((index, f"{word} {contrast.pair}: {_points(difference[index])}{over_seeds}"))
    if primary:
        difference = scores[primary[0].a] - scores[primary[0].b]
        median = int(np.argsort(difference, kind="stable")[len(difference) // 2])
        candidates.append((median, f"median {primary[0].pair}: {_points(difference[median])}{over_seeds}"))
    overall = np.mean(list(scores.values()), axis=0)
    worst = int(np.argmin(overall))
    candidates.append(
        (worst, f"lowest mean IoU over all {condition.factor.plural}: {format_points(overall[worst])} %{over_seeds}")
    )
    reasons: dict[int, str] = {}
    for place, reason in candidates:
        index = int(labeled[place])
        reasons[index] = f"{reasons[index]}; {reason}" if index in reasons else reason
    return {index: reason[0].upper() + reason[1:] for index, reason in reasons.items()}


def gallery(condition: Condition, contrasts: Sequence[Contrast]) -> Gallery:
    """The chosen images with the predictions of the first seed that all activations have.

    Raises:
        BadInput: there is no such seed; or the data or the weights of a run are missing or changed.
    """
    if condition.folds > 1:
        raise BadInput("each fold has its own test images")
    common = common_seeds(*condition.arms)
    if not common:
        raise BadInput(f"no seed is common to all {condition.factor.plural}")
    arms = [arm.at(common[:1]) for arm in condition.arms]
    chosen = choose(condition, contrasts)
    names = [condition.images[index] for index in chosen]
    models = {arm.name: TrainedModel(arm.records[0], arm.folders[0]) for arm in arms}
    predictions = {name: model.predictions(names) for name, model in models.items()}
    first = next(iter(models.values()))
    rows = []
    for row, (name, (index, reason)) in enumerate(zip(names, chosen.items(), strict=True)):
        panels = [
            ImagePanel(name, f"image {name}", image_uri(first.image(name))),
            ImagePanel("truth", f"true classes of {name}", label_map_uri(first.truth(name), condition.colors)),
        ]
        for arm in arms:
            iou = 100 * float(mean_iou(arm.confusions[0, index]))
            shown = display_name(arm.name)
            prediction = label_map_uri(predictions[arm.name][row], condition.colors)
            alt = f"prediction of {shown} for {name}"
            panels.append(ImagePanel(f"{shown}, seed {arm.seeds[0]}, IoU {iou:.1f} %", alt, prediction))
        rows.append(ImageRow(reason, tuple(panels)))
    legend = [*zip(condition.classes, condition.colors, strict=True), ("unknown", UNKNOWN_COLOR)]
    return Gallery(tuple(rows), tuple(legend), common[0])


def _points(difference: float) -> str:
    return f"{format_points(difference, signed=True)} points"

"""Test images side by side: photograph, truth, and what each activation predicts; chosen by rule, not by eye."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.palette import UNKNOWN_COLOR
from activation_study.run.finished import Finished
from activation_study.run.pictures import colored
from activation_study.study.answer import Contrast, display, point
from activation_study.study.comparison import mean_iou
from activation_study.study.results import Block

RULE = (
    "for each of the first two contrasts the two test images with the largest and the smallest difference of the "
    "image's mean IoU (over its own classes, mean over the seeds); the image with the median difference of the first; "
    "and the one with the lowest mean IoU over all activations and seeds."
)
WIDTH = 320  # pixels of a picture on the page, at most


@dataclass(frozen=True)
class Panel:
    """One picture on the page: its caption, what it shows in words, and its content as a data address."""

    caption: str
    alt: str
    address: str


@dataclass(frozen=True)
class Row:
    """One test image: why it was chosen, and its panels."""

    reason: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Gallery:
    """The chosen images of a block.

    Args:
        rows: one for each image.
        legend: (class, colour).
        seed: whose predictions are shown.
    """

    rows: tuple[Row, ...]
    legend: tuple[tuple[str, str], ...]
    seed: int


def choose(block: Block, contrasts: Sequence[Contrast]) -> dict[int, str]:
    """The images that are shown, by `RULE`: their places in the test split, and why; each once."""
    scores = {arm.name: mean_iou(arm.confusions).mean(axis=0) for arm in block.arms}  # [images]
    found: list[tuple[int, str]] = []
    primary = [contrast for contrast in contrasts if contrast.primary][:2]
    for contrast in primary:
        difference = scores[contrast.a] - scores[contrast.b]
        for word, place in (("largest", int(np.argmax(difference))), ("smallest", int(np.argmin(difference)))):
            found.append((place, f"{word} {contrast.pair}: {point(difference[place], signed=True)} points"))
    if primary:
        difference = scores[primary[0].a] - scores[primary[0].b]
        middle = int(np.argsort(difference, kind="stable")[len(difference) // 2])
        found.append((middle, f"median {primary[0].pair}: {point(difference[middle], signed=True)} points"))
    overall = np.mean(list(scores.values()), axis=0)
    worst = int(np.argmin(overall))
    found.append((worst, f"lowest mean IoU of all: {point(overall[worst])} %"))
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
    runs = {arm.name: Finished(arm.records[0], arm.folders[0]) for arm in block.arms}
    predicted = {name: run.predictions(names) for name, run in runs.items()}
    first = next(iter(runs.values()))
    rows = []
    for number, (place, reason) in enumerate(chosen.items()):
        name = names[number]
        panels = [
            Panel(name, f"photograph {name}", _jpeg(first.photograph(name))),
            Panel("truth", f"true classes of {name}", _map(first.truth(name), block.colors)),
        ]
        for arm in block.arms:
            iou = 100 * float(mean_iou(arm.confusions[0, place]))
            shown = _map(predicted[arm.name][number], block.colors)
            panels.append(
                Panel(f"{display(arm.name)}, IoU {iou:.1f} %", f"{display(arm.name)}'s prediction for {name}", shown)
            )
        rows.append(Row(reason, tuple(panels)))
    legend = [*zip(block.classes, block.colors, strict=True), ("unknown", UNKNOWN_COLOR)]
    return Gallery(tuple(rows), tuple(legend), block.arms[0].seeds[0])


def _map(ids: NDArray[Any], colors: Sequence[str]) -> str:
    return _encoded(".png", _smaller(colored(ids, colors), nearest=True))


def _jpeg(picture: NDArray[np.uint8]) -> str:
    return _encoded(".jpg", _smaller(picture, nearest=False))


def _smaller(picture: NDArray[np.uint8], nearest: bool) -> NDArray[np.uint8]:
    import cv2

    height, width = picture.shape[:2]
    scale = min(1.0, WIDTH / width)
    size = (round(scale * width), round(scale * height))
    resized: Any = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST if nearest else cv2.INTER_AREA)
    return resized


def _encoded(kind: str, picture: NDArray[np.uint8]) -> str:
    """RGB uint8 [height, width, 3] as a data address."""
    import cv2

    _, content = cv2.imencode(kind, np.ascontiguousarray(picture[..., ::-1]))
    mime = {".png": "image/png", ".jpg": "image/jpeg"}[kind]
    return f"data:{mime};base64,{base64.b64encode(content.tobytes()).decode()}"

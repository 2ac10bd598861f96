"""Plots of a run as PNG files: predictions beside the truth, learning curves, confusion matrix."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.data.labels.label_types import LabelType, border_map
from activation_study.data.labels.nearest import resize_nearest
from activation_study.files import replacing
from activation_study.palette import UNKNOWN_COLOR, rgb

MANY_CLASSES = 40  # more than this have no room for numbers in a confusion matrix
LEGEND_ROW = 0.17  # inches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_SIDE = 2048  # pixels of an image in a figure


def _figure(width: float, height: float) -> "Figure":
    """A figure made without pyplot, which would keep every figure in memory until the process ends."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def without_math(figure: "Figure") -> None:
    """Shows the texts of a figure as they are: in names with two $, Matplotlib would look for a formula.

    Numbers on axes, which get their texts as they are drawn, stay as Matplotlib writes them.
    """
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if text.get_text():
            text.set_parse_math(False)  # type: ignore[attr-defined]


def _save(figure: "Figure", path: Path) -> None:
    without_math(figure)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100)


def panel_size(image: NDArray[Any]) -> tuple[int, int]:
    """The (height, width) at which an image [height, width, …] is drawn: its own, unless a side is very long."""
    height, width = image.shape[:2]
    scale = min(1.0, MAX_SIDE / max(height, width))
    return max(1, round(scale * height)), max(1, round(scale * width))


def _reduced(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An RGB image uint8 [height, width, 3] at its `panel_size`, since Matplotlib takes many bytes for each pixel."""
    import cv2

    size = panel_size(image)
    if size == image.shape[:2]:
        return image
    return np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def colorize(label_map: NDArray[Any], colors: Sequence[str]) -> NDArray[np.uint8]:
    """A label map of class ids [height, width], negative = unknown, as RGB uint8 [height, width, 3]."""
    palette = np.array([rgb(color) for color in (*colors, UNKNOWN_COLOR)], np.uint8)
    return palette[np.where(label_map < 0, len(colors), label_map)]


def overlay(image: NDArray[np.uint8], label_map: NDArray[Any], colors: Sequence[str]) -> NDArray[np.uint8]:
    """The mean of an RGB image uint8 [height, width, 3] and its coloured label map [height, width]."""
    import cv2

    blended = cv2.addWeighted(np.ascontiguousarray(image), 0.5, colorize(label_map, colors), 0.5, 0)
    return np.asarray(blended, np.uint8)


def outline(image: NDArray[np.uint8], label_map: NDArray[Any], colors: Sequence[str], width: int) -> NDArray[np.uint8]:
    """An RGB image uint8 [height, width, 3] with the outlines of its classes in their very colours.

    Args:
        image: the image.
        label_map: class ids [height, width], negative = unknown.
        colors: of the classes.
        width: of the line on each side of an outline, in pixels.
    """
    borders = border_map(np.asarray(label_map, np.int16), width) == 1
    return np.where(borders[..., None], colorize(label_map, colors), image)


def _legend(figure: "Figure", legend: Iterable[tuple[str, str]], columns: int) -> None:
    """Adds the classes with their colours below the figure."""
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=color, edgecolor="black" if color == UNKNOWN_COLOR else None, label=name)
        for name, color in legend
    ]
    columns = min(len(handles), columns)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=8, frameon=False)


def _legend_room(entries: int, columns: int) -> float:
    """The height in inches of the rows of a legend beyond three, for which a figure has room."""
    return LEGEND_ROW * max(0, -(-entries // columns) - 3)


def draw_predictions(
    path: Path,
    examples: Sequence[tuple[str, NDArray[np.uint8], NDArray[Any], NDArray[Any]]],
    label_type: LabelType,
    title: str,
) -> None:
    """Draws rows of image, truth and prediction.

    Args:
        path: of the PNG file.
        examples: (caption, RGB image uint8 [height, width, 3], true ids and predicted ids [height, width]).
        label_type: has the classes and their colours.
        title: above the figure; how the examples were chosen.
    """
    columns = 5
    figure = _figure(8, 2.15 * len(examples) + 1.1 + _legend_room(len(label_type.classes) + 1, columns))
    axes = figure.subplots(len(examples), 3, squeeze=False)
    for row, (caption, image, truth, predicted) in zip(axes, examples, strict=True):
        maps = (colorize(resize_nearest(ids, panel_size(ids)), label_type.colors) for ids in (truth, predicted))
        panels = ((_reduced(image), caption), *zip(maps, ("truth", "prediction"), strict=True))
        for panel, (content, label) in zip(row, panels, strict=True):
            panel.imshow(content, interpolation="nearest")
            panel.set_title(label, fontsize=8)
            panel.set_axis_off()
    classes = zip(label_type.classes, label_type.colors, strict=True)
    _legend(figure, [*classes, ("unknown", UNKNOWN_COLOR)], columns)
    figure.suptitle(title, fontsize=9)
    _save(figure, path)


def draw_panels(
    path: Path, panels: Sequence[tuple[str, NDArray[np.uint8]]], legend: Sequence[tuple[str, str]], title: str
) -> None:
    """Draws images in a row.

    Args:
        path: of the PNG file.
        panels: (caption, RGB uint8 [height, width, 3]).
        legend: (class, colour).
        title: above the figure.
    """
    height, width = panels[0][1].shape[:2]
    side, columns = 3.2, 8
    room = 1 + _legend_room(len(legend), columns)
    figure = _figure(side * len(panels), side * min(2.0, height / width) + room)
    for axes, (caption, content) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        axes.imshow(_reduced(content), interpolation="nearest")
        axes.set_title(caption, fontsize=9)
        axes.set_axis_off()
    _legend(figure, legend, columns)
    figure.suptitle(title, fontsize=9)
    _save(figure, path)


def draw_learning_curves(path: Path, epochs: Sequence[dict[str, float]], best_epoch: int, title: str) -> None:
    """Draws loss, mean IoU, accuracy and learning rate over the epochs, with the best epoch marked."""
    figure = _figure(9, 3)
    numbers = range(1, len(epochs) + 1)
    panels = (
        ("loss", ("train/loss", "val/loss")),
        ("mean IoU and accuracy", ("val/mean_iou", "train/accuracy", "val/accuracy")),
        ("learning rate", ("learning_rate",)),
    )
    for axes, (label, keys) in zip(figure.subplots(1, 3), panels, strict=True):
        for key, line in zip(keys, ("-", "--", ":"), strict=False):
            axes.plot(numbers, [epoch[key] for epoch in epochs], line, marker=".", label=key)
        axes.axvline(best_epoch, color="grey", linewidth=0.8, label="best weights")
        axes.set_xlabel("epoch")
        axes.set_title(label, fontsize=9)
        axes.legend(fontsize=7)
        axes.grid(alpha=0.3)
        if label == "learning rate":
            axes.set_yscale("log")
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title, fontsize=9)
    _save(figure, path)


def draw_confusion(path: Path, pooled: NDArray[np.int64], classes: tuple[str, ...], title: str) -> None:
    """Draws the pooled confusion matrix [C + 1, C] as fractions of each true class, unknown last."""
    names = [*classes, "unknown"]
    fractions = pooled / np.maximum(pooled.sum(axis=1, keepdims=True), 1)
    many = len(classes) > MANY_CLASSES
    width, height = (0.16, 0.16) if many else (0.75, 0.55)
    figure = _figure(1.8 + width * len(classes), 1.6 + height * len(names))
    axes = figure.subplots()
    axes.imshow(fractions, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for (row, column), fraction in [] if many else np.ndenumerate(fractions):
        text = f"{fraction:.0%}" if pooled[row].any() else "–"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if fraction < 0.5 else "black")
    size, rotation, align = (6, 90, "center") if many else (8, 35, "right")
    axes.set_xticks(range(len(classes)), classes, rotation=rotation, ha=align, fontsize=size)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title, fontsize=9)
    _save(figure, path)

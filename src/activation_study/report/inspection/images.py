"""The images on the page about a data set, each beside its label."""

import numpy as np

from activation_study.data.audit import DatasetAudit
from activation_study.data.dataset import Dataset
from activation_study.data.images.input_convention import displayed
from activation_study.data.near_duplicates import DuplicatePair
from activation_study.data.same_scene import ScenePair
from activation_study.evaluation.plots import outline
from activation_study.report.data_uris import MAX_WIDTH, image_uri, label_map_uri
from activation_study.report.elements import ImagePanel, ImageRow

OUTLINE = 1.5  # pixels of an image on the page, on each side of an outline


def pair_row(dataset: Dataset, audit: DatasetAudit, pair: DuplicatePair) -> ImageRow:
    """Two near duplicates, each with its label."""
    similarity = "identical" if pair.identical else f"similarity {pair.similarity:.4f}"
    panels = (*image_and_label(dataset, pair.first), *image_and_label(dataset, pair.second))
    return ImageRow(f"{' and '.join(audit.parts(pair))}: {similarity}", panels)


def scene_row(dataset: Dataset, audit: DatasetAudit, pair: ScenePair) -> ImageRow:
    """Two images of the same scene, each with its label."""
    panels = (*image_and_label(dataset, pair.first), *image_and_label(dataset, pair.second))
    return ImageRow(f"{' and '.join(audit.parts(pair))}: {pair.inliers} matches", panels)


def image_and_label(dataset: Dataset, index: int) -> tuple[ImagePanel, ...]:
    """An image and its label."""
    name = dataset.source.names[index]
    image = image_uri(displayed(dataset.source.image(index)))
    label = label_map_uri(dataset.truth(index), dataset.label_type.colors)
    return ImagePanel(name, f"image {name}", image), ImagePanel("label", f"label of {name}", label)


def outlined_and_label(dataset: Dataset, index: int) -> tuple[ImagePanel, ...]:
    """The image with the outlines of its label, and the label; both in the colours of the legend."""
    name, truth, colors = dataset.source.names[index], dataset.truth(index), dataset.label_type.colors
    image = displayed(dataset.source.image(index))
    outlined = outline(image, truth, colors, width=max(1, round(OUTLINE * image.shape[1] / MAX_WIDTH)))
    return (
        ImagePanel(name, f"{name} with the outlines of its label", image_uri(outlined)),
        ImagePanel("label", f"label of {name}", label_map_uri(truth, colors)),
    )


def evenly_spaced(count: int, maximum: int) -> list[int]:
    """At most `maximum` indices below `count`, from the first to the last."""
    return [int(index) for index in np.unique(np.linspace(0, count - 1, maximum).round())]

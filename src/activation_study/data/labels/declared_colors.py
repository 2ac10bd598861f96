"""The colours that the classes of own data have in label images, as packed numbers (see `packed_color`)."""

import numpy as np

from activation_study.data.labels.label_types import LabelType
from activation_study.data.labels.packed_color import channels


def names_of_colors(label_type: LabelType) -> dict[int, str]:
    """The class, or unknown, of each declared colour (red · 2¹⁶ + green · 2⁸ + blue)."""
    names = zip(label_type.classes, label_type.mask_colors, strict=False)  # no colours if some are shared
    found = {color: name for name, colors in names for color in colors}
    return found | dict.fromkeys(label_type.unknown_colors, "unknown")


def nearest_color(label_type: LabelType, color: int) -> tuple[str, int, float]:
    """The nearest declared colour: its class, itself, and the Euclidean distance of the channels, 0 … 255."""
    names = names_of_colors(label_type)
    distances = {other: float(np.linalg.norm(channels(color) - channels(other))) for other in names}
    nearest = min(distances, key=distances.__getitem__)
    return names[nearest], nearest, distances[nearest]

"""A network."""

from collections.abc import Sequence

import keras

from activation_study.model.network_parts import NetworkParts


def build_plain(parts: NetworkParts, widths: Sequence[int]) -> keras.Model:
    """Blocks at the image's full size, without a decoder: 3×3 convolution → normalisation → activation."""
    image = x = parts.input()
    for number, width in enumerate(widths, 1):
        x = parts.block(x, f"encoder{number}", width)
    return parts.model(image, x, "plain")

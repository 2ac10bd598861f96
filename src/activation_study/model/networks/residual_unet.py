"""The residual U-Net of Zhang, Liu and Wang."""

from collections.abc import Sequence
from typing import Any

import keras

from activation_study.model.network_parts import NetworkParts, check_image_size


def build_residual_unet(parts: NetworkParts, widths: Sequence[int]) -> keras.Model:
    """A U-Net of residual units, levels 1 … L, each `widths[level]` channels wide at 1/2^(level−1) of the input's size.

    Unit: x → [normalisation → activation → 3×3 convolution] twice, plus a 1×1 convolution of x. The first unit begins
    with its convolution. On the way down the first convolution and the shortcut have stride 2; on the way up a unit
    takes [up-sampled, skip]. A 1×1 convolution follows the last unit.
    Source: Zhang, Liu, Wang, "Road Extraction by Deep Residual U-Net", 2018, arXiv:1711.10684; there the shortcuts are
    normalised, too.

    Args:
        parts: the layers; the image's sides are multiples of 2^(L−1).
        widths: channels of each level, L numbers.

    Returns:
        As of `NetworkParts.model`.

    Raises:
        ValueError: the image's size does not match.
    """
    levels = len(widths)
    check_image_size(parts.image_size, levels)

    def unit(x: Any, name: str, width: int, strides: int = 1, first: bool = False) -> Any:
        shortcut = parts.convolve(x, f"{name}_shortcut", width, kernel_size=1, strides=strides)
        if not first:
            x = parts.activate(parts.normalize(x, f"{name}_norm1"), f"{name}_activation1")
        x = parts.convolve(x, f"{name}_conv1", width, strides=strides)
        x = parts.activate(parts.normalize(x, f"{name}_norm2"), f"{name}_activation2")
        x = parts.convolve(x, f"{name}_conv2", width)
        return keras.layers.Add(name=f"{name}_sum")([x, shortcut])

    image = parts.input()
    x = unit(image, "encoder1", widths[0], first=True)
    skips = []
    for level in range(2, levels + 1):
        skips.append(x)
        x = unit(x, f"encoder{level}", widths[level - 1], strides=2)
    for level in range(levels - 1, 0, -1):
        x = unit(parts.join(x, skips.pop(), f"decoder{level}"), f"decoder{level}", widths[level - 1])
    return parts.model(image, x, "residual_unet")

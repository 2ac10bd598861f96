"""SegNet, with skips in the place of pooling indices."""

from collections.abc import Sequence

import keras

from activation_study.model.network_parts import NetworkParts, check_image_size


def build_segnet(parts: NetworkParts, widths: Sequence[int], blocks: Sequence[int]) -> keras.Model:
    """SegNet: levels 1 … L of blocks, each followed by 2×2 max pooling, and a decoder that mirrors them.

    Block = 3×3 convolution → normalisation → activation. On its way up, each level doubles, concatenates
    [up-sampled, what its encoder gave to the pooling], and has as many blocks as its encoder; the last of them has the
    width of the level above. The original passes on the positions of the maxima instead, and up-samples by them.
    Source: Badrinarayanan, Kendall, Cipolla, "SegNet", 2017, arXiv:1511.00561.

    Args:
        parts: the layers; the image's sides are multiples of 2^L.
        widths: channels of each level, L numbers.
        blocks: blocks of each level, L numbers.

    Returns:
        As of `NetworkParts.model`.

    Raises:
        ValueError: the lengths of the lists do not match, or the image's size does not.
    """
    levels = len(widths)
    if len(blocks) != levels:
        raise ValueError(f"{levels} widths need {levels} blocks")
    check_image_size(parts.image_size, levels + 1)
    image = x = parts.input()
    skips = []
    for level, (width, count) in enumerate(zip(widths, blocks, strict=True), 1):
        x = parts.blocks(x, f"encoder{level}", width, count)
        skips.append(x)
        x = keras.layers.MaxPooling2D(2, name=f"encoder{level}_pool")(x)
    for level in range(levels, 0, -1):
        x = parts.join(x, skips.pop(), f"decoder{level}")
        count, above = blocks[level - 1], widths[max(level - 2, 0)]
        for number in range(1, count + 1):
            x = parts.block(x, f"decoder{level}_block{number}", above if number == count else widths[level - 1])
    return parts.model(image, x, "segnet")

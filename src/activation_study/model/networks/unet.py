"""The U-Net of the article.

This module names no activation. Widths and numbers of blocks are arguments; the defaults of the
configuration (`conf/model/unet.yaml`) are those of the article.
"""

from collections.abc import Sequence

import keras

from activation_study.model.network_parts import NetworkParts, check_image_size


def build_unet(
    parts: NetworkParts, widths: Sequence[int], encoder_blocks: Sequence[int], decoder_blocks: Sequence[int]
) -> keras.Model:
    """A U-Net of levels 1 … L, each `widths[level]` channels wide at 1/2^(level−1) of the input's size.

    Block = 3×3 convolution → normalisation → activation. The encoder pools by 2×2 between levels and keeps each
    level's output as its skip; the decoder doubles and concatenates [up-sampled, skip]. Head: the same up to full
    size, then a 3×3 convolution to `2·widths[0]` channels without normalisation or activation.

    Args:
        parts: the layers; the image's sides are multiples of 2^(L−1).
        widths: channels of each level, L numbers.
        encoder_blocks: blocks of each level on the way down, L numbers.
        decoder_blocks: blocks of levels L … 2 on the way up, L − 1 numbers.

    Returns:
        As of `NetworkParts.model`.

    Raises:
        ValueError: the lengths of the lists do not match, or the image's size does not.
    """
    levels = len(widths)
    if len(encoder_blocks) != levels or len(decoder_blocks) != levels - 1:
        raise ValueError(f"{levels} widths need {levels} encoder_blocks and {levels - 1} decoder_blocks")
    check_image_size(parts.image_size, levels)

    image = x = parts.input()
    skips = []
    for level in range(1, levels + 1):
        x = parts.blocks(x, f"encoder{level}", widths[level - 1], encoder_blocks[level - 1])
        if level < levels:
            skips.append(x)
            x = keras.layers.MaxPooling2D(2, name=f"encoder{level}_pool")(x)
    for level, count in zip(range(levels, 1, -1), decoder_blocks, strict=True):
        if level < levels:
            x = parts.join(x, skips.pop(), f"decoder{level}")
        x = parts.blocks(x, f"decoder{level}", widths[level - 1], count)
    x = parts.convolve(parts.join(x, skips.pop(), "head"), "head_conv", 2 * widths[0])
    return parts.model(image, x, "unet")

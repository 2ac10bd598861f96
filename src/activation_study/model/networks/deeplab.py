"""A compact encoder–decoder with a pyramid of dilated convolutions, after DeepLabV3+."""

from collections.abc import Sequence
from typing import Any

import keras

from activation_study.model.network_parts import NetworkParts, check_image_size


def build_deeplab(
    parts: NetworkParts,
    widths: Sequence[int],
    blocks: Sequence[int],
    pyramid_width: int,
    rates: Sequence[int],
    skip_level: int,
    skip_width: int,
) -> keras.Model:
    """Encoder → pyramid of dilated convolutions → decoder with a single skip.

    Block = 3×3 convolution → normalisation → activation; the first block of levels 2 … L has stride 2. The pyramid is
    a 1×1 block, a block for each dilation rate, and the mean over the image after a 1×1 convolution and activation
    (no normalisation, which one pixel does not allow); they are concatenated and a 1×1 block follows. The decoder
    doubles up to the skip's level, concatenates the skip after a 1×1 block, has two blocks, and doubles up to the
    input's size. Source: Chen et al., "Encoder-Decoder with Atrous Separable Convolution", 2018, arXiv:1802.02611,
    whose encoder is a trained Xception and whose convolutions are separable.

    Args:
        parts: the layers; the image's sides are multiples of 2^(L−1).
        widths: channels of each level, L numbers.
        blocks: blocks of each level, L numbers.
        pyramid_width: channels of each part of the pyramid, and of the decoder.
        rates: dilation rates.
        skip_level: from 1 to L − 1.
        skip_width: channels of the skip.

    Returns:
        As of `NetworkParts.model`.

    Raises:
        ValueError: the numbers of levels do not match, or the image's size does not.
    """
    levels = len(widths)
    if len(blocks) != levels or not 1 <= skip_level < levels:
        raise ValueError(f"{levels} widths need {levels} blocks and a skip_level from 1 to {levels - 1}")
    check_image_size(parts.image_size, levels)
    image = x = parts.input()
    features = []
    for level, (width, count) in enumerate(zip(widths, blocks, strict=True), 1):
        x = parts.blocks(x, f"encoder{level}", width, count, strides=2 if level > 1 else 1)
        features.append(x)
    x = _pyramid(parts, x, pyramid_width, rates)
    for level in range(levels - 1, skip_level - 1, -1):
        x = parts.upsample(x, f"decoder{level}_up")
    skip = parts.block(features[skip_level - 1], "decoder_skip", skip_width, kernel_size=1)
    x = keras.layers.Concatenate(name="decoder_join")([x, skip])
    x = parts.blocks(x, "decoder", pyramid_width, 2)
    for level in range(skip_level - 1, 0, -1):
        x = parts.upsample(x, f"decoder{level}_up")
    return parts.model(image, x, "deeplab")


def _pyramid(parts: NetworkParts, x: Any, width: int, rates: Sequence[int]) -> Any:
    name, (height, columns) = "encoder_pyramid", x.shape[1:3]
    branches = [parts.block(x, f"{name}_single", width, kernel_size=1)]
    branches += [parts.block(x, f"{name}_rate{rate}", width, dilation_rate=rate) for rate in rates]
    mean = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_mean")(x)
    mean = parts.activate(parts.convolve(mean, f"{name}_mean_conv", width, kernel_size=1), f"{name}_mean_activation")
    branches.append(keras.layers.UpSampling2D((height, columns), name=f"{name}_mean_up")(mean))
    x = keras.layers.Concatenate(name=f"{name}_join")(branches)
    return parts.block(x, f"{name}_out", width, kernel_size=1)

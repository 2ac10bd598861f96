"""The U-Net of the article, with the activation as an injected factory.

This module names no activation. Widths and numbers of blocks are arguments; the defaults of the
configuration (`conf/model/unet.yaml`) are those of the article.
"""

from collections.abc import Sequence
from typing import Any

import keras

from activation_study.model.activation_factory import ActivationFactory
from activation_study.model.normalization import BatchNormalization
from activation_study.seeding import integer_seed


def build_unet(
    image_size: tuple[int, int],
    classes: int,
    make_activation: ActivationFactory,
    widths: Sequence[int],
    encoder_blocks: Sequence[int],
    decoder_blocks: Sequence[int],
    seed: int,
    norm_momentum: float = 0.99,
    channels: int = 3,
) -> keras.Model:
    """A U-Net of levels 1 … L, each `widths[level]` channels wide at 1/2^(level−1) of the input's size.

    Block = Conv2D 3×3 'same' (he_normal, bias) → BatchNormalization → activation. The encoder pools by
    2×2 between levels and keeps each level's output as its skip; the decoder doubles by nearest
    neighbour and concatenates [up-sampled, skip]. Head: the same up to full size, Conv2D 3×3 to
    `2·widths[0]` channels without normalisation or activation, Conv2D 1×1 to `classes`, softmax.

    Args:
        image_size: (height, width) in pixels, multiples of 2^(L−1).
        classes: number of classes C.
        make_activation: (name, seed) → a new activation layer.
        widths: channels of each level, L numbers.
        encoder_blocks: blocks of each level on the way down, L numbers.
        decoder_blocks: blocks of levels L … 2 on the way up, L − 1 numbers.
        seed: of all initial weights; the seed of each layer is derived from it and the layer's name, so
            layers of the same name start equal under every activation.
        norm_momentum: of the moving statistics of the normalisations, per step.
        channels: of the images.

    Returns:
        float32 [N, height, width, channels] in [0, 1] → float32 [N, height, width, C] probabilities. Its layer
        `logits` is the input of the loss.

    Raises:
        ValueError: the lengths of the lists do not match, or the image size is no multiple of 2^(L−1).
    """
    levels = len(widths)
    if len(encoder_blocks) != levels or len(decoder_blocks) != levels - 1:
        raise ValueError(f"{levels} widths need {levels} encoder_blocks and {levels - 1} decoder_blocks")
    multiple = 2 ** (levels - 1)
    if any(side % multiple for side in image_size):
        raise ValueError(f"image_size {image_size} must be multiples of {multiple}, one halving per level")

    def conv(x: Any, name: str, width: int, kernel_size: int = 3) -> Any:
        initializer = keras.initializers.HeNormal(seed=integer_seed(seed, "weights", name))
        layer = keras.layers.Conv2D(width, kernel_size, padding="same", kernel_initializer=initializer, name=name)
        return layer(x)

    def blocks(x: Any, name: str, width: int, count: int) -> Any:
        for number in range(1, count + 1):
            block = f"{name}_block{number}"
            x = conv(x, f"{block}_conv", width)
            x = BatchNormalization(momentum=norm_momentum, name=f"{block}_norm")(x)
            activation = f"{block}_activation"
            x = make_activation(activation, integer_seed(seed, "weights", activation))(x)
        return x

    def join(x: Any, skip: Any, name: str) -> Any:
        x = keras.layers.UpSampling2D(2, interpolation="nearest", name=f"{name}_up")(x)
        return keras.layers.Concatenate(name=f"{name}_join")([x, skip])

    inputs = x = keras.Input((*image_size, channels), name="image")
    skips = []
    for level in range(1, levels + 1):
        x = blocks(x, f"encoder{level}", widths[level - 1], encoder_blocks[level - 1])
        if level < levels:
            skips.append(x)
            x = keras.layers.MaxPooling2D(2, name=f"encoder{level}_pool")(x)
    for level, count in zip(range(levels, 1, -1), decoder_blocks, strict=True):
        if level < levels:
            x = join(x, skips.pop(), f"decoder{level}")
        x = blocks(x, f"decoder{level}", widths[level - 1], count)
    x = join(x, skips.pop(), "head")
    x = conv(x, "head_conv", 2 * widths[0])
    logits = conv(x, "logits", classes, kernel_size=1)
    probabilities = keras.layers.Softmax(dtype="float32", name="probabilities")(logits)
    return keras.Model(inputs, probabilities, name="unet")

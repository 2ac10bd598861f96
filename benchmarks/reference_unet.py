"""The pipeline of the article, rewritten literally: preprocessing, network, training step, evaluation.

The reference of the benchmarks. Plain TensorFlow and Keras: no seeds, float32 arrays, one-hot targets.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def preprocess(images: Sequence[Path], labels: Sequence[Path], classes: int, side: int) -> tuple[Any, Any]:
    """All images [N, side, side, 3] in [0, 1] and one-hot targets [N, side, side, classes], of their files."""
    xs, ys = [], []
    for path, label in zip(images, labels, strict=True):
        image = cv2.resize(cv2.imread(str(path)), (side, side)) / 255
        xs.append(image.astype(np.float32))
        matrix = cv2.resize(np.loadtxt(label), (side, side))
        ys.append(np.stack([matrix == number for number in range(classes)], axis=-1).astype(np.float32))
    return np.array(xs), np.array(ys)


def mean_iou(outputs: Sequence[NDArray[np.float32]], labels: Sequence[Path], classes: int) -> float:
    """The mean IoU of softmax outputs [side, side, classes], computed per image and class."""
    ious: list[list[float]] = [[] for _ in range(classes)]
    for output, label in zip(outputs, labels, strict=True):
        truth = np.loadtxt(label)
        resized = cv2.resize(output, truth.shape[::-1], interpolation=cv2.INTER_LANCZOS4)
        predicted = np.argmax(resized, axis=-1)
        for number in range(classes):
            union = np.logical_or(predicted == number, truth == number).sum()
            if union:
                ious[number].append(np.logical_and(predicted == number, truth == number).sum() / union)
    return sum(float(np.mean(values)) if values else -1.0 for values in ious) / classes


def network(side: int, classes: int, activation: str, w: Sequence[int]) -> Any:
    """The U-Net written out layer by layer, without names and seeds."""
    import keras
    from keras import layers, ops

    def activate(x: Any) -> Any:
        if activation == "mish":
            return layers.Lambda(lambda z: z * ops.tanh(ops.softplus(z)))(x)
        if activation == "frelu":
            t = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
            return layers.maximum([x, layers.BatchNormalization()(t)])
        return layers.ReLU()(x)

    def block(x: Any, width: int) -> Any:
        x = layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal")(x)
        return activate(layers.BatchNormalization()(x))

    inputs = keras.Input((side, side, 3))
    skip1 = block(inputs, w[0])
    skip2 = block(layers.MaxPooling2D()(skip1), w[1])
    skip3 = block(layers.MaxPooling2D()(skip2), w[2])
    skip4 = block(layers.MaxPooling2D()(skip3), w[3])
    skip5 = block(block(layers.MaxPooling2D()(skip4), w[4]), w[4])
    x = block(block(layers.MaxPooling2D()(skip5), w[5]), w[5])
    x = block(x, w[5])
    x = layers.concatenate([layers.UpSampling2D()(x), skip5])
    x = block(block(x, w[4]), w[4])
    x = block(layers.concatenate([layers.UpSampling2D()(x), skip4]), w[3])
    x = block(layers.concatenate([layers.UpSampling2D()(x), skip3]), w[2])
    x = block(layers.concatenate([layers.UpSampling2D()(x), skip2]), w[1])
    x = layers.concatenate([layers.UpSampling2D()(x), skip1])
    x = layers.Conv2D(2 * w[0], 3, padding="same", kernel_initializer="he_normal")(x)
    outputs = layers.Conv2D(classes, 1, activation="softmax", kernel_initializer="he_normal", dtype="float32")(x)
    return keras.Model(inputs, outputs)


def compiled(model: Any) -> Any:
    """The model, compiled for training."""
    import keras

    optimizer = keras.optimizers.Adam(1e-3, amsgrad=True)
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model

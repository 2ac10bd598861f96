"""What a network is built of: the layers that a study can vary, with their names and seeds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras

from activation_study.model.activation_factory import ActivationFactory
from activation_study.model.layer_factories import (
    BATCH,
    HE_NORMAL,
    NEAREST,
    InitializerFactory,
    NormalizationFactory,
    UpsamplingFactory,
    initializer_factory,
    normalization_factory,
    upsampling_factory,
)
from activation_study.seeding import integer_seed


@dataclass(frozen=True)
class NetworkParts:
    """The parts of a network; their defaults are the article's.

    The seed of each layer is derived from `seed` and the layer's name. So layers of the same name and shape start
    equal in all networks that differ elsewhere, e.g. under every activation. A layer that takes no seed draws its
    initial weights from generators that are started from this seed, too.

    Args:
        image_size: (height, width) of the input in pixels.
        classes: number of classes C.
        make_activation: the factory of the activations.
        seed: of all initial weights.
        channels: of the input.
        make_normalization: the factory of the normalisations.
        make_upsampling: the factory of the layers that double both sides.
        make_initializer: the factory of the initializers of convolutions.
    """

    image_size: tuple[int, int]
    classes: int
    make_activation: ActivationFactory
    seed: int = 0
    channels: int = 3
    make_normalization: NormalizationFactory = field(default_factory=lambda: normalization_factory(BATCH))
    make_upsampling: UpsamplingFactory = field(default_factory=lambda: upsampling_factory(NEAREST))
    make_initializer: InitializerFactory = field(default_factory=lambda: initializer_factory(HE_NORMAL))

    def input(self) -> Any:
        """The network's input, float32 [N, height, width, channels] in [0, 1]."""
        return keras.Input((*self.image_size, self.channels), name="image")

    def convolve(self, x: Any, name: str, width: int, kernel_size: int = 3, strides: int = 1, **options: Any) -> Any:
        """A convolution with bias, by default 3×3; it keeps height and width unless it has strides.

        A 1×1 convolution with strides is computed on the pixels that it takes: its gradient by TensorFlow's oneDNN
        corrupts memory (docs/LOG.md).

        Args:
            x: its input.
            name: of its layer.
            width: number of its output's channels.
            kernel_size: side of its window in pixels.
            strides: of both sides.
            **options: of `keras.layers.Conv2D`, e.g. `dilation_rate`.
        """
        if kernel_size == 1 and strides > 1:
            x, strides = keras.layers.MaxPooling2D(1, strides, name=f"{name}_pixels")(x), 1
        with self._seeded(name) as seed:
            initializer = self.make_initializer(seed)
            layer = keras.layers.Conv2D(
                width, kernel_size, strides, padding="same", kernel_initializer=initializer, name=name, **options
            )
            return layer(x)

    def normalize(self, x: Any, name: str) -> Any:
        """A normalisation.

        Raises:
            ValueError: it cannot take so many channels, as 32 groups cannot take 8.
        """
        with self._seeded(name) as seed:
            layer = self.make_normalization(name, seed)
            try:
                return layer(x)
            except ValueError as error:
                raise ValueError(f"normalization: {type(layer).__name__} at {x.shape[-1]} channels: {error}") from error

    def activate(self, x: Any, name: str) -> Any:
        """An activation; its name begins with `encoder` or `decoder`, which `activation.scope` tells apart."""
        with self._seeded(name) as seed:
            return self.make_activation(name, seed)(x)

    def block(self, x: Any, name: str, width: int, kernel_size: int = 3, **options: Any) -> Any:
        """Convolution → normalisation → activation, as of `convolve`."""
        x = self.convolve(x, f"{name}_conv", width, kernel_size, **options)
        return self.activate(self.normalize(x, f"{name}_norm"), f"{name}_activation")

    def blocks(self, x: Any, name: str, width: int, count: int, strides: int = 1) -> Any:
        """Blocks of the names `<name>_block1`, `<name>_block2`, …; only the first has the strides."""
        for number in range(1, count + 1):
            x = self.block(x, f"{name}_block{number}", width, strides=strides if number == 1 else 1)
        return x

    def join(self, x: Any, skip: Any, name: str) -> Any:
        """[up-sampled x, skip], concatenated."""
        return keras.layers.Concatenate(name=f"{name}_join")([self.upsample(x, f"{name}_up"), skip])

    def upsample(self, x: Any, name: str) -> Any:
        """Doubles height and width; keeps the number of channels."""
        with self._seeded(name) as seed:
            return self.make_upsampling(name, seed, x.shape[-1], self.make_initializer(seed))(x)

    def model(self, image: Any, x: Any, name: str) -> keras.Model:
        """The network whose last features are x, at the input's size: 1×1 convolution → softmax.

        Returns:
            float32 [N, height, width, channels] in [0, 1] → float32 [N, height, width, C] probabilities. Its layer
            `logits` is the input of the loss.
        """
        logits = self.convolve(x, "logits", self.classes, kernel_size=1)
        return keras.Model(image, keras.layers.Softmax(dtype="float32", name="probabilities")(logits), name=name)

    @contextmanager
    def _seeded(self, name: str) -> Iterator[int]:
        """The layer's seed, from which the global generators of Python, NumPy, Keras and the backend start as well.

        What follows the layer does not depend on how much it drew from them.
        """
        seed = integer_seed(self.seed, "weights", name)
        keras.utils.set_random_seed(seed)
        yield seed
        keras.utils.set_random_seed(integer_seed(self.seed, "weights after", name))


def check_image_size(image_size: tuple[int, int], levels: int) -> None:
    """Raises ValueError if a side cannot be halved between the levels of a network."""
    multiple = 2 ** (levels - 1)
    if any(side % multiple for side in image_size):
        raise ValueError(f"image_size {image_size} must be multiples of {multiple}, one halving per level")

"""Random augmentation of training images together with their labels: steps, each a pure function of its generator."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.config.components import make_component
from activation_study.data.batching import Batch
from activation_study.data.images.resize import resize_bilinear
from activation_study.data.labels.label_types import Labels
from activation_study.data.labels.nearest import resize_nearest
from activation_study.errors import BadInput

Images = NDArray[np.uint8]


class Step:
    """One step of an augmentation; subclasses define `change`, or `change_batch` if they draw for a whole batch."""

    def change_batch(self, images: Images, labels: Labels, generator: np.random.Generator) -> None:
        """Changes each image of a batch together with its label, in place.

        Args:
            images: uint8 [N, height, width, channels].
            labels: int8 or int16 [N, height, width], −1 = unknown.
            generator: the only source of randomness; used for this batch alone, so that a resumed training gets the
                same images.
        """
        for image, label in zip(images, labels, strict=True):
            _reject_result(self, self.change(image, label, generator))  # type: ignore[func-returns-value]

    def change(self, image: Images, label: Labels, generator: np.random.Generator) -> None:
        """Changes one image [height, width, channels] together with its label [height, width], in place."""
        raise NotImplementedError


class Flip(Step):
    """Mirrors an image left to right.

    Args:
        probability: of each image to be mirrored.
    """

    def __init__(self, probability: float = 0.5) -> None:
        _check("probability", probability, 0, 1)
        self.probability = probability

    def change_batch(self, images: Images, labels: Labels, generator: np.random.Generator) -> None:
        """Mirrors some of the images."""
        mirrored = generator.random(len(images)) < self.probability
        images[mirrored], labels[mirrored] = images[mirrored, :, ::-1], labels[mirrored, :, ::-1]


class Crop(Step):
    """Crops a window and resizes it to the image's size, bilinearly; labels by nearest neighbour.

    The window's sides are s times those of the image, s uniform in [smallest, 1]; its position is uniform.

    Args:
        smallest: above 0, at most 1.
    """

    def __init__(self, smallest: float = 0.75) -> None:
        _check("smallest", smallest, 0.01, 1)
        self.smallest = smallest

    def change(self, image: Images, label: Labels, generator: np.random.Generator) -> None:
        """Crops the image."""
        height, width = label.shape
        scale = generator.uniform(self.smallest, 1)
        rows, columns = max(round(scale * height), 1), max(round(scale * width), 1)
        top, left = generator.integers(0, (height - rows + 1, width - columns + 1))
        window = np.s_[top : top + rows, left : left + columns]
        image[:] = resize_bilinear(image[window], (height, width))
        label[:] = resize_nearest(label[window], (height, width))


class ContrastAndBrightness(Step):
    """Each value v of 0 … 255 becomes g · (v − 127.5) + 127.5 + 255 · h, rounded and clipped; labels stay.

    It is the same for all channels, transparency included.

    Args:
        contrast: g is uniform in [1 − contrast, 1 + contrast].
        brightness: h is uniform in [−brightness, brightness].
    """

    def __init__(self, contrast: float = 0.2, brightness: float = 0.1) -> None:
        _check("contrast", contrast, 0, 1)
        _check("brightness", brightness, 0, 1)
        self.contrast, self.brightness = contrast, brightness

    def change(self, image: Images, label: Labels, generator: np.random.Generator) -> None:
        """Changes the image's values."""
        import cv2

        contrast = generator.uniform(1 - self.contrast, 1 + self.contrast)
        brightness = generator.uniform(-self.brightness, self.brightness)
        values = np.arange(256)
        table = np.clip(np.rint(contrast * (values - 127.5) + 127.5 + 255 * brightness), 0, 255).astype(np.uint8)
        image[:] = cv2.LUT(image, table).reshape(image.shape)  # OpenCV drops a single channel


class ImageByImage(Step):
    """Takes all of its steps with one image before it goes on to the next, which decides what each of them draws.

    Args:
        steps: which change single images.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps

    def change(self, image: Images, label: Labels, generator: np.random.Generator) -> None:
        """Takes all steps with the image."""
        for step in self.steps:
            _reject_result(step, step.change(image, label, generator))  # type: ignore[func-returns-value]


MODULES = {__name__: globals()}


def make_steps(steps: Sequence[Mapping[str, Any]], key: str = "augmentation.steps") -> list[Step]:
    """The steps that the configuration describes.

    Args:
        steps: `_target_` and arguments of each.
        key: for messages.

    Raises:
        BadInput: a class is not allowed, or rejects its arguments; the message has both.
    """
    made = []
    for number, options in enumerate(steps, 1):
        if not isinstance(options, Mapping):
            raise BadInput(f"{key}: {options}: expected a step's class and arguments, {{_target_: …}}")
        if isinstance(options.get("steps"), list):
            steps_inside = make_steps(options["steps"], f"{key}, number {number}: steps")
            for step in steps_inside:
                if type(step).change is Step.change:
                    raise BadInput(f"{key}, number {number}: {type(step).__name__} changes whole batches, not images")
            options = {**options, "steps": steps_inside}
        made.append(make_component(f"{key}, number {number}", options, Step, MODULES))
    return made


def augment(batch: Batch, steps: Sequence[Step], generator: np.random.Generator) -> Batch:
    """The batch after all steps; itself without steps.

    Args:
        batch: images uint8 [N, height, width, channels], labels [N, height, width]; not modified.
        steps: taken in their order, each with the whole batch.
        generator: used for this batch only.
    """
    if not steps:
        return batch
    images, labels = batch[0].copy(), batch[1].copy()
    for step in steps:
        _reject_result(step, step.change_batch(images, labels, generator))  # type: ignore[func-returns-value]
    return images, labels


def _reject_result(step: Step, result: object) -> None:
    """Raises BadInput if a step returns what it was to change in place."""
    if result is not None:
        raise BadInput(f"augmentation: {type(step).__name__} returns a result: expected changes in place, image[:] = …")


def _check(name: str, value: float, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name}={value}: expected a number from {low} to {high}")

"""Sources of colour images in grey, and preprocessing of any number of channels."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from activation_study.config.identity import INTRODUCED_STEPS
from activation_study.data.augmentation import augment, make_steps
from activation_study.data.images.image_reader import ImageReader
from activation_study.data.images.resize import resize_bilinear, resize_by_area
from activation_study.data.labels.label_types import LABEL_TYPES
from activation_study.data.preprocessing import preprocess
from activation_study.data.scenes.generator import draw_scenes
from activation_study.data.source import in_channels
from activation_study.seeding import stream


def test_grey_images_of_a_source_are_preprocessed_beside_the_colours(tmp_path: Path) -> None:
    colors = draw_scenes(3, 0)
    grey = in_channels(colors, 1)
    assert in_channels(colors, 3) is colors
    assert (grey.name, grey.names, grey.digest) == (colors.name, colors.names, colors.digest)
    np.testing.assert_array_equal(grey.label(1, "regions"), colors.label(1, "regions"))
    luminance = colors.image(1) @ np.array([0.114, 0.587, 0.299])
    assert np.abs(grey.image(1)[..., 0] - luminance).max() < 1
    arguments = (LABEL_TYPES["surfaces"], (24, 32), "bgr", "nearest", tmp_path)
    for source, channels in ((colors, 3), (grey, 1)):
        images = preprocess(source, *arguments, ImageReader(channels)).images
        assert images.shape == (3, 24, 32, channels)
        expected = cv2.resize(source.image(1), (32, 24), interpolation=cv2.INTER_LINEAR).reshape(24, 32, channels)
        np.testing.assert_array_equal(images[1], expected)
    ranged = preprocess(grey, *arguments, ImageReader(1, (0.0, 4095.0)))  # another reader, another file
    assert {path.name for path in tmp_path.rglob("images*")} == {
        "images-24x32-bgr.npy", "images-24x32-1ch.npy", "images-24x32-1ch-0.0to4095.0.npy",
    }  # fmt: skip
    assert ranged.images.shape == (3, 24, 32, 1)


@pytest.mark.parametrize("channels", [1, 2, 4, 6, 8])
def test_each_channel_is_resized_and_augmented_as_if_alone(channels: int) -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (4, 32, 48, channels), dtype=np.uint8)
    labels = generator.integers(0, 3, (4, 32, 48)).astype(np.int8)
    for resize in (resize_bilinear, resize_by_area):
        alone = [resize(np.ascontiguousarray(images[0][..., [index]]), (16, 16)) for index in range(channels)]
        np.testing.assert_array_equal(resize(images[0], (16, 16)), np.concatenate(alone, axis=-1))
    for name in ("flip", "flip_crop_color"):
        together, moved = augment((images, labels), make_steps(INTRODUCED_STEPS[name]), stream(0, "augmentation", 1))
        assert together.shape == images.shape
        for index in range(channels):
            one, same = augment(
                (images[..., [index]], labels), make_steps(INTRODUCED_STEPS[name]), stream(0, "augmentation", 1)
            )
            np.testing.assert_array_equal(one[..., 0], together[..., index])
            np.testing.assert_array_equal(same, moved)

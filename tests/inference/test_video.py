"""Videos: frames are counted by reading, one of N is taken, overlays become a video."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from activation_study.arithmetic import arithmetic_variables
from activation_study.data.images.image_reader import COLOR_IMAGES, ImageReader
from activation_study.errors import BadInput
from activation_study.inference.inputs import Frames, Images, find_inputs
from activation_study.inference.video import Video, VideoWriter


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Ten frames, each brighter than the one before, of 66×48 pixels, 20 per second."""
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (66, 48))
    for number in range(10):
        writer.write(np.full((48, 66, 3), 20 * number, np.uint8))
    writer.release()
    return path


def test_every_frame_is_an_image_with_its_number(film: Path) -> None:
    inputs = find_inputs(film, every=1)
    inputs.check([COLOR_IMAGES])
    named = list(inputs.named_images([COLOR_IMAGES]))
    assert [image.name for image in named] == [f"film/frame_{number:06}" for number in range(1, 11)]
    assert named[0].file_name == "film/frame_000001.png"
    assert [int(image.pixels.mean() / 20 + 0.5) for image in named] == list(range(10))
    assert named[0].pixels.shape == (48, 66, 3)


def test_training_may_follow_the_prediction_of_a_video_in_the_same_process(film: Path) -> None:
    variables = arithmetic_variables()
    assert len(list(Video(film).frames())) == 10
    assert arithmetic_variables() == variables


def test_a_grey_network_gets_grey_frames_and_one_of_more_channels_none(film: Path) -> None:
    first = next(iter(find_inputs(film, every=1).named_images([ImageReader(channels=1), COLOR_IMAGES])))
    assert [image.shape for image in first.as_read] == [(48, 66, 1), (48, 66, 3)]
    with pytest.raises(BadInput, match=r"a video has 3 channels of 8 bits; the run was trained with data\.channels=4"):
        find_inputs(film, every=1).check([ImageReader(channels=4)])


def test_one_of_three_frames_is_taken_and_keeps_its_number(film: Path) -> None:
    inputs = find_inputs(film, every=3)
    assert isinstance(inputs, Frames)
    assert inputs.video.frame_rate == pytest.approx(20 / 3)
    assert inputs.video.expected_frames == 4
    assert [image.name[-2:] for image in inputs.named_images([COLOR_IMAGES])] == ["01", "04", "07", "10"]
    names = ["film/frame_000004", "film/frame_000005", "film/frame_4", "other/frame_000004", "film/frame_000000", "x"]
    assert [inputs.has(name) for name in names] == [True, False, False, False, False, False]


def test_a_video_that_ends_early_is_predicted_as_far_as_it_goes_with_a_warning(
    film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(0)
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 20, (66, 48))
    for _ in range(40):
        writer.write(generator.integers(0, 256, (48, 66, 3), dtype=np.uint8))
    writer.release()
    content = film.read_bytes()
    film.write_bytes(content[: len(content) * 6 // 10])
    numbers = [number for number, _ in Video(film).frames()]
    assert 10 < len(numbers) < 35
    assert f"film.avi: {len(numbers)} frames could be read, and its header says 40" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"no video", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"])
def test_a_file_that_opencv_cannot_open_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"film\.mp4: (OpenCV cannot open this video|no frame can be read)"):
        find_inputs(path, every=1).check([COLOR_IMAGES])


def test_a_video_without_frames_is_named(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (66, 48)).release()
    with pytest.raises(BadInput, match=r"film\.avi: (OpenCV cannot open this video|no frame can be read)"):
        find_inputs(path, every=1).check([COLOR_IMAGES])


def test_a_written_video_has_every_frame_and_its_rate(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "new" / "overlay", 12.5) as writer:
        for number in range(5):
            writer.write(np.full((47, 65, 3), 40 * number, np.uint8))
        assert not writer.path.exists()
    frames = [image for _, image in Video(writer.path).frames()]
    assert [round(frame.mean() / 40) for frame in frames] == list(range(5))
    assert frames[0].shape == (48, 66, 3)  # no row or column is cut off
    assert Video(writer.path).frame_rate == pytest.approx(12.5)
    assert [path.name for path in writer.path.parent.iterdir()] == [writer.path.name]


def test_an_interrupted_video_leaves_no_file(tmp_path: Path) -> None:
    def interrupt() -> None:
        with VideoWriter(tmp_path / "overlay", 25) as writer:
            writer.write(np.zeros((48, 64, 3), np.uint8))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert list(tmp_path.iterdir()) == []


def test_only_a_video_has_every(tmp_path: Path, film: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(BadInput, match=r"every=2: only a video has frames to leave out, and images=.*a\.png is none"):
        find_inputs(tmp_path / "a.png", every=2)
    inputs = find_inputs(tmp_path, every=1)  # the film beside the image is not one of the images
    assert isinstance(inputs, Images)
    assert list(inputs.paths) == ["a"]


def test_a_folder_with_a_video_alone_says_how_to_predict_it(film: Path) -> None:
    with pytest.raises(BadInput, match=r"no images found; .*; a video is given by itself, as images=.*film\.avi"):
        find_inputs(film.parent, every=1)

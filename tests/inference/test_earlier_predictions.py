"""Predictions of other images are not mixed with new ones."""

from pathlib import Path

import pytest

from activation_study.errors import BadInput
from activation_study.inference.earlier_predictions import check_earlier_predictions, keep_digests
from activation_study.inference.inputs import Frames, Images
from activation_study.inference.video import Video


@pytest.fixture
def output(tmp_path: Path) -> Path:
    labels = tmp_path / "run" / "labels" / "street"
    labels.mkdir(parents=True)
    for name in ("a.png", "b.1.png"):
        (labels / name).touch()
    return tmp_path


def images(*names: str) -> Images:
    return Images({name: Path(name) for name in names})


def check(output: Path, inputs: Images, run: str = "run", digest: str = "0") -> None:
    check_earlier_predictions(output, output / run, inputs, dict.fromkeys(inputs.paths, digest))


def test_the_same_images_and_more_are_predicted_again(output: Path) -> None:
    check(output, images("street/a", "street/b.1", "street/c"))
    check(output, images("x"), "another run")


def test_files_of_file_managers_are_no_predictions(output: Path) -> None:
    for name in ("Thumbs.db", "street/desktop.ini", "street/.a.png", "@eaDir/x.png"):
        path = output / "run/labels" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    check(output, images("street/a", "street/b.1"))


def test_label_maps_of_other_images_are_named(output: Path) -> None:
    with pytest.raises(BadInput, match=r"has predictions of other images: .*/run/labels/street/b\.1\.png; choose"):
        check(output, images("street/a"))
    with pytest.raises(BadInput, match=r"a\.png and 1 more; choose another output=FOLDER, or delete it"):
        check(output, images("a"))


def test_another_image_with_the_same_name_is_named(output: Path) -> None:
    keep_digests(output / "run", {"street/a": "0", "street/b.1": "0"})
    check(output, images("street/a", "street/b.1"))
    with pytest.raises(BadInput, match=r"has predictions of other images: .*/run, of another street/a and 1 more;"):
        check(output, images("street/a", "street/b.1"), digest="1")


def test_a_video_after_its_own_frames_is_another_image(tmp_path: Path) -> None:
    keep_digests(tmp_path / "run", {"film/frame_000001": "0", "film/frame_000002": "0"})
    frames = Frames(Video(Path("film.mp4")))
    with pytest.raises(BadInput, match=r"/run, of another film/frame_000001 and 1 more; choose"):
        check_earlier_predictions(tmp_path, tmp_path / "run", frames, {"film/frame_000001": "1"})


def test_files_about_all_images_are_not_left_beside_other_images(tmp_path: Path) -> None:
    keep_digests(tmp_path / "run", {"film/frame_000001": "0"})
    (tmp_path / "run" / "overlay.mp4").touch()
    with pytest.raises(BadInput, match=r"has predictions of other images: .*/run, of film/frame_000001; choose"):
        check(tmp_path, images("a"))


def test_images_that_were_predicted_later_are_noted_beside_the_others(tmp_path: Path) -> None:
    for name in ("a", "b"):
        keep_digests(tmp_path / "run", {name: "0"})
    with pytest.raises(BadInput, match=r"/run, of a; choose"):
        check(tmp_path, images("b"))

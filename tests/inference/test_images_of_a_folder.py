"""Which images of a folder are predicted: the same as of a data set."""

from pathlib import Path

import numpy as np
import pytest

from activation_study.data.images.image_reader import ImageReader
from activation_study.errors import BadInput
from activation_study.inference.inputs import Images, find_inputs


def names(folder: Path) -> list[str]:
    found = find_inputs(folder, 1)
    assert isinstance(found, Images)
    return list(found.paths)


def test_hidden_files_are_passed_over_and_links_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "images", tmp_path / "elsewhere"
    for path in ("1.jpg", ".2.jpg", ".ipynb_checkpoints/1-checkpoint.jpg", "__MACOSX/1.jpg", "@eaDir/1.jpg", "a/3.png"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"x")
    elsewhere.mkdir()
    (elsewhere / "4.JPG").write_bytes(b"x")
    (folder / "b").symlink_to(elsewhere)
    (folder / "5.jpg").symlink_to(folder / "1.jpg")
    assert names(folder) == ["1", "5", "a/3", "b/4"]
    (folder / "6.jpg").symlink_to("/none.jpg")
    with pytest.raises(BadInput, match=r"6\.jpg: a link to /none\.jpg, which is not there"):
        names(folder)


def test_pictures_of_formats_that_are_not_read_and_videos_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.HEIC", "b.gif", "c.jfif", "more/d.jp2", "film.mp4", "notes.txt", ".hidden.heic"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    unread = "4 pictures of formats that are not read left out: a.HEIC, b.gif, c.jfif, …; convert them to PNG or JPEG"
    video = f"1 video left out: film.mp4; a video is given by itself, as images={tmp_path}/film.mp4"
    with pytest.raises(BadInput) as error:
        names(tmp_path)
    assert str(error.value).endswith(f"; {unread}; {video}")
    (tmp_path / "1.jpg").write_bytes(b"x")
    assert names(tmp_path) == ["1"]
    assert capsys.readouterr().err == f"warning: images={tmp_path}: {unread}\nwarning: images={tmp_path}: {video}\n"


def test_the_range_of_the_training_is_compared_with_the_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "a.npy", np.full((4, 4), 3000, np.uint16))
    inputs = find_inputs(tmp_path, 1)
    inputs.check([ImageReader(1, (0, 4095))])
    assert capsys.readouterr().err.count("warning") == 0
    inputs.check([ImageReader(1, (0, 65535))])
    assert (
        "a.npy: values from 3000 to 3000 in data.value_range=[0,65535], so nearly black: this is the range of the "
        "training\n"
    ) in capsys.readouterr().err
    with pytest.raises(BadInput, match=r"a\.npy: no value is in data\.value_range=\[0,255\] of the training"):
        inputs.check([ImageReader(1, (0, 255))])

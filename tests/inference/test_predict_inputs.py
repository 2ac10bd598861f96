"""Images and videos through `predict_images`, with a network that is a function: files, names, errors before work."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from activation_study.config.command_options import Predict
from activation_study.data.images.image_reader import COLOR_IMAGES
from activation_study.errors import BadInput
from activation_study.inference import predict as module
from activation_study.inference.predict import Prediction, predict_images
from activation_study.inference.sliding_window import InferenceOptions
from activation_study.inference.video import Video

CLASSES = ("dark", "bright")


def by_brightness(images: np.ndarray) -> np.ndarray:
    bright = (images[..., 0] / 255).astype(np.float32)
    return np.stack([1 - bright, bright], axis=-1)


@pytest.fixture
def predict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Prediction]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos/some").mkdir(parents=True)
    for name, value in (("a.png", 250), ("some/b.jpg", 10)):
        cv2.imwrite(str(tmp_path / "photos" / name), np.full((20, 30, 3), value, np.uint8))
    writer = cv2.VideoWriter("film.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for number in range(7):
        writer.write(np.full((48, 64, 3), 250 * (number % 2), np.uint8))
    writer.release()
    entries = [{"name": "dark", "ids": [7], "color": "#0000FF"}, {"name": "bright", "ids": [12], "color": "#1010FF"}]

    def find_run(name: str, uri: Any) -> SimpleNamespace:
        config = {"activation": {"name": "relu"}, "seed": 0, "data": {"classes": {"classes": entries}}}
        record = SimpleNamespace(name=name, status="FINISHED", classes=CLASSES, config=config)
        record.configuration = lambda: SimpleNamespace(data=None)
        return SimpleNamespace(record=record)

    def load(run: Any, options: Predict, stack: Any) -> Any:
        return by_brightness, InferenceOptions((8, 8), "bgr", "bilinear", sliding_window=options.sliding_window)

    monkeypatch.setattr(module, "find_run", find_run)
    monkeypatch.setattr(module, "image_reader", lambda data: COLOR_IMAGES)
    monkeypatch.setattr(module, "_load", load)
    return lambda **options: predict_images(Predict(**{"run": "one", **options}))


def test_all_formats_of_a_folder_agree(predict: Callable[..., Prediction]) -> None:
    from pycocotools.coco import COCO

    prediction = predict(images="photos", format=["png", "color", "npy", "coco"])
    assert prediction.images == ("a", "some/b")
    run = Path("outputs/photos/one")
    assert prediction.files == {
        "one": {
            "png": run / "labels",
            "color": run / "colors",
            "npy": run / "probabilities",
            "coco": run / "coco.json",
            "overlay": run / "overlays",
        }
    }
    coco = COCO(run / "coco.json")
    assert [image["file_name"] for image in coco.loadImgs(coco.getImgIds())] == ["a.png", "some/b.jpg"]
    for number, (name, value, color) in enumerate((("a", 12, (0x10, 0x10, 0xFF)), ("some/b", 7, (0, 0, 0xFF))), 1):
        assert np.unique(np.array(Image.open(run / f"labels/{name}.png"))).tolist() == [value]
        assert np.unique(np.array(Image.open(run / f"colors/{name}.png")).reshape(-1, 3), axis=0).tolist() == [
            list(color)
        ]
        assert np.load(run / f"probabilities/{name}.npy").shape == (20, 30, 2)
        (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=[number]))
        assert (annotation["category_id"], annotation["area"], annotation["bbox"]) == (value, 600, [0, 0, 30, 20])


@pytest.mark.parametrize("sliding_window", [False, True])
def test_a_video_gives_numbered_label_maps_and_an_overlay_video(
    predict: Callable[..., Prediction], sliding_window: bool
) -> None:
    prediction = predict(images="film.avi", every=3, sliding_window=sliding_window)
    run = Path("outputs/film/one")
    assert prediction.images == ("film/frame_000001", "film/frame_000004", "film/frame_000007")
    maps = sorted((run / "labels/film").iterdir())
    assert [path.name for path in maps] == ["frame_000001.png", "frame_000004.png", "frame_000007.png"]
    assert [np.unique(np.array(Image.open(path))).tolist() for path in maps] == [[7], [12], [7]]
    overlay = prediction.files["one"]["overlay"]
    assert overlay.parent == run
    assert len(list(Video(overlay).frames())) == 3
    assert not (run / "overlays").exists()
    predict(images="film.avi", every=3)  # again: the same files
    with pytest.raises(BadInput, match=r"has predictions of other images: .*frame_000004\.png; choose another"):
        predict(images="film.avi", every=6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": "photos", "format": "jpg"}, "format=jpg: expected png, color, npy, coco"),
        ({"images": "photos", "every": 2}, "every=2: only a video"),
        ({"images": "film.avi", "runs": ["two"]}, "a video is predicted with one run at a time"),
        ({"images": "none.mp4"}, "images=none.mp4: no such file or folder"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(
    options: dict[str, Any], message: str, predict: Callable[..., Prediction]
) -> None:
    with pytest.raises(BadInput, match=message):
        predict(**options)
    assert not Path("outputs").exists()


def test_several_runs_are_drawn_side_by_side(predict: Callable[..., Prediction]) -> None:
    prediction = predict(images="photos", runs=["two"], format="coco")
    assert prediction.side_by_side == Path("outputs/photos/side_by_side")
    assert cv2.imread("outputs/photos/side_by_side/some/b.png").shape[1] > 900
    assert sorted(path.name for path in Path("outputs/photos/two").iterdir()) == [
        ".images.json",
        "class_fractions.csv",
        "classes.yaml",
        "coco.json",
        "overlays",
    ]

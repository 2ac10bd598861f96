"""Images of 6 channels and 12 bits, through training, prediction, ONNX and the logged model."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from activation_study import compose, run
from activation_study.config.command_options import Export, Predict, TrackingOptions
from activation_study.data.scenes.generator import draw_scenes
from activation_study.evaluation.evaluate import resize_and_argmax
from activation_study.tracking.run_page.log_model import current_store

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning"),
]
SIZE = (32, 32)


def stored(index: int) -> np.ndarray:
    """A scene in 6 channels of 12 bits: its colours and their negative."""
    image = draw_scenes(10, 0).image(index)
    return np.dstack([image, 255 - image]).astype(np.uint16) * 16


def test_six_channels_of_twelve_bits_from_files_to_other_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow
    import onnx
    import onnxruntime

    from activation_study.inference.export_onnx import export_onnx
    from activation_study.inference.predict import predict_images

    monkeypatch.chdir(tmp_path)
    for folder in ("images", "labels"):
        Path(folder).mkdir()
    Path("classes.yaml").write_text("classes: [{name: a, id: 0}, {name: b, id: 1}, {name: c, id: 2}]\nunknown: [255]\n")
    for index in range(10):
        tifffile.imwrite(f"images/{index}.tif", stored(index))
        label = draw_scenes(10, 0).label(index, "surfaces").astype(np.uint8)  # −1 → 255
        Image.fromarray(label).save(f"labels/{index}.png")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    config = compose(
        "data=folder", "data.images=images", "data.labels=labels", "data.classes=classes.yaml", "data.channels=6",
        "data.value_range=[0,4095]", "model=unet_small", "model.widths=[4,8]", "model.encoder_blocks=[1,1]",
        "model.decoder_blocks=[1]", "data.image_size=32", "training.epochs=1", "training.batch_size=4", "study=six",
        f"tracking.uri={uri}",
    )  # fmt: skip
    record = run(config)
    assert record.status == "FINISHED"
    assert record.config["data"]["value_range"] == [0, 4095]

    tracking = TrackingOptions(uri=uri)
    predict_images(Predict(run=str(config.run_folder), images="images", output="out", tracking=tracking))
    predicted = np.asarray(Image.open(f"out/{record.name}/labels/3.png"))
    assert Path(f"out/{record.name}/overlays").is_dir()
    exported = export_onnx(Export(run=str(config.run_folder), output="six.onnx", tracking=tracking))
    metadata = {entry.key: entry.value for entry in onnx.load(exported.file).metadata_props}
    assert metadata["input"].startswith("uint8 of 6 channels as in the files, resized")
    assert "rint(255 (v - 0) / (4095 - 0)), clipped" in metadata["input"]

    mapped = np.rint(stored(3).astype(np.float32) * np.float32(255 / 4095)).astype(np.uint8)  # as the metadata say
    resized = cv2.resize(mapped, SIZE, interpolation=cv2.INTER_LINEAR)
    session = onnxruntime.InferenceSession(exported.file, providers=["CPUExecutionProvider"])
    (probabilities,) = session.run(["probabilities"], {"images": resized[None]})
    expected = resize_and_argmax(probabilities[0], predicted.shape, record.config["evaluation"]["interpolation"])
    assert (predicted == expected).mean() > 0.999

    (mlflow_run,) = mlflow.MlflowClient(uri).search_runs(
        [mlflow.MlflowClient(uri).get_experiment_by_name("six").experiment_id], "params.activation = 'relu'"
    )
    with current_store(uri):
        model = mlflow.pyfunc.load_model(f"runs:/{mlflow_run.info.run_id}/model")
    (signature,) = model.metadata.signature.inputs.to_dict()
    assert signature["tensor-spec"]["shape"] == (-1, *SIZE, 6)
    scaled = resized[None].astype(np.float32) / 255
    np.testing.assert_allclose(model.predict(scaled), probabilities, atol=1e-4)
    with pytest.raises(mlflow.exceptions.MlflowException, match="6 channels in the order of the files") as error:
        model.predict(scaled * 255)
    assert "from 0 to 4095 in the files" in str(error.value)
    assert json.loads(Path(config.run_folder / "run.json").read_text())["config"]["data"]["channels"] == 6

"""A tracked run's network as one ONNX file, which needs neither this project nor TensorFlow."""

import json
import logging
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.config.commands import Export
from activation_study.data.scenes.generator import draw_scenes
from activation_study.errors import BadInput
from activation_study.files import replacing
from activation_study.inference.load import inference_config, load_network
from activation_study.palette import recorded_colors
from activation_study.records.record import Record
from activation_study.tracking.lookup import find_finished_run, weights_file

if TYPE_CHECKING:
    from activation_study.model.network import Network

PACKAGES = ("onnx", "onnxruntime", "tf2onnx")
OPSET = 18  # of ONNX' operators; onnxruntime has them since 1.14, 2023
CHECKED = 32  # drawn scenes
MIN_AGREEMENT = 0.999  # of their pixels: have to get the class that Keras gives them


def export_onnx(options: Export) -> Path:
    """Writes the network and checks it; returns the file.

    What the file takes: `pictures`, RGB uint8 [N, height, width, 3], resized to the network's height and width. What
    it gives: `probabilities` float32 [N, height, width, C]. Its metadata name classes, colours, run and weights.

    Raises:
        BadInput: no such run; it cannot be exported (the reason); it sees something else in ONNX.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise BadInput(f"{', '.join(missing)} not installed: pip install -e '.[onnx]' -c constraints.txt")
    run = find_finished_run(options.run or "", options.tracking.uri)
    record = run.record
    output = Path(options.output or Path("outputs") / f"{record.name}.onnx")
    if output.suffix != ".onnx" or output.is_dir():
        raise BadInput(f"output={output}: expected a file that ends in .onnx")
    config = inference_config(record, None)
    config.training.precision = "float32"  # what the weights are kept in
    with tempfile.TemporaryDirectory() as place:
        weights = weights_file(run, options.tracking.uri, Path(place))
        network = load_network(config, len(record.classes), weights)
    with replacing(output) as temporary:
        _convert(network, config.data.channel_order, temporary, record)
        same = _agreement(network, config.data.channel_order, temporary)
        told = f"{same.sum():,} of {same.size:,} pixels of {CHECKED} drawn scenes get the class that Keras gives them"
        if same.mean() < MIN_AGREEMENT:
            raise BadInput(f"{record.name}: in onnxruntime only {told}")
    print(f"  in onnxruntime {told}")
    return output


def _convert(network: "Network", color: str, path: Path, record: Record) -> None:
    import keras
    from keras import ops

    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # what it does not know is said below
    pictures = keras.Input(network.unet.input_shape[1:], dtype="uint8", name="pictures")
    ordered = ops.flip(pictures, axis=-1) if color == "bgr" else pictures
    whole = keras.Model(pictures, network.unet(ops.cast(ordered, "float32") / 255.0))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the converter's own, about NumPy
            whole.export(
                path,
                format="onnx",
                verbose=False,
                opset_version=OPSET,
                input_signature=[keras.InputSpec(shape=whole.input_shape, dtype="uint8", name="pictures")],
            )
        _finish(path, record)
    except BadInput:
        raise
    except Exception as error:  # whatever converter and checker raise
        raise BadInput(f"{record.name} cannot be exported: {error}") from error


def _finish(path: Path, record: Record) -> None:
    """Gives the file names and metadata that tell what it is, and checks that it is ONNX."""
    import onnx

    model = onnx.load(path)
    _replace_erfc(model.graph)
    unknown = sorted({node.op_type for node in model.graph.node if not onnx.defs.has(node.op_type, node.domain)})
    if unknown:
        raise BadInput(f"{record.name} cannot be exported: ONNX has no operation {', '.join(unknown)}")
    (output,) = model.graph.output
    for node in model.graph.node:
        node.output[:] = ["probabilities" if name == output.name else name for name in node.output]
    output.name = "probabilities"
    for value in (*model.graph.input, output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    told = {
        "run": record.name,
        "key": record.key,
        "weights": record.digests["weights"],
        "data": record.config["data"]["name"],
        "classes": json.dumps(record.classes, ensure_ascii=False),
        "colors": json.dumps(recorded_colors(record.config, record.classes)),
        "input": "RGB uint8, resized to the network's height and width by bilinear interpolation",
    }
    onnx.helper.set_model_props(model, told)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _replace_erfc(graph: Any) -> None:
    """1 − erf(x) for erfc(x), which GELU is computed with and ONNX does not know."""
    from onnx import TensorProto, helper

    nodes = list(graph.node)
    if any(node.op_type == "Erfc" for node in nodes):
        graph.initializer.append(helper.make_tensor("one", TensorProto.FLOAT, [], [1.0]))
    del graph.node[:]
    for node in nodes:
        if node.op_type == "Erfc":
            erf = f"{node.output[0]}/erf"
            graph.node.append(helper.make_node("Erf", node.input, [erf]))
            graph.node.append(helper.make_node("Sub", ["one", erf], node.output))
        else:
            graph.node.append(node)


def _agreement(network: "Network", color: str, path: Path) -> NDArray[np.bool_]:
    """Whether a pixel gets the same class from Keras and from onnxruntime: drawn scenes [N, height, width]."""
    pictures = _scenes(network.unet.input_shape[1:3])
    expected = network.predict(pictures[..., ::-1] if color == "bgr" else pictures)
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(["probabilities"], {"pictures": pictures})
    same: NDArray[np.bool_] = found.argmax(axis=-1) == expected.argmax(axis=-1)
    return same


def _scenes(size: tuple[int, int]) -> NDArray[np.uint8]:
    """RGB."""
    import cv2

    scenes = draw_scenes(CHECKED, 0)
    resized: list[Any] = [
        cv2.resize(scenes.image(index), size[::-1], interpolation=cv2.INTER_LINEAR) for index in range(CHECKED)
    ]
    return np.stack(resized)[..., ::-1]

"""Exports the network of a finished run as one ONNX file, which needs neither this project nor TensorFlow."""

import json
import logging
import tempfile
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.config.command_options import Export
from activation_study.config.schema import Data
from activation_study.console import announced_wait
from activation_study.data.images.input_convention import file_order_to_input, to_channel_order, to_file_order, to_grey
from activation_study.data.images.resize import resize_bilinear
from activation_study.data.scenes.generator import draw_scenes
from activation_study.errors import BadInput
from activation_study.files import replacing
from activation_study.inference.load import inference_config, load_network
from activation_study.location import install_hint
from activation_study.palette import recorded_colors
from activation_study.records.record import Record
from activation_study.tracking.lookup import find_finished_run, find_weights

if TYPE_CHECKING:
    from activation_study.model.network import Network

PACKAGES = ("onnx", "onnxruntime", "tf2onnx")
CONVERTER_BACKEND = "tensorflow"  # whatever KERAS_BACKEND says
OPSET = 18  # version of the ONNX operators; supported since onnxruntime 1.14 (2023)
CHECKED = 32  # drawn scenes that the export is verified on
MIN_AGREEMENT = 0.999  # fraction of their pixels that must get the same class from Keras and onnxruntime


@dataclass(frozen=True)
class ExportedNetwork:
    """What was written.

    Args:
        file: the ONNX file.
        run: the run's name.
        classes: names of the classes, in the order of the output's channels.
        pixels: of the drawn scenes that it was verified on.
        same_class: how many of them get the same class as in Keras.
    """

    file: Path
    run: str
    classes: list[str]
    pixels: int
    same_class: int


def export_onnx(options: Export) -> ExportedNetwork:
    """Writes the ONNX file and verifies it against Keras.

    Input: `images`, uint8 [N, height, width, channels], resized to the network's height and width; 3 channels are RGB,
    others in the order of the files. Output: `probabilities`, float32 [N, height, width, C]. The metadata have classes,
    colours, run, weights and what the input is.

    Raises:
        BadInput: the run does not exist, its network cannot be exported, or onnxruntime predicts other classes.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise BadInput(f"{', '.join(missing)} not installed: {install_hint('onnx')}")
    run = find_finished_run(options.run or "", options.tracking.uri)
    record = run.record
    output = Path(options.output or Path("outputs") / f"{record.name}.onnx")
    if output.suffix != ".onnx" or output.is_dir():
        raise BadInput(f"output={output}: expected a file name that ends in .onnx")
    config = inference_config(record, None)
    config.training.precision = "float32"  # of the stored weights
    with tempfile.TemporaryDirectory() as folder:
        weights = find_weights(run, options.tracking.uri, Path(folder))
        network = load_network(config, record, weights, CONVERTER_BACKEND)
    with replacing(output) as temporary:
        with announced_wait("converting"):
            _convert(network, config.data.channel_order, temporary, record)
        with announced_wait("verifying in onnxruntime"):
            same = _agreement(network, config.data.channel_order, temporary)
        result = f"{same.sum():,} of {same.size:,} pixels of {CHECKED} drawn scenes get the same class as in Keras"
        if same.mean() < MIN_AGREEMENT:
            raise BadInput(f"{record.name} cannot be exported: in onnxruntime only {result}")
    print(f"  verified in onnxruntime: {result}")
    return ExportedNetwork(output, record.name, record.classes, same.size, int(same.sum()))


def _convert(network: "Network", channel_order: str, path: Path, record: Record) -> None:
    import keras

    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # unsupported operations are reported below
    images = keras.Input(network.unet.input_shape[1:], dtype="uint8", name="images")
    model = keras.Model(images, network.unet(file_order_to_input(images, channel_order)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the converter uses deprecated NumPy
            model.export(
                path,
                format="onnx",
                verbose=False,
                opset_version=OPSET,
                input_signature=[keras.InputSpec(shape=model.input_shape, dtype="uint8", name="images")],
            )
        _finalize(path, record)
    except BadInput:
        raise
    except Exception as error:  # converter and checker raise many types
        raise BadInput(f"{record.name} cannot be exported: {error}") from error


def _finalize(path: Path, record: Record) -> None:
    """Names inputs and outputs, adds the metadata and checks that the file is valid ONNX."""
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
    metadata = {
        "run": record.name,
        "key": record.key,
        "weights": record.digests["weights"],
        "data": record.config["data"]["name"],
        "classes": json.dumps(record.classes, ensure_ascii=False),
        "colors": json.dumps(recorded_colors(record.config, record.classes)),
        "input": _input_description(record.configuration().data),
    }
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _input_description(data: Data) -> str:
    """What the network takes, for the file's metadata."""
    channels = {1: "grey uint8", 3: "RGB uint8"}.get(
        data.channels, f"uint8 of {data.channels} channels as in the files"
    )
    text = f"{channels}, resized to the network's height and width by bilinear interpolation"
    if data.value_range is not None:
        low, high = data.value_range
        text += f"; before that, values v of the files become rint(255 (v - {low:g}) / ({high:g} - {low:g})), clipped"
    return text


def _replace_erfc(graph: Any) -> None:
    """Replaces erfc(x), which GELU uses and ONNX lacks, by 1 − erf(x)."""
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


def _agreement(network: "Network", channel_order: str, path: Path) -> NDArray[np.bool_]:
    """Whether a pixel gets the same class from Keras and onnxruntime: bool [N, height, width] of drawn scenes."""
    images = _scenes(*network.unet.input_shape[1:])
    expected = network.predict(to_channel_order(images, channel_order))
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (probabilities,) = session.run(["probabilities"], {"images": to_file_order(images)})
    same: NDArray[np.bool_] = probabilities.argmax(axis=-1) == expected.argmax(axis=-1)
    return same


def _scenes(height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Drawn scenes: uint8 [N, height, width, channels]: BGR, grey, or the channels of a scene and those after it."""
    scenes = draw_scenes(CHECKED, 0)
    colors = [resize_bilinear(scenes.image(index), (height, width)) for index in range(CHECKED)]
    if channels == 3:
        return np.stack(colors)
    if channels == 1:
        return np.stack([to_grey(image) for image in colors])
    return np.stack([np.dstack([*colors[index:], *colors])[..., :channels] for index in range(CHECKED)])

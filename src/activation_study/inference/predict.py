"""Predicts label maps of images without labels by finished runs. See `prediction_writer` for the files."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from activation_study.config.command_options import A_RUN, Predict
from activation_study.data.images.image_reader import image_reader
from activation_study.errors import BadInput, problems_message
from activation_study.evaluation.evaluate import Predictor
from activation_study.inference.earlier_predictions import check_earlier_predictions, keep_digests
from activation_study.inference.inputs import Frames, find_inputs
from activation_study.inference.load import inference_config, load_network
from activation_study.inference.prediction_writer import Look, PredictionWriter, checked_formats
from activation_study.inference.side_by_side import write_side_by_side
from activation_study.inference.sliding_window import InferenceOptions, predict_label_map
from activation_study.palette import recorded_colors, recorded_ids
from activation_study.records.run import Run
from activation_study.tracking.lookup import find_run, find_weights

SIDE_BY_SIDE = "side_by_side"  # folder of the output


@dataclass(frozen=True)
class Prediction:
    """What was written.

    Args:
        folder: the output folder.
        images: the names of the images, or of a video's frames.
        runs: the folder of each run's files, by the run's name.
        files: of each run, by its name: where the files of each format are, and the overlays.
        side_by_side: the folder that shows several runs side by side, if there are several.
    """

    folder: Path
    images: tuple[str, ...]
    runs: dict[str, Path]
    files: dict[str, dict[str, Path]]
    side_by_side: Path | None


def predict_images(options: Predict) -> Prediction:
    """Writes the predictions of each run for each image, or of one run for each frame of a video.

    Raises:
        BadInput: a run or the images do not exist, an image is unreadable, images and output overlap, or a format is
            unknown.
    """
    formats, source = checked_formats(options.format), Path(options.images)
    inputs = find_inputs(source, options.every)
    video = inputs.video if isinstance(inputs, Frames) else None
    resolved = source.resolve()
    output = Path(options.output or Path("outputs") / (resolved.stem if source.is_file() else resolved.name))
    _check_output(source, output)
    names = [options.run, *options.runs] if options.run else options.runs
    if video is not None and len(names) > 1:
        raise BadInput(f"images={source}: a video is predicted with one run at a time")
    runs = [find_run(name, options.tracking.uri) for name in names]
    _check_runs(runs)
    folders = {run.record.name: output / run.record.name for run in runs}
    digests = inputs.digests()
    for folder in folders.values():
        check_earlier_predictions(output, folder, inputs, digests)
    readers = [image_reader(run.record.configuration().data) for run in runs]
    inputs.check(readers)
    looks, predicted = [_look(run) for run in runs], []
    rate = None if video is None else video.frame_rate
    with ExitStack() as stack:
        predictors = [_load(run, options, stack) for run in runs]
        for folder in folders.values():
            keep_digests(folder, digests)
        writers = [
            stack.enter_context(PredictionWriter(folder, look, formats, rate))
            for folder, look in zip(folders.values(), looks, strict=True)
        ]
        for image in inputs.named_images(readers):
            label_maps = []
            for pixels, (predict, settings), writer in zip(image.as_read, predictors, writers, strict=True):
                with writer.probabilities(image) as keep:
                    label_maps.append(predict_label_map(predict, pixels, settings, keep))
                writer.write(image, label_maps[-1])
            if len(runs) > 1:
                write_side_by_side(output / SIDE_BY_SIDE / f"{image.name}.png", image, looks, label_maps)
            predicted.append(image.name)
    files = {name: writer.files for name, writer in zip(folders, writers, strict=True)}
    return Prediction(output, tuple(predicted), folders, files, output / SIDE_BY_SIDE if len(runs) > 1 else None)


def _check_output(source: Path, output: Path) -> None:
    """Raises BadInput if the output would be written among the images, or the images are in the output."""
    images = source.resolve() if source.is_dir() else source.resolve().parent
    target = output.resolve()
    if target.exists() and not target.is_dir():
        raise BadInput(f"output={output}: this is a file; expected a folder")
    inside_images = source.is_dir() and target.is_relative_to(images)
    if inside_images or images.is_relative_to(target):
        raise BadInput(f"output={output} and images={source} must not contain each other; choose another output=FOLDER")


def _check_runs(runs: Sequence[Run]) -> None:
    if not runs:
        raise BadInput(f"run=RUN is required, or runs=[A,B,C]; a run is {A_RUN}")
    names = [run.record.name for run in runs]
    problems = [f"{run.record.name}: {run.record.status}" for run in runs if run.record.status != "FINISHED"]
    if problems:
        raise BadInput(problems_message("These runs are not finished", problems, "Finish them first."))
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise BadInput(
            f"runs: {', '.join(repeated)}: given more than once, or in two studies; predict with one run at a time"
        )
    if len({tuple(run.record.classes) for run in runs}) > 1:
        details = (f"{run.record.name}: {', '.join(run.record.classes)}" for run in runs)
        hint = "Predict with one run at a time."
        raise BadInput(problems_message("The runs have different classes and cannot be compared", details, hint))


def _load(run: Run, options: Predict, stack: ExitStack) -> tuple[Predictor, InferenceOptions]:
    config = inference_config(run.record, options.threads)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    network = load_network(config, run.record, find_weights(run, options.tracking.uri, folder))
    settings = InferenceOptions(
        size=config.image_size,
        channel_order=config.data.channel_order,
        interpolation=config.evaluation.interpolation,
        sliding_window=options.sliding_window,
        flip_tta=options.flip_tta,
        batch_size=options.batch_size,
    )
    return network.predict, settings


def _look(run: Run) -> Look:
    record = run.record
    return Look(
        f"{record.config['activation']['name']}, seed {record.config['seed']}",
        tuple(record.classes),
        tuple(recorded_colors(record.config, record.classes)),
        tuple(recorded_ids(record.config, record.classes)),
    )

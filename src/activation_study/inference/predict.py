"""Predicts label maps of images without labels by finished runs. See `prediction_writer` for the files."""

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from activation_study.config.command_options import A_RUN, Predict
from activation_study.console import track_progress
from activation_study.data.image_io import SUFFIXES, check_image, read_image
from activation_study.data.verification import error_reason, printable_path
from activation_study.errors import BadInput, problems_message
from activation_study.evaluation.evaluate import Predictor
from activation_study.inference.load import inference_config, load_network
from activation_study.inference.prediction_writer import LABELS, PredictionWriter, write_side_by_side
from activation_study.inference.sliding_window import InferenceOptions, predict_label_map
from activation_study.palette import recorded_colors, recorded_ids
from activation_study.records.run import Run
from activation_study.tracking.lookup import find_run, weights_file

SIDE_BY_SIDE = "side_by_side"  # folder of the output


@dataclass(frozen=True)
class Prediction:
    """What was written.

    Args:
        folder: the output folder.
        images: the names of the images.
        runs: the folder of each run's files, by the run's name.
        side_by_side: the folder that shows several runs side by side, if there are several.
    """

    folder: Path
    images: tuple[str, ...]
    runs: dict[str, Path]
    side_by_side: Path | None


def predict_images(options: Predict) -> Prediction:
    """Writes the predictions of each run for each image.

    Raises:
        BadInput: a run or the images do not exist, an image is unreadable, or images and output overlap.
    """
    source = Path(options.images)
    images = _find_images(source)
    resolved = source.resolve()
    output = Path(options.output or Path("outputs") / (resolved.stem if source.is_file() else resolved.name))
    _check_output(source, output)
    names = [options.run, *options.runs] if options.run else options.runs
    runs = [find_run(name, options.tracking.uri) for name in names]
    _check_runs(runs)
    check_earlier_predictions(output, [output / run.record.name for run in runs], images)
    _check_images(images)
    with ExitStack() as stack:
        predictors = [_load(run, options, stack) for run in runs]
        writers = [_writer(run, output) for run in runs]
        for name, path in track_progress(list(images.items()), "images"):
            image = read_image(path.read_bytes())
            label_maps = [predict_label_map(predict, image, settings) for predict, settings in predictors]
            for writer, label_map in zip(writers, label_maps, strict=True):
                writer.write(name, image, label_map)
            if len(writers) > 1:
                write_side_by_side(output / SIDE_BY_SIDE / f"{name}.png", name, image, writers, label_maps)
    for writer in writers:
        writer.close()
    folders = {run.record.name: writer.folder for run, writer in zip(runs, writers, strict=True)}
    return Prediction(output, tuple(images), folders, output / SIDE_BY_SIDE if len(runs) > 1 else None)


def _find_images(source: Path) -> dict[str, Path]:
    """The image files by name: the path relative to the folder, without suffix."""
    if source.is_file():
        return {source.stem: source}
    if not source.is_dir():
        raise BadInput(f"images={source}: no such file or folder")
    images: dict[str, Path] = {}
    problems = []
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        hidden = any(part.startswith(".") for part in relative.parts)
        if hidden or path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        other = images.setdefault(_name_in(source, path), path)
        if other is not path:
            problems.append(
                f"{printable_path(str(relative))}: has the same name as {printable_path(other.name)} except the suffix"
            )
    if problems:
        raise BadInput(problems_message(f"Images in {source} have the same name", problems, "Rename them."))
    if not images:
        raise BadInput(f"images={source}: no images found; expected files that end in {', '.join(SUFFIXES)}")
    return images


def _check_output(source: Path, output: Path) -> None:
    """Raises BadInput if the output would be written among the images, or the images are in the output."""
    images = source.resolve() if source.is_dir() else source.resolve().parent
    target = output.resolve()
    if target.exists() and not target.is_dir():
        raise BadInput(f"output={output}: this is a file; expected a folder")
    inside_images = source.is_dir() and target.is_relative_to(images)
    if inside_images or images.is_relative_to(target):
        raise BadInput(f"output={output} and images={source} must not contain each other; choose another output=FOLDER")


def check_earlier_predictions(output: Path, folders: Sequence[Path], images: Iterable[str]) -> None:
    """Raises BadInput if the output has label maps of other images, which the new ones would be mixed with."""
    names = set(images)
    for labels in (folder / LABELS for folder in folders):
        others = [path for path in sorted(labels.rglob("*.png")) if _name_in(labels, path) not in names]
        if others:
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            raise BadInput(
                f"output={output} has label maps of other images: {others[0]}{more}; "
                f"choose another output=FOLDER, or delete it"
            )


def _name_in(folder: Path, path: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


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


def _check_images(images: dict[str, Path]) -> None:
    """Reads every image once, so that the prediction does not stop halfway."""
    problems = []
    for path in track_progress(list(images.values()), "images checked"):
        try:
            check_image(path.read_bytes())
        except (OSError, ValueError) as error:
            problems.append(f"{printable_path(str(path))}: {error_reason(error)}")
    if problems:
        raise BadInput(problems_message("Unreadable images", problems, "Fix them or move them elsewhere."))


def _load(run: Run, options: Predict, stack: ExitStack) -> tuple[Predictor, InferenceOptions]:
    config = inference_config(run.record, options.threads)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    network = load_network(config, run.record, weights_file(run, options.tracking.uri, folder))
    settings = InferenceOptions(
        size=config.image_size,
        channel_order=config.data.channel_order,
        interpolation=config.evaluation.interpolation,
        sliding_window=options.sliding_window,
        flip_tta=options.flip_tta,
        batch_size=options.batch_size,
    )
    return network.predict, settings


def _writer(run: Run, output: Path) -> PredictionWriter:
    record = run.record
    caption = f"{record.config['activation']['name']}, seed {record.config['seed']}"
    return PredictionWriter(
        output / record.name,
        caption,
        tuple(record.classes),
        tuple(recorded_colors(record.config, record.classes)),
        tuple(recorded_ids(record.config, record.classes)),
    )

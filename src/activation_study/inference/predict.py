"""What tracked runs see in pictures that have no labels. What is written: see prediction_files."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from activation_study.config.commands import Predict
from activation_study.console import track_progress
from activation_study.data.image_io import SUFFIXES, check_image, read_image
from activation_study.data.verification import error_reason, printable_path
from activation_study.errors import BadInput, problems_message
from activation_study.evaluation.evaluate import Predictor
from activation_study.inference.load import inference_config, load_network
from activation_study.inference.prediction_writer import PredictionWriter, write_side_by_side
from activation_study.inference.sliding_window import InferenceOptions, predict_label_map
from activation_study.palette import recorded_colors
from activation_study.records.run import Run
from activation_study.tracking.lookup import find_run, weights_file


def predict_pictures(options: Predict) -> Path:
    """Writes what the runs see in each picture; returns the output's folder.

    Raises:
        BadInput: no such runs or pictures, a picture that cannot be read, or an output in the way of the input.
    """
    source = Path(options.images)
    pictures = _pictures(source)
    resolved = source.resolve()
    output = Path(options.output or Path("outputs") / (resolved.stem if source.is_file() else resolved.name))
    _keep_apart(source, output)
    wished = [options.run, *options.runs] if options.run else options.runs
    runs = [find_run(name, options.tracking.uri) for name in wished]
    _check_runs(runs)
    _check_pictures(pictures)
    with ExitStack() as stack:
        networks = [_network(run, options, stack) for run in runs]
        files = [_files(run, output) for run in runs]
        for name, path in track_progress(list(pictures.items()), "pictures"):
            picture = read_image(path.read_bytes())
            maps = [predict_label_map(predict, picture, way) for predict, way in networks]
            for each, classes in zip(files, maps, strict=True):
                each.write(name, picture, classes)
            if len(files) > 1:
                write_side_by_side(output / "side_by_side" / f"{name}.png", name, picture, files, maps)
    for each in files:
        each.close()
    return output


def _pictures(source: Path) -> dict[str, Path]:
    """The pictures by name: the path below the folder without suffix."""
    if source.is_file():
        return {source.stem: source}
    if not source.is_dir():
        raise BadInput(f"images={source}: there is no such file or folder")
    found: dict[str, Path] = {}
    problems = []
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        hidden = any(part.startswith(".") for part in relative.parts)
        if hidden or path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        other = found.setdefault(relative.with_suffix("").as_posix(), path)
        if other is not path:
            problems.append(
                f"{printable_path(str(relative))}: {printable_path(other.name)} has the same name but for the suffix"
            )
    if problems:
        raise BadInput(problems_message(f"The pictures in {source} cannot be told apart", problems, "Rename them."))
    if not found:
        raise BadInput(f"images={source}: no pictures in it; expected files that end in {', '.join(SUFFIXES)}")
    return found


def _keep_apart(source: Path, output: Path) -> None:
    """BadInput where the output would be among the pictures, or the pictures in the output."""
    pictures = source.resolve() if source.is_dir() else source.resolve().parent
    target = output.resolve()
    if target.exists() and not target.is_dir():
        raise BadInput(f"output={output}: it is a file; expected a folder")
    among = source.is_dir() and target.is_relative_to(pictures)
    if among or pictures.is_relative_to(target):
        raise BadInput(f"output={output} and images={source} are in one another; expected output=FOLDER elsewhere")


def _check_runs(runs: Sequence[Run]) -> None:
    if not runs:
        raise BadInput("run=RUN is needed, or runs=[A,B,C]: MLflow run ids, beginnings of them, or runs' folders")
    names = [run.record.name for run in runs]
    problems = [f"{run.record.name}: {run.record.status}" for run in runs if run.record.status != "FINISHED"]
    if problems:
        raise BadInput(problems_message("Only finished runs have best weights", problems, "Finish them first."))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"runs: {', '.join(twice)}: given twice, or the same of two studies; ask them one by one")
    classes = {run.record.name: tuple(run.record.classes) for run in runs}
    if len(set(classes.values())) > 1:
        told = (f"{name}: {', '.join(each)}" for name, each in classes.items())
        raise BadInput(problems_message("Runs of different classes do not fit side by side", told, "Ask one by one."))


def _check_pictures(pictures: dict[str, Path]) -> None:
    """Reads each once, so that nothing stops in the middle."""
    problems = []
    for path in track_progress(list(pictures.values()), "pictures checked"):
        try:
            check_image(path.read_bytes())
        except (OSError, ValueError) as error:
            problems.append(f"{printable_path(str(path))}: {error_reason(error)}")
    if problems:
        raise BadInput(
            problems_message("There are pictures that cannot be read", problems, "Mend them or move them away.")
        )


def _network(run: Run, options: Predict, stack: ExitStack) -> tuple[Predictor, InferenceOptions]:
    config = inference_config(run.record, options.threads)
    place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    network = load_network(config, len(run.record.classes), weights_file(run, options.tracking.uri, place))
    way = InferenceOptions(
        size=config.image_size,
        color=config.data.channel_order,
        resize=config.evaluation.interpolation,
        windows=options.sliding_window,
        flip=options.flip_tta,
        batch_size=options.batch_size,
    )
    return network.predict, way


def _files(run: Run, output: Path) -> PredictionWriter:
    record = run.record
    caption = f"{record.config['activation']['name']}, seed {record.config['seed']}"
    return PredictionWriter(
        output / record.name, caption, tuple(record.classes), tuple(recorded_colors(record.config, record.classes))
    )

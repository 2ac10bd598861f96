"""Scores a finished run on another part, split or data set, or by another interpolation."""

import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from activation_study import plugins
from activation_study.config.command_options import Evaluate
from activation_study.config.identity import affects_result, flatten
from activation_study.config.run_names import keep_existing_name, run_label
from activation_study.config.schema import Config, Data, resolved
from activation_study.config.scored_weights import WEIGHTS, scored_weights, weights_digest_key
from activation_study.data.dataset import Dataset
from activation_study.data.splitting.splits import Indices
from activation_study.errors import BadInput, alternatives
from activation_study.evaluation.score import score
from activation_study.image_metrics.registry import image_metrics
from activation_study.inference.evaluation_data import given_values, recorded_and_given
from activation_study.inference.load import inference_config, load_network
from activation_study.inference.trained_images import warn_of_trained_images
from activation_study.location import command
from activation_study.out_of_memory import first_line
from activation_study.outcome import deliver, keep_warning
from activation_study.records.lock import run_lock
from activation_study.records.record import EVALUATIONS, Record, read_record
from activation_study.records.run import Run, read_evaluated_run, read_findings
from activation_study.runs.messages import print_classes
from activation_study.runs.start import create_run_folder, new_record
from activation_study.tracking.lookup import find_finished_run, find_weights
from activation_study.tracking.mirror import Mirror
from activation_study.validation import validate

PARTS = ("test", "validation", "train", "all")
# How the run was tracked is of no matter here: there are no weights to log, and no training to measure.
_NOTHING_TRAINED = {"weights": "none", "register": None, "system_metrics": False, "energy": False}
ARTICLES = "article/mean_iou"
_PRINTED = {
    "pooled mean IoU": "mean_iou",
    "mean IoU as in the article": ARTICLES,
    "pixel accuracy": "pixel_accuracy",
}


def evaluate_run(options: Evaluate) -> Record:
    """Scores the run as the options say, into a run folder and an MLflow run of its own; prints the scores.

    Raises:
        BadInput: the run or the data do not exist, or the data have other classes.
    """
    if options.part not in PARTS:
        raise BadInput(f"part={options.part}: expected {alternatives(PARTS)}")
    run = find_finished_run(options.run or "", options.tracking.uri)
    config = _evaluation_config(run.record, options)
    image_metrics(config.evaluation.metrics)  # before earlier scores are replaced
    dataset = Dataset(config)
    if list(dataset.label_type.classes) != run.record.classes:
        raise BadInput(
            f"{run.record.name} was trained on {', '.join(run.record.classes)}; {config.data.name} has "
            f"{', '.join(dataset.label_type.classes)}: expected the same classes in the same order"
        )
    _check_content(run.record, config.data, dataset.source.digest)
    indices = _images(dataset, options.part)
    warn_of_trained_images(run, config.data, dataset, indices, options.part)
    with run_lock(config.run_folder), tempfile.TemporaryDirectory() as folder:
        keep_existing_name(config)
        weights = find_weights(run, options.tracking.uri, Path(folder), config.evaluation.weights)
        record = _score_run(run, config, dataset, weights, indices, options.part)
        Mirror(config.run_folder, config.tracking.uri, config.tracking.weights).update(final=True)
    _print_scores(run.record, record, config.run_folder, options.part)
    deliver("evaluation", _describe(run, record, config.run_folder, options.part))
    return record


def _check_content(trained: Record, data: Data, digest: str) -> None:
    """Rejects other data under the name of the run's own, for which the scores would be taken.

    Raises:
        BadInput: the data have the name but not the content of those that the run was trained on.
    """
    recorded = trained.digests["data"]
    if data.format == "scenes" or data.name != trained.config["data"]["name"] or digest == recorded:
        return
    place = f"data.root={data.root}"
    if data.format == "folder":
        place = f"data.images={data.images} data.labels={data.labels}"
    elif data.format == "plugin":
        place = f"data.source={data.source}" + (f" {place}" if data.root else "")
    raise BadInput(
        f"{place}: these are not the data {data.name} that {trained.name} was trained on: their files differ. "
        "Give these data a name of their own, data.name=NAME, which the scores will have."
    )


def _images(dataset: Dataset, part: str) -> Indices:
    """The images to score.

    Raises:
        BadInput: the data cannot be split, or have no known pixel.
    """
    try:
        return dataset.part(part)
    except BadInput as error:
        if part == "all":
            raise
        raise BadInput(f"{error}; part=all scores all images, and needs no split") from error


def _evaluation_config(trained: Record, options: Evaluate) -> Config:
    """The recorded configuration with the options that are given."""
    kept, data = recorded_and_given(trained, options)
    recorded, recorded_config = trained.config["data"], trained.config
    trained = replace(trained, config={**trained.config, "data": kept})
    changes = {
        "data": data,
        "label_type": given_values(options.label_type),
        "evaluation": given_values(options.evaluation),
        "folder": options.folder,
        "study": trained.study.partition("/")[0],
        "tracking": {"uri": options.tracking.uri, **_NOTHING_TRAINED},
        "plugins": list(dict.fromkeys([*trained.config.get("plugins", []), *map(plugins.module_of, options.plugins)])),
    }
    config = inference_config(trained, options.threads, changes)
    config.suffix = "" if options.part == "test" else f"-{options.part}"
    config = validate(config, f"The evaluation of {trained.name}", f"`{command('evaluate')} --help` shows the keys.")
    for key, first in (("channels", 3), ("channel_order", "bgr")):
        then, now = recorded.get(key, first), getattr(config.data, key)
        if now != then and (key == "channels" or config.data.channels == 3):
            raise BadInput(
                f"data.{key}={now}: {trained.name} was trained on images of data.{key}={then}: expected the same"
            )
    config.study = f"{trained.study}/{EVALUATIONS}"
    config.sweep.label = run_label(config, _settings(config, recorded_config, options.part))
    return config


def _settings(config: Config, recorded: dict[str, Any], part: str) -> dict[str, Any]:
    """What the name of an evaluation says: the part, unless the suffix has it, and what differs from the run."""
    then, now = flatten(recorded), flatten(resolved(config))
    changed = {key: value for key, value in now.items() if affects_result(key) and value != then.get(key, value)}
    if part == "all":  # follows from the part
        changed = {
            key: value for key, value in changed.items() if value is not None or not key.startswith("data.groups")
        }
    if config.data.name != recorded["data"]["name"]:  # most else of the data follows from it
        changed = {"data.name": config.data.name}
    return {**({"part.name": part} if part == "test" else {}), **changed}


def _score_run(run: Run, config: Config, dataset: Dataset, weights: Path, indices: Indices, part: str) -> Record:
    """The record of the scores; the existing one if it is finished and nothing has changed."""
    network = load_network(config, run.record, weights)
    record = new_record(config, [f"run={run.record.name}", f"part={part}"], dataset, network)
    scored, digests = config.evaluation.weights, run.record.digests
    as_trained = scored == scored_weights(run.record.config)
    record.digests["weights"] = digests["weights" if as_trained else weights_digest_key(scored)]
    folder = config.run_folder
    record.training_pixels = run.record.training_pixels
    existing = read_record(folder)
    if existing is not None:
        existing.digests.pop("order", None)  # in records of earlier versions; nothing is trained here
    finished = existing is not None and existing.status == "FINISHED"
    if existing is not None and finished and existing.digests["data"] != record.digests["data"]:
        raise BadInput(
            f"{folder} has the scores of other data named {config.data.name}: give these data another name, "
            "data.name=NAME, or remove that folder to replace its scores"
        )
    if existing is not None and finished and _same_scores(existing, record):
        with suppress(BadInput):  # a changed or damaged file: score again
            return read_evaluated_run(folder, existing).record
    record.links["evaluates"] = str(run.folder if run.local else run.run_id)
    create_run_folder(record, folder)
    try:
        score(network.predict, dataset, indices, record, folder, part)
        dataset.reject_changed_files()
    except BaseException as error:  # Ctrl-C, too
        record.end(folder, "FAILED" if isinstance(error, Exception) else "KILLED", first_line(error))
        raise
    record.end(folder, "FINISHED")
    return record


def _same_scores(existing: Record, record: Record) -> bool:
    """Whether scores are of the same weights, data and code, and by the same metrics."""
    metrics = [each.config.get("evaluation", {}).get("metrics", []) for each in (existing, record)]
    return existing.digests == record.digests and metrics[0] == metrics[1]


def _describe(run: Run, evaluation: Record, folder: Path, part: str) -> dict[str, Any]:
    """The scores as a program reads them (docs/reference/json.md)."""
    findings = read_findings(folder, evaluation)
    return {
        "run": {"name": run.record.name, "study": run.record.study, "folder": run.folder},
        "folder": folder,
        "data": evaluation.config["data"]["name"],
        "label_type": evaluation.config["label_type"]["name"],
        "part": part,
        "scores": _scores(evaluation, part),
        "recorded": _scores(run.record, "test"),
        "findings": findings and findings.fields,
    }


def _scores(record: Record, part: str) -> dict[str, float]:
    """The scores of one part, by their names without the part: of the scored weights; the article's where it counts."""
    keys = {key: key.removeprefix(f"{part}/") for key in record.results if key.startswith(f"{part}/")}
    left_out = tuple(f"{name}/" for name in (*WEIGHTS, *(() if record.has_article_score else ("article",))))
    return {name: record.results[key] for key, name in keys.items() if not name.startswith(left_out)}


def _print_scores(trained: Record, evaluation: Record, folder: Path, part: str) -> None:
    data, recorded = evaluation.config["data"]["name"], trained.config["data"]["name"]
    print(f"{trained.name} on {'all' if part == 'all' else f'the {part}'} images of {data}:")
    article = evaluation.has_article_score and trained.has_article_score
    for name, key in _PRINTED.items():
        if key == ARTICLES and not article:
            continue
        score, original = evaluation.results[f"{part}/{key}"], trained.results[f"test/{key}"]
        print(f"  {name:28} {score:.3f}   ({original:.3f} on the test images of {recorded}, as recorded)")
    print("  IoU of each class:")
    findings = read_findings(folder, evaluation)
    print_classes(evaluation, part, findings)
    if findings is not None and findings.warning:
        keep_warning(findings.warning)
    print(f"  {folder}")

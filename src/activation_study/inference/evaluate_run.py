"""A tracked run's best weights scored elsewhere: on another part, split, data set or by another resizing."""

import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from activation_study.config.commands import Evaluate
from activation_study.config.schema import Config
from activation_study.data.dataset import Dataset
from activation_study.data.splits import Indices, Split
from activation_study.errors import BadInput
from activation_study.evaluation.score import score
from activation_study.inference.load import inference_config, load_network
from activation_study.records.lock import run_lock
from activation_study.records.record import Record, read_record
from activation_study.records.run import Run
from activation_study.runs.start import create_run_folder, new_record
from activation_study.tracking.lookup import find_finished_run, weights_file
from activation_study.tracking.mirror import Mirror
from activation_study.validation import validate

PARTS = ("test", "validation", "train", "all")
# How pictures become batches and are split: stays as the run had it when the data set is another.
_PREPROCESSING = (
    *("cache", "image_size", "channel_order", "label_interpolation"),
    *("split", "split_seed", "folds", "fold", "remove_duplicates"),
)
_SHOWN = {"pooled mean IoU": "mean_iou", "article's mean IoU": "article/mean_iou", "pixel accuracy": "pixel_accuracy"}


def evaluate_run(options: Evaluate) -> Record:
    """Scores the run as the options say, in a folder and an entry of its own beside it; prints the scores.

    Raises:
        BadInput: no such run or data, or data of other classes.
    """
    if options.part not in PARTS:
        raise BadInput(f"part={options.part}: expected {' or '.join(PARTS)}")
    run = find_finished_run(options.run or "", options.tracking.uri)
    config = _configuration(run.record, options)
    dataset = Dataset(config)
    if list(dataset.label_type.classes) != run.record.classes:
        raise BadInput(
            f"{run.record.name} knows {', '.join(run.record.classes)}; {config.data.name} has "
            f"{', '.join(dataset.label_type.classes)}: expected the same classes in the same order"
        )
    with run_lock(config.run_folder), tempfile.TemporaryDirectory() as place:
        weights = weights_file(run, options.tracking.uri, Path(place))
        record = _scored(run, config, dataset, weights, options.part)
        Mirror(config.run_folder, config.tracking.uri, config.tracking.weights).update(final=True)
    _show(run.record, record, config.run_folder, options.part)
    return record


def _configuration(then: Record, options: Evaluate) -> Config:
    """The recorded configuration with what the options say otherwise."""
    data = _given(options.data)
    if any(data.get(key, then.config["data"][key]) != then.config["data"][key] for key in ("name", "format")):
        kept = {key: value for key, value in then.config["data"].items() if key in _PREPROCESSING}
        then = replace(then, config={**then.config, "data": kept})
    if "split_files" in data:
        data["split_digest"] = None
    changes = {
        "data": data,
        "label_type": _given(options.label_type),
        "evaluation": _given(options.evaluation),
        "folder": options.folder,
        "tracking": {"uri": options.tracking.uri, "weights": "none"},
    }
    config = inference_config(then, options.threads, changes)
    config.suffix = "" if options.part == "test" else f"-{options.part}"
    config = validate(config, f"What is asked of {then.name}", "`python evaluate.py --help` shows the keys.")
    config.study = f"{then.study}/evaluations"
    return config


def _given(options: Any) -> dict[str, Any]:
    """The values that are not left as recorded."""
    return {key: value for key, value in asdict(options).items() if value is not None}


def _scored(run: Run, config: Config, dataset: Dataset, weights: Path, part: str) -> Record:
    """The record of the scores; an earlier one where nothing has changed since."""
    network = load_network(config, len(run.record.classes), weights)
    from activation_study.model.network import weights_digest  # Keras is quiet now

    digest = weights_digest(network.weights())
    if digest != run.record.digests["weights"]:
        raise BadInput(f"{weights}: not the weights that the run ended with")
    record = new_record(config, [f"run={run.record.name}", f"part={part}"], dataset, network)
    record.digests["weights"] = digest
    folder = config.run_folder
    before = read_record(folder)
    if before is not None and before.status == "FINISHED" and before.digests == record.digests:
        return before
    record.links["evaluates"] = str(run.folder if run.local else run.run_id)
    create_run_folder(record, folder)
    score(network.predict, dataset, _indices(dataset.split, part), record, folder, part)
    record.end(folder, "FINISHED")
    return record


def _indices(split: Split, part: str) -> Indices:
    if part == "all":
        return np.sort(np.concatenate([split.train, split.validation, split.test]))
    found: Indices = getattr(split, part)
    return found


def _show(then: Record, now: Record, folder: Path, part: str) -> None:
    data, recorded = now.config["data"]["name"], then.config["data"]["name"]
    print(f"{then.name} on {'all' if part == 'all' else f'the {part}'} pictures of {data}:")
    for name, key in _SHOWN.items():
        own, before = now.results[f"{part}/{key}"], then.results[f"test/{key}"]
        print(f"  {name:20} {own:.3f}   ({before:.3f} on the test pictures of {recorded}, as tracked)")
    for name in now.classes:
        iou = now.results.get(f"{part}/iou/{name}")
        print(f"  IoU {name:16} " + ("–" if iou is None else f"{iou:.3f}"))
    print(f"  {folder}")

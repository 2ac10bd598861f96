"""A record that contradicts itself, or the results beside it, is rejected wherever it is read for use."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from activation_study.analysis.finished_runs import read_runs
from activation_study.analysis.packed.pack import pack_study
from activation_study.errors import BadInput
from activation_study.records.artifacts import CONFUSIONS_FILE
from activation_study.records.consistency import Contradiction
from activation_study.records.record import Record, read_record
from activation_study.records.run import read_evaluated_run, read_run
from activation_study.report.study_report import ReportOptions, make_report
from activation_study.sweep.sync import sync_study
from activation_study.tracking.lookup import find_finished_run, find_run
from fake_runs import drawn_image_counts, write_run

STUDIES = Path(__file__).parents[2] / "docs" / "studies"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = write_run(tmp_path / "study", "relu", 0)
    edit(folder, lambda record: record.epochs.append({**record.epochs[0], "time": 1.0}))
    edit(folder, lambda record: [epoch.update({"val/loss": loss}) for epoch, loss in zip(record.epochs, (1.0, 2.0))])  # noqa: B905
    return folder


def edit(folder: Path, change: Callable[[Record], object]) -> Record:
    record = read_record(folder)
    assert record is not None
    change(record)
    record.write(folder)
    return record


def rejected(folder: Path) -> str:
    """The message, the same for all that reads the run."""
    record = read_record(folder)
    assert record is not None
    messages = []
    for read in (
        lambda: read_run(folder, record),
        lambda: find_run(str(folder), None),
        lambda: find_finished_run(str(folder), None),
        lambda: read_evaluated_run(folder, record),
        lambda: read_runs(folder.parent),
        lambda: make_report(folder.parent, ReportOptions()),
    ):
        with pytest.raises(Contradiction) as caught:
            read()
        messages.append(str(caught.value))
    assert len(set(messages)) == 1
    return messages[0]


def test_an_unchanged_run_is_read(run: Path) -> None:
    assert len(read_runs(run.parent)[0]) == 1


def test_an_edited_score_is_named_with_both_values(run: Path) -> None:
    now = edit(run, lambda record: None).results["test/mean_iou"]
    edit(run, lambda record: record.results.update({"test/mean_iou": 0.99}))
    message = rejected(run)
    assert f"{run}/run.json: results.test/mean_iou: recorded 0.99, recomputed {now:.10g} from evaluation" in message
    assert "Restore these files, or train the runs again with rerun=all." in message
    assert "found)" not in message, "there is one problem"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda record: record.results.update({"test/iou/sky": 0.5}), "results.test/iou/sky: recorded 0.5, "),
        (lambda record: record.results.pop("test/iou/sky"), "results.test/iou/sky: recorded no value, "),
        (lambda record: record.results.update({"test/iou/sea": 0.5}), "recorded 0.5, recomputed no value from"),
        (lambda record: record.config["optimizer"].update(learning_rate=0.5), "config: its identity is "),
        (lambda record: record.config.update(seed=7), "config: its identity is "),
        (lambda record: record.epochs.clear(), "epochs: none recorded"),
        (lambda record: record.results.pop("test/mean_iou"), "status: FINISHED, but results has no test/mean_iou"),
        (lambda record: record.results.clear(), "status: FINISHED, but results has no test/mean_iou"),
        (lambda record: record.results.update({"best_epoch": 3.0}), "recorded 3.0, expected one of the 2"),
        (lambda record: record.results.update({"best_epoch": 2.0}), "recorded 2, but val/loss is smallest in epoch 1"),
        (lambda record: record.epochs[1].update({"val/loss": 0.5}), "recorded 1, but val/loss is smallest in epoch 2"),
        (lambda record: record.config["training"].update({"epochs": 1}), "2 recorded, at most training.epochs=1"),
        (lambda record: record.classes.reverse(), "classes: vertical, horizontal, sky, but"),
    ],
)  # fmt: skip
def test_an_edited_record_is_rejected(run: Path, change: Callable[[Record], object], problem: str) -> None:
    edit(run, change)
    assert problem in rejected(run)


def test_a_run_that_is_not_finished_has_nothing_to_contradict(run: Path) -> None:
    record = edit(run, lambda record: record.results.clear())
    record.status = "KILLED"
    assert read_run(run, record).record is record


def test_confusion_matrices_of_another_run_are_rejected(run: Path) -> None:
    other = write_run(run.parent, "mish", 0, 0.7)
    shutil.copy(other / CONFUSIONS_FILE, run / CONFUSIONS_FILE)
    shutil.rmtree(other)
    assert "results.test/mean_iou: recorded" in rejected(run)


def test_confusion_matrices_of_another_shape_are_rejected(run: Path) -> None:
    with np.load(run / CONFUSIONS_FILE) as arrays:
        contents = dict(arrays)
    for name, value, problem in (
        ("names", contents["names"][:-1], "has 10 matrices and 9 names of images"),
        ("confusions", contents["confusions"][:, :3], r"has the shape (10, 3, 3), expected [images, 4, 3]"),
        ("classes", contents["classes"][:2], "has sky, horizontal"),
    ):
        np.savez_compressed(run / CONFUSIONS_FILE, **{**contents, name: value})
        assert problem in rejected(run)


def test_counts_of_images_that_are_edited_or_exchanged_are_rejected(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "study", "relu", 0, image_counts=drawn_image_counts(0))
    assert read_runs(tmp_path / "study")[0]
    with np.load(folder / CONFUSIONS_FILE) as arrays:
        contents = dict(arrays)
    for name, value, problem in (
        ("boundary_iou", drawn_image_counts(1)["boundary_iou"], "results.test/boundary_iou: recorded"),
        ("calibration_error", contents["calibration_error"][:-1], "has 9 entries of calibration_error and 10 names"),
    ):
        np.savez_compressed(folder / CONFUSIONS_FILE, **{**contents, name: value})
        assert problem in rejected(folder)
    del contents["boundary_iou"]
    np.savez_compressed(folder / CONFUSIONS_FILE, **contents)
    assert "results.test/boundary_iou: recorded" in rejected(folder), "a score without its counts"


def test_an_edited_record_is_not_copied_into_a_store(run: Path, tmp_path: Path) -> None:
    edit(run, lambda record: record.results.update({"test/mean_iou": 0.99}))
    with pytest.raises(Contradiction, match=r"results.test/mean_iou: recorded 0.99"):
        sync_study(run.parent, f"sqlite:///{tmp_path}/mlflow.db", "none")
    assert not (tmp_path / "mlflow.db").exists()


def test_all_changed_runs_are_named_at_once(run: Path) -> None:
    other = write_run(run.parent, "mish", 0)
    for folder in (run, other):
        edit(folder, lambda record: record.results.update({"test/mean_iou": 0.99}))
    with pytest.raises(Contradiction, match=r"\(2 found\)"):
        read_runs(run.parent)


def test_an_edited_record_in_a_packed_study_is_rejected(run: Path, tmp_path: Path) -> None:
    path, _ = pack_study(run.parent, tmp_path / "packed")
    with np.load(path) as arrays:
        contents = dict(arrays)
    contents["record0"] = np.array(str(contents["record0"]).replace('"best_epoch": 1.0', '"best_epoch": 2.0'))
    contents["confusions0"][0, 0, 0] += 100
    np.savez_compressed(path, **contents)
    with pytest.raises(Contradiction, match=rf"{path}, {run.name}: results.best_epoch(.|\n)*test/pixel_accuracy"):
        read_runs(path.parent)


@pytest.mark.parametrize("packed", sorted(STUDIES.glob("*/runs.npz")), ids=lambda path: path.parent.name)
def test_the_committed_studies_do_not_contradict_themselves(packed: Path) -> None:
    assert read_runs(packed.parent)[0]


def test_a_missing_file_is_not_a_contradiction(run: Path) -> None:
    (run / CONFUSIONS_FILE).unlink()
    assert len(find_run(str(run), None).images) == 0
    with pytest.raises(BadInput, match="cannot be read"):
        read_runs(run.parent)

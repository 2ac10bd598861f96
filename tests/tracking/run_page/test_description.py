"""A run's description says what is special about it, its result, and how to train it again."""

from typing import Any

import numpy as np

from activation_study.class_findings import class_findings
from activation_study.records.record import Record
from activation_study.tracking.run_page.description import DIGEST_TAG, NOTE_TAG, adopted, describe_run, note_tags

CONFIG = {
    "activation": {"name": "mish"}, "label_type": {"name": "surfaces"}, "data": {"name": "scenes"}, "seed": 3,
    "training": {"epochs": 5},
}  # fmt: skip


def described(**values: Any) -> str:
    overrides = ["activation=mish", "training.epochs=5", "study=x", "threads=1", "tracking.uri=null", "folder=y"]
    record = Record("run", "study", "1234", CONFIG, overrides, ["sky", "tree"], {}, {"data": "d" * 64})
    record.epochs = [{"time": 0.0}] * 2
    for name, value in values.items():
        setattr(record, name, value)
    return describe_run(record, "abc123")


def test_a_running_run_says_what_it_is_and_how_to_train_it_again() -> None:
    text = described()
    assert "**mish** on surfaces of scenes, seed 3: running, 2 of 5 epochs." in text
    assert "Differs from the defaults: `activation=mish`, `training.epochs=5`\n" in text
    assert "reproduce.py run=abc123`" in text or "reproduce run=abc123`" in text
    assert "| IoU" not in text


def test_a_finished_run_has_a_table_of_its_scores() -> None:
    results = {"test/mean_iou": 0.5, "test/article/mean_iou": 0.4, "test/iou/sky": 0.75, "best_epoch": 2.0}
    text = described(status="FINISHED", results=results)
    assert "finished, 2 of 5 epochs, best 2." in text
    assert (
        "| IoU, test images | |\n| --- | ---: |\n| **mean** | **0.500** |\n| sky | 0.750 |\n| tree | does not occur |"
    ) in text


def test_what_stands_out_is_said_before_the_table() -> None:
    record = Record("run", "study", "1234", CONFIG, [], ["sky", "crack"], {}, {"data": "d" * 64}, status="FINISHED")
    record.results = {"test/mean_iou": 0.5, "test/iou/sky": 1.0, "test/iou/crack": 0.0}
    text = describe_run(record, "abc123", class_findings(np.array([[9, 0], [1, 0], [0, 0]]), ("sky", "crack")))
    assert text.index("- crack: never predicted\n- almost everything became sky") < text.index("| IoU, test images")


def test_interruptions_changes_and_errors_are_told() -> None:
    text = described(
        status="FAILED",
        error="OSError: disk full",
        resumed=[{"time": 0.0, "epoch": 1, "step": 3}],
        changes=["threads (then 2, now 4)"],
    )
    assert "failed, 2 of 5 epochs" in text
    assert "Error: `OSError: disk full`" in text
    assert "Interrupted and resumed at epoch 2, step 3." in text
    assert "Changed on the way: threads (then 2, now 4)." in text


def test_a_description_fits_a_tag_of_mlflow() -> None:
    names = [f"class with a rather long name {number}" for number in range(255)]
    assert len(described(status="FINISHED", results={"test/mean_iou": 0.5}, classes=names)) <= 8000


def test_a_description_that_somebody_wrote_is_kept() -> None:
    tags = note_tags({}, "first")
    assert tags[NOTE_TAG] == "first"
    tags |= note_tags(tags, "second")
    assert tags[NOTE_TAG] == "second", "its own text is replaced"
    assert note_tags(tags, "second") == {}
    assert note_tags({**tags, NOTE_TAG: "mine"}, "third") == {}
    assert note_tags({NOTE_TAG: "mine"}, "third") == {}
    former = {NOTE_TAG: "of an earlier version"}
    assert DIGEST_TAG in adopted(former)
    assert note_tags({**former, **adopted(former)}, "third")[NOTE_TAG] == "third"

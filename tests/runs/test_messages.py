"""What a single run prints at its end."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from activation_study.records.record import read_record
from activation_study.runs.messages import print_next_steps, print_scores
from fake_runs import write_run

# Images of a study on own data: no pixel of `vertical`, none predicted as `horizontal`.
COUNTS = np.stack([np.array([[90, 0, 10], [40, 0, 0], [0, 0, 0], [3, 0, 0]], np.int64)] * 10)


def printed(folder: Path, capsys: pytest.CaptureFixture[str], position: str = "") -> list[str]:
    record = read_record(folder)
    assert record is not None
    config: Any = SimpleNamespace(training=SimpleNamespace(epochs=3), sweep=SimpleNamespace(position=position))
    print_scores(config, record, folder)
    return capsys.readouterr().out.splitlines()


def test_a_run_ends_with_the_iou_of_each_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run(tmp_path, "relu", 0)
    record = read_record(folder)
    assert record is not None
    mean, article = record.results["test/mean_iou"], record.results["test/article/mean_iou"]
    ious = {name: record.results[f"test/iou/{name}"] for name in record.classes}
    assert printed(folder, capsys) == [
        f"  weights of epoch 1 (lowest validation loss); 1 epoch of at most 3 (stopped early), 3 s; {folder}",
        f"  test mean IoU {mean:.3f} pooled, {article:.3f} with the article's protocol; of each class:",
        f"    sky        {ious['sky']:.3f}   horizontal {ious['horizontal']:.3f}   vertical   {ious['vertical']:.3f}",
    ]


def test_a_run_on_own_data_says_what_stands_out_and_has_no_negative_iou(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(tmp_path, "relu", 0, counts=COUNTS, article=False, format="folder")
    assert printed(folder, capsys)[1:] == [
        "  test mean IoU 0.321; of each class:",
        "    sky        0.643   horizontal 0.000   vertical       –",
        "  horizontal: never predicted",
        "  vertical: not in the test images",
        "  warning: almost everything became sky: 100 % of the pixels of the other",
        "    classes are predicted as it",
    ]


def test_a_run_of_a_sweep_has_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run(tmp_path, "relu", 0, counts=COUNTS, article=False, format="folder")
    (line,) = printed(folder, capsys, "2 of 3")
    assert line.startswith("  test mean IoU 0.321; weights of epoch 1 (lowest validation loss); 1 epoch of at most 3")


def test_a_record_of_an_earlier_version_shows_no_negative_iou_on_own_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(tmp_path, "relu", 0, counts=COUNTS, format="folder")
    record = read_record(folder)
    assert record is not None
    assert record.results["test/article/iou/vertical"] == 0, "in the article, predicted pixels of it count"
    assert "article" not in "".join(printed(folder, capsys))


def test_a_finished_run_says_where_its_pictures_are_and_how_to_reproduce_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_next_steps(Path("holiday (1)/x/surfaces-relu-seed0-1c86a2fa"))
    assert capsys.readouterr().out.splitlines() == [
        "Pictures:             holiday (1)/x/surfaces-relu-seed0-1c86a2fa/pictures",
        "Reproduce:            python reproduce.py run='holiday (1)/x/surfaces-relu-seed0-1c86a2fa'",
    ]

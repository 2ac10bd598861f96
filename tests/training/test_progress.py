"""Progress of a training without a terminal; durations in at most two units."""

import pytest

from activation_study import console
from activation_study.config.schema import EarlyStopping
from activation_study.console import format_duration
from activation_study.training import progress as progress_module
from activation_study.training.loop import initial_state
from activation_study.training.progress import TrainingProgress
from activation_study.training.schedule import Plateau


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (45, "45 s"), (61, "1 min"), (3599, "1 h 0 min"), (12000, "3 h 20 min"), (183600, "2 d 3 h")],
)
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_without_bars_an_estimate_comes_first_and_then_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: clock[0])
    state = initial_state(Plateau(0.1, 3, 0.0), EarlyStopping(5, 0.0))
    state.totals.images, state.totals.loss_sum = 1, 0.5
    monkeypatch.setenv("TERM", "dumb")
    with TrainingProgress("run", "", epochs=100, images=100, state=state) as progress:
        for _ in range(200):
            clock[0] += 1.0
            progress.step(state, 1)
    estimate, first, second, third = capsys.readouterr().out.splitlines()
    assert estimate.startswith("  1 images/s: at most 2 h")
    assert all("epoch 1/100 · loss 0.5000 · 1 images/s · at most 2 h" in line for line in (first, second, third))


def test_the_line_of_an_epoch_says_that_its_scores_are_of_the_validation_images(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    state = initial_state(Plateau(0.1, 3, 0.0), EarlyStopping(5, 0.0))
    with TrainingProgress("run", "", epochs=2, images=100, state=state) as progress:
        progress.epoch(2, {"train/loss": 0.5, "val/loss": 0.25, "val/mean_iou": 0.285, "images_per_second": 9.0})
    assert "validation loss 0.2500, validation mean IoU 0.285, 9 images/s" in capsys.readouterr().out


def test_lines_come_about_once_a_minute() -> None:
    assert console.LINE_INTERVAL == 60

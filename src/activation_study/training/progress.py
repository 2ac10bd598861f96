"""The progress of a training: a progress bar in a terminal, otherwise a line about once a minute."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from activation_study.console import PlainProgress, format_duration, shows_bars
from activation_study.errors import counted

if TYPE_CHECKING:
    from activation_study.training.loop import TrainState

# An estimate is printed after the first steps if training takes longer than this; where no bar is shown, than this.
LONG_SECONDS, SHORT_SECONDS = 600.0, 60.0
# Speed is measured from this step on, because the first steps include compilation.
FIRST_MEASURED_STEP = 3


class TrainingProgress:
    """A context manager that shows loss, images/s and the remaining time of one run.

    Args:
        name: the run's name.
        position: e.g. "3 of 15" in a sweep, otherwise empty.
        epochs: maximum number of epochs.
        images: number of training images per epoch.
        state: the state that training starts from.
    """

    def __init__(self, name: str, position: str, epochs: int, images: int, state: "TrainState") -> None:
        label = f"{name} ({position})" if position else name
        self._epochs, self._images = epochs, images
        self._console = Console(stderr=False, highlight=False)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[status]}"),
        )
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not shows_bars(self._console))
        self._plain = None if shows_bars(self._console) else PlainProgress()
        self._task = self._bar.add_task(label, total=epochs * images, status="compiling …")
        self._done = (state.epoch - 1) * images + state.totals.images
        self._steps = self._done_at_start = 0
        self._start = time.monotonic()
        self._estimated = False

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def step(self, state: "TrainState", images: int) -> None:
        """Updates the bar after a training step on `images` images."""
        self._done += images
        self._steps += 1
        if self._steps < FIRST_MEASURED_STEP:
            return
        if self._steps == FIRST_MEASURED_STEP:
            self._start, self._done_at_start = time.monotonic(), self._done
            return
        speed = (self._done - self._done_at_start) / (time.monotonic() - self._start)
        seconds_left = (self._epochs * self._images - self._done) / speed
        status = (
            f"epoch {state.epoch}/{self._epochs} · loss {state.totals.loss:.4f} · {speed:.3g} images/s · "
            f"at most {format_duration(seconds_left)} left"
        )
        self._bar.update(self._task, completed=self._done, status=status)
        if self._plain is not None and self._estimated:
            self._plain.line(f"  {status}")
        if not self._estimated and self._steps > FIRST_MEASURED_STEP + 1:
            self._estimated = True
            if seconds_left > (SHORT_SECONDS if self._plain else LONG_SECONDS):
                epochs, most = counted(self._epochs, "epoch"), format_duration(seconds_left)
                self._print(f"  {speed:.3g} images/s: at most {most} for {epochs}")

    def epoch(self, number: int, metrics: dict[str, float]) -> None:
        """Prints a line after an epoch, but only now and then, and only if no bar is shown."""
        if self._plain is not None:
            self._plain.line(
                f"  epoch {number}/{self._epochs}: loss {metrics['train/loss']:.4f}, "
                f"validation loss {metrics['val/loss']:.4f}, "
                f"validation mean IoU {metrics['val/mean_iou']:.3f}, {metrics['images_per_second']:.3g} images/s",
                now=number == self._epochs,
            )

    def _print(self, text: str) -> None:
        """Prints a line above the bar."""
        self._console.print(text, markup=False, soft_wrap=True)

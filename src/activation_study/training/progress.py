"""What a run says while it trains: a bar in a terminal, a few lines elsewhere."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

if TYPE_CHECKING:
    from activation_study.training.loop import TrainState
from activation_study.console import format_duration

# Seconds between lines where there is no terminal to draw a bar in.
QUIET_SECONDS = 30.0
# A run that will take longer than this says so after its first steps.
LONG_SECONDS = 600.0
# The speed is measured from this step on: the first ones compile.
FIRST_STEP = 3


class TrainingProgress:
    """A context that shows loss, images/s and the time left of one run.

    Args:
        name: the run's.
        position: "3 of 15" in a sweep, else empty.
        epochs: at most.
        pictures: trained per epoch.
        state: where training begins.
    """

    def __init__(self, name: str, position: str, epochs: int, pictures: int, state: "TrainState") -> None:
        self._label = f"{name} ({position})" if position else name
        self._epochs, self._pictures = epochs, pictures
        self._console = Console(stderr=False, highlight=False)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[facts]}"),
        )
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
        self._task = self._bar.add_task(self._label, total=epochs * pictures, facts="compiling …")
        self._done = (state.epoch - 1) * pictures + state.totals.pictures
        self._steps = self._counted = 0
        self._since = self._said = time.monotonic()
        self._announced = False

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """Prints a line above the bar."""
        self._console.print(text, markup=False, soft_wrap=True)

    def step(self, state: "TrainState", pictures: int) -> None:
        """After each training step, with the number of its pictures."""
        self._done += pictures
        self._steps += 1
        if self._steps < FIRST_STEP:
            return
        if self._steps == FIRST_STEP:
            self._since, self._counted = time.monotonic(), self._done
            return
        speed = (self._done - self._counted) / (time.monotonic() - self._since)
        left = (self._epochs * self._pictures - self._done) / speed
        facts = (
            f"epoch {state.epoch}/{self._epochs} · loss {state.totals.loss:.4f} · {speed:.3g} images/s · "
            f"at most {format_duration(left)} left"
        )
        self._bar.update(self._task, completed=self._done, facts=facts)
        if not self._announced and self._steps > FIRST_STEP + 1:
            self._announced = True
            if left > LONG_SECONDS:
                self.say(f"  {speed:.3g} images/s: at most {format_duration(left)} for {self._epochs} epochs")

    def epoch(self, number: int, metrics: dict[str, float]) -> None:
        """After each epoch: a line now and then where no bar is drawn."""
        now = time.monotonic()
        if not self._console.is_terminal and (now - self._said > QUIET_SECONDS or number == self._epochs):
            self._said = now
            self.say(
                f"  epoch {number}/{self._epochs}: loss {metrics['train/loss']:.4f}, "
                f"validation loss {metrics['val/loss']:.4f}, mean IoU {metrics['val/mean_iou']:.3f}, "
                f"{metrics['images_per_second']:.3g} images/s"
            )

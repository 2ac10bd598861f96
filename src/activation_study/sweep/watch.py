"""Shows what a study's runs are doing until all have ended: a live table in a terminal, lines elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from activation_study.config.command_options import Watch
from activation_study.config.places import study_folder
from activation_study.console import format_duration, table_console
from activation_study.errors import BadInput
from activation_study.location import command
from activation_study.outcome import deliver
from activation_study.sweep.run_states import RunState, run_states
from activation_study.sweep.status import RunStatus

STYLES = {RunStatus.RUNNING: "bold green", RunStatus.RESUMABLE: "yellow", RunStatus.FAILED: "red"}
MARGIN = 7  # lines of the terminal that the table needs besides its rows


def watch(options: Watch) -> None:
    """Shows the states of a study's runs, once or until all have ended.

    Raises:
        BadInput: the study has no runs.
    """
    study_dir = study_folder(options.folder, options.study)
    states = run_states(study_dir)
    if not states:
        others = _studies(study_dir.parent)
        other = f"watch another study of {options.folder}: {others}" if others else "give their folder as folder=PATH"
        start = f"`{command('train')} … study={options.study}`"
        raise BadInput(f"{study_dir}: no runs yet; start some with {start}, or {other}")
    console = table_console()
    with suppress(KeyboardInterrupt):
        if options.once:
            console.print(states_table(study_dir, states))
        elif console.is_terminal and not console.is_dumb_terminal:
            _watch_live(study_dir, options.interval, console)
        else:
            _print_changes(study_dir, options.interval)
    states = run_states(study_dir)
    deliver("watch", {"folder": study_dir, "time": time.time(), "counts": _counts(states), "runs": states})


def _watch_live(study_dir: Path, interval: float, console: Console) -> None:
    """Updates a table until all runs have ended, or until q is typed."""
    with _keys() as typed, Live(console=console, auto_refresh=False) as live:
        while True:
            states = run_states(study_dir)
            live.update(states_table(study_dir, states, console.height - MARGIN), refresh=True)
            if all(state.ended for state in states) or "q" in typed(interval):
                break
        live.update(states_table(study_dir, states), refresh=True)


def _print_changes(study_dir: Path, interval: float) -> None:
    """Prints a line for each run whose status changes, until all have ended."""
    before: dict[str, RunStatus] = {}
    while True:
        states = run_states(study_dir)
        for state in states:
            if before.get(state.name) != state.status:
                reason = f", {state.reason}" if state.reason else ""
                print(
                    f"{time.strftime('%H:%M:%S')} {state.name}: {state.status}{_epoch(state, ', epoch ')}{reason}",
                    flush=True,
                )
            before[state.name] = state.status
        if all(state.ended for state in states):
            print(_summary(states))
            return
        time.sleep(interval)


def states_table(study_dir: Path, states: Sequence[RunState], rows: int | None = None) -> Table:
    """A table with a row for each run, of at most `rows` rows."""
    shown = states if rows is None else states[: max(rows, 1)]
    caption = f"… and {len(states) - len(shown)} more" if len(shown) < len(states) else None
    table = Table(title=f"{study_dir}: {_summary(states)}", caption=caption)
    table.add_column("run", overflow="fold")
    table.add_column("status", no_wrap=True)
    for column in ("epoch", "loss", "val. mean IoU", "left", "seen"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("host", overflow="ellipsis", no_wrap=True)
    for state in shown:
        table.add_row(
            state.name,
            state.phase if state.phase in ("validation", "evaluation") else state.status,
            _epoch(state),
            "" if state.loss is None else f"{state.loss:.4f}",
            "" if state.validation_mean_iou is None else f"{state.validation_mean_iou:.3f}",
            "" if state.seconds_left is None else f"≤ {format_duration(state.seconds_left)}",
            "" if state.seen is None or state.ended else f"{format_duration(max(time.time() - state.seen, 0))} ago",
            state.host or "",
            style=STYLES.get(state.status),
        )
    return table


def _epoch(state: RunState, prefix: str = "") -> str:
    """The epoch of a running run, the number of finished ones otherwise: "3/40", "3/40 (57 %)"."""
    if not state.epochs or state.status == RunStatus.NEW:
        return ""
    part = f" ({state.step / state.steps:.0%})" if state.steps else ""
    return f"{prefix}{state.epoch + bool(state.steps)}/{state.epochs}{part}"


def _counts(states: Sequence[RunState]) -> dict[str, int]:
    counts = Counter(state.status for state in states)
    return {status.value: counts[status] for status in RunStatus}


def _summary(states: Sequence[RunState]) -> str:
    return ", ".join(f"{count} {status}" for status, count in _counts(states).items() if count)


def _studies(folder: Path) -> str:
    return ", ".join(sorted({path.parents[1].name for path in folder.glob("*/*/run.json")}))


@contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """Yields a function that waits some seconds and returns a key that is typed, without Enter."""
    import select
    import termios
    import tty

    if not sys.stdin.isatty():
        yield _wait
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield lambda seconds: sys.stdin.read(1) if select.select([sys.stdin], [], [], seconds)[0] else ""
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _wait(seconds: float) -> str:
    time.sleep(seconds)
    return ""

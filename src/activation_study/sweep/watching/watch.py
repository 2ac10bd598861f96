"""Shows what a study's runs are doing until all have ended: a live table in a terminal, lines elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.live import Live

from activation_study.config.command_options import Watch
from activation_study.config.places import study_folder
from activation_study.console import table_console
from activation_study.errors import BadInput
from activation_study.location import command
from activation_study.outcome import deliver
from activation_study.records.sweep_lock import is_swept
from activation_study.sweep.status import RunStatus, studies_in
from activation_study.sweep.watching.run_states import RunState, run_states
from activation_study.sweep.watching.states_table import epoch_text, states_table, summary


def watch(options: Watch) -> None:
    """Shows the states of a study's runs, once or until all have ended and no sweep on this machine adds further ones.

    Raises:
        BadInput: the study has no runs.
    """
    study_dir = study_folder(options.folder, options.study)
    states = run_states(study_dir)
    if not states:
        others = studies_in(study_dir.parent)
        other = f"watch another study of {options.folder}: {others}" if others else "give their folder as folder=PATH"
        start = f"`{command('train')} … study={options.study}`"
        raise BadInput(f"{study_dir}: no runs yet; start some with {start}, or {other}")
    console = table_console()
    with suppress(KeyboardInterrupt):
        if options.once:
            console.print(states_table(study_dir, states, console.width))
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
            live.update(states_table(study_dir, states, console.width, console.height), refresh=True)
            if _ended(study_dir, states) or "q" in typed(interval):
                break
        live.update(states_table(study_dir, states, console.width), refresh=True)


def _print_changes(study_dir: Path, interval: float) -> None:
    """Prints a line for each run whose status changes, until all have ended."""
    before: dict[str, RunStatus] = {}
    while True:
        states = run_states(study_dir)
        for state in states:
            if before.get(state.name) != state.status:
                reason = f", {state.reason}" if state.reason else ""
                print(
                    f"{time.strftime('%H:%M:%S')} {state.name}: {state.status}{epoch_text(state, ', epoch ')}{reason}",
                    flush=True,
                )
            before[state.name] = state.status
        if _ended(study_dir, states):
            print(summary(states))
            return
        time.sleep(interval)


def _ended(study_dir: Path, states: Sequence[RunState]) -> bool:
    """Whether no run is left, and no sweep that may add some."""
    return all(state.ended for state in states) and not is_swept(study_dir)


def _counts(states: Sequence[RunState]) -> dict[str, int]:
    counts = Counter(state.status for state in states)
    return {status.value: counts[status] for status in RunStatus}


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

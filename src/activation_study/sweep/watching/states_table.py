"""The states of a study's runs as a table that fits the terminal: one line for each run."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Group
from rich.table import Table
from rich.text import Text

from activation_study.console import format_duration
from activation_study.sweep.status import RunStatus
from activation_study.sweep.watching.run_states import RunState

STYLES = {RunStatus.RUNNING: "bold green", RunStatus.RESUMABLE: "yellow", RunStatus.FAILED: "red"}
MARGIN = 7  # lines that are not of a run: of the table, the first line of the title, the last line, and one to spare
# Left out where the terminal is narrow, in this order.
LESS_IMPORTANT = ("host", "seen", "loss", "left", "val. mean IoU", "epoch")


def states_table(study_dir: Path, states: Sequence[RunState], width: int, height: int | None = None) -> Group:
    """A table of the runs and the reasons of failed ones.

    Args:
        study_dir: the study's folder.
        states: of its runs.
        width: columns of the terminal.
        height: its lines; None: all runs are shown. Otherwise, running and failed runs come before others.
    """
    title = f"{study_dir}: {summary(states)}"
    shown = states if height is None else _most_important(states, height - MARGIN - len(title) // width)
    rows = [_cells(state) for state in shown]
    names = [state.name for state in shown]
    for short in (names, _without_identity(names), _without_common_start(_without_identity(names))):
        for name, row in zip(short, rows, strict=True):
            row["run"] = name
        if _width(rows) <= width:
            break
    for column in LESS_IMPORTANT:
        if _width(rows) > width:
            rows = [{key: text for key, text in row.items() if key != column} for row in rows]
    table = Table()
    for column in rows[0] if rows else ():
        table.add_column(column, no_wrap=True, justify="left" if column in ("run", "status", "host") else "right")
    for state, row in zip(shown, rows, strict=True):
        table.add_row(*map(Text, row.values()), style=STYLES.get(state.status))
    lines = [
        Text(f"{row['run']}: {state.reason.splitlines()[0]}", style="red", no_wrap=True, overflow="ellipsis")
        for state, row in zip(shown, rows, strict=True)
        if state.status == RunStatus.FAILED and state.reason
    ]
    if len(shown) < len(states):
        others = [state for state in states if state not in shown]
        lines.append(Text(f"… and {len(others)} more: {summary(others)}", no_wrap=True, overflow="ellipsis"))
    return Group(Text(title), table, *lines)


def summary(states: Sequence[RunState]) -> str:
    """How many runs have each status."""
    counts = Counter(state.status for state in states)
    return ", ".join(f"{counts[status]} {status}" for status in RunStatus if counts[status])


def epoch_text(state: RunState, prefix: str = "") -> str:
    """The epoch of a running run, the number of finished ones otherwise: "3/40", "3/40 (57 %)"."""
    if not state.epochs or state.status == RunStatus.NEW:
        return ""
    part = f" ({state.step / state.steps:.0%})" if state.steps else ""
    return f"{prefix}{state.epoch + bool(state.steps)}/{state.epochs}{part}"


def _cells(state: RunState) -> dict[str, str]:
    return {
        "run": state.name,
        "status": state.phase if state.phase in ("validation", "evaluation") else state.status.value,
        "epoch": epoch_text(state),
        "loss": "" if state.loss is None else f"{state.loss:.4f}",
        "val. mean IoU": "" if state.validation_mean_iou is None else f"{state.validation_mean_iou:.3f}",
        "left": "" if state.seconds_left is None else f"≤ {format_duration(state.seconds_left)}",
        "seen": "" if state.seen is None or state.ended else f"{format_duration(max(time.time() - state.seen, 0))} ago",
        "host": state.host or "",
    }


def _most_important(states: Sequence[RunState], lines: int) -> list[RunState]:
    """As many as fit, at least one, in their order; a failed run also needs a line for its reason."""
    order = (RunStatus.RUNNING, RunStatus.FAILED)
    chosen: list[RunState] = []
    for state in sorted(states, key=lambda state: order.index(state.status) if state.status in order else len(order)):
        lines -= 2 if state.status == RunStatus.FAILED and state.reason else 1
        if lines < 0 and chosen:
            break
        chosen.append(state)
    return [state for state in states if state in chosen]


def _width(rows: Sequence[dict[str, str]]) -> int:
    columns = rows[0] if rows else {}
    return 1 + sum(3 + max(len(column), *(len(row[column]) for row in rows)) for column in columns)


def _without_identity(names: Sequence[str]) -> list[str]:
    """The names without the hash at their end, unless two would be equal."""
    short = [name.rpartition("-")[0] or name for name in names]
    return short if len(set(short)) == len(short) else list(names)


def _without_common_start(names: Sequence[str]) -> list[str]:
    """The names without the words that all of them start with."""
    words = [name.split("-") for name in names]
    while len(words) > 1 and all(len(each) > 1 and each[0] == words[0][0] for each in words):
        words = [each[1:] for each in words]
    return ["-".join(each) for each in words]

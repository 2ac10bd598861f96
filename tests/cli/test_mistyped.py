"""Generated command lines that cannot work: each gets one message, by the right command, and no traceback."""

import re
from pathlib import Path

import pytest

from activation_study.cli.commands import COMMANDS
from activation_study.location import SCRIPTS
from mistyped import Answer, Line, answer, lines  # in benchmarks/

LINES = lines()


def test_they_are_many_and_the_same_each_time() -> None:
    assert len(LINES) > 200
    assert lines() == LINES


@pytest.mark.parametrize("command", COMMANDS)
def test_each_gets_one_message_of_the_right_command(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    complaints = []
    for line in (each for each in LINES if each.command == command):
        given = answer(line)
        complaints += [f"{' '.join(line.arguments)}: {what}\n{given.error}" for what in faults(line, given)]
    assert not complaints, "\n\n".join(complaints)
    assert not list(tmp_path.rglob("run.json"))


def faults(line: Line, given: Answer) -> list[str]:
    found = []
    if given.code not in ({2} if line.certain else {0, 2}):
        found.append(f"exit code {given.code}")
    if "Traceback" in given.output + given.error:
        found.append("a traceback")
    if given.code == 2 and (given.error.count("error:") != 1 or not given.error.startswith("error: ")):
        found.append("not one message")
    named = re.findall(r"`([^`]*) --(?:help|cfg job)", given.error)
    expected = f"python {SCRIPTS[line.command]}" if line.command in SCRIPTS else f"activation-study {line.command}"
    if any(name != expected for name in named):
        found.append(f"names {named}")
    if re.search(r"hydra\.|omegaconf|ListConfig|DictConfig|full_key|struct", given.error.replace("hydra.mode", "")):
        found.append("words of a library")
    return found

"""What a single run prints at its end."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from activation_study.records.record import read_record
from activation_study.runs.messages import print_next_steps, print_scores
from fake_runs import write_run


def test_the_scores_name_the_epoch_of_their_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run(tmp_path, "relu", 0)
    record = read_record(folder)
    assert record is not None
    config: Any = SimpleNamespace(training=SimpleNamespace(epochs=3))
    print_scores(config, record, folder)
    assert "protocol; weights of epoch 1 (lowest validation loss); 1 epoch of at most 3" in capsys.readouterr().out


def test_a_finished_run_says_where_its_pictures_are_and_how_to_reproduce_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_next_steps(Path("holiday (1)/x/surfaces-relu-seed0-1c86a2fa"))
    assert capsys.readouterr().out.splitlines() == [
        "Pictures:             holiday (1)/x/surfaces-relu-seed0-1c86a2fa/pictures",
        "Reproduce:            python reproduce.py run='holiday (1)/x/surfaces-relu-seed0-1c86a2fa'",
    ]

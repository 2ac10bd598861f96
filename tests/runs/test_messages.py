"""What a single run prints at its end."""

from pathlib import Path

import pytest

from activation_study.runs.messages import print_next_steps


def test_a_finished_run_says_where_its_pictures_are_and_how_to_reproduce_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_next_steps(Path("holiday (1)/x/surfaces-relu-seed0-1c86a2fa"))
    assert capsys.readouterr().out.splitlines() == [
        "Pictures:             holiday (1)/x/surfaces-relu-seed0-1c86a2fa/pictures",
        "Reproduce:            python reproduce.py run='holiday (1)/x/surfaces-relu-seed0-1c86a2fa'",
    ]

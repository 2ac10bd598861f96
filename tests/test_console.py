"""Output to a broken pipe or a full disk does not end the process; progress bars."""

import subprocess
import sys

from activation_study.console import track_progress

PROGRAM = """
import sys
from activation_study.console import ignore_broken_pipes
ignore_broken_pipes()
for number in range(20000):
    print("a line", number)
    print("an error", number, file=sys.stderr)
sys.stdout.flush()
open(sys.argv[1], "w").write("reached the end")
"""


def test_a_broken_pipe_does_not_stop_the_process(tmp_path) -> None:
    output = tmp_path / "output"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(output)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "a line 0\n"
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert output.read_text() == "reached the end"


def test_a_full_disk_does_not_stop_the_process(tmp_path) -> None:
    output = tmp_path / "output"
    with open("/dev/full", "w") as full:
        result = subprocess.run([sys.executable, "-c", PROGRAM, str(output)], stdout=full, stderr=full, timeout=60)
    assert result.returncode == 0
    assert output.read_text() == "reached the end"


def test_progress_yields_all_items() -> None:
    assert list(track_progress([1, 2, 3], "items")) == [1, 2, 3]

"""Output that outlives its terminal, its pipe and its disk."""

import subprocess
import sys

CODE = """
import sys
from activation_study.console import ignore_broken_pipes
ignore_broken_pipes()
for number in range(20000):
    print("a line", number)
    print("an error", number, file=sys.stderr)
sys.stdout.flush()
open(sys.argv[1], "w").write("reached the end")
"""


def test_a_broken_pipe_stops_nothing(tmp_path) -> None:
    reached = tmp_path / "reached"
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(reached)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "a line 0\n"
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert reached.read_text() == "reached the end"


def test_a_full_disk_stops_nothing(tmp_path) -> None:
    reached = tmp_path / "reached"
    with open("/dev/full", "w") as full:
        result = subprocess.run([sys.executable, "-c", CODE, str(reached)], stdout=full, stderr=full, timeout=60)
    assert result.returncode == 0
    assert reached.read_text() == "reached the end"

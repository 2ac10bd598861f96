"""Signals, sent to real processes."""

import pickle
import signal
import subprocess
import sys
import time

import pytest

from activation_study.signals import GracefulShutdown, Interrupted

BUSY = """
import hashlib, sys
from activation_study.signals import Interrupted, Interruption
with Interruption() as interruption:
    try:
        while True:
            print("step", flush=True)
            hashlib.pbkdf2_hmac("sha256", b"a step that no signal ends", b"", {rounds})
            interruption.check()
    except Interrupted as error:
        print("saved", flush=True)
        sys.exit(error.exit_code)
"""
SHORT, LONG = 100_000, 2**31 - 1  # well under a second; many minutes


def start(rounds: int, ignored: int | None = None) -> subprocess.Popen[str]:
    code = BUSY.format(rounds=rounds)
    if ignored:
        code = f"import signal; signal.signal({ignored}, signal.SIG_IGN)\n{code}"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "step\n"
    return process


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 143), (signal.SIGHUP, 143)],
)
def test_a_signal_ends_the_run_after_the_step(number: signal.Signals, code: int) -> None:
    process = start(SHORT)
    process.send_signal(number)
    output, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert output.endswith("saved\n")
    assert f"{number.name}: saving after this step" in said


def test_a_second_ctrl_c_stops_in_the_middle_of_a_step() -> None:
    process = start(LONG)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None, "the first one waits for the end of the step"
    process.send_signal(signal.SIGINT)
    output, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "saved" not in output
    assert "stopped at once" in said


def test_an_ignored_signal_stays_ignored() -> None:
    process = start(SHORT, ignored=signal.SIGHUP)  # as under nohup
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_the_former_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with GracefulShutdown() as interruption:
        assert signal.getsignal(signal.SIGTERM) != before[1]
        interruption.check()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            interruption.check()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_interruption_passes_between_processes() -> None:
    error = pickle.loads(pickle.dumps(Interrupted(signal.SIGTERM)))
    assert (error.exit_code, str(error)) == (143, "SIGTERM")


SIGNAL_BEFORE_A_RUN = """
import os, signal
from activation_study.signals import Interrupted, Interruption, note
signal.signal(signal.SIGTERM, note)
os.kill(os.getpid(), signal.SIGTERM)
try:
    with Interruption() as interruption:
        interruption.check()
except Interrupted as error:
    print(error, error.exit_code)
"""

SIGNAL_WHILE_IT_SAVES = """
import os, signal, time
from activation_study.signals import Interrupted, Interruption
signal.signal(signal.SIGUSR2, lambda *_: None)
try:
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
        try:
            interruption.check()
        except Interrupted:
            os.kill(os.getpid(), signal.SIGUSR2)  # the state is being saved
            time.sleep(0.2)
            raise
except Interrupted as error:
    print(error, error.exit_code)
"""


@pytest.mark.parametrize(
    ("program", "told"), [(SIGNAL_BEFORE_A_RUN, "SIGTERM 143"), (SIGNAL_WHILE_IT_SAVES, "SIGUSR2 143")]
)
def test_no_signal_is_lost_between_runs_or_while_a_state_is_saved(program: str, told: str) -> None:
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == told

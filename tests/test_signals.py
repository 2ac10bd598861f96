"""Graceful shutdown of real processes."""

import pickle
import signal
import subprocess
import sys
import time

import pytest

from activation_study.signals import GracefulShutdown, Interrupted

PROGRAM = """
import hashlib, sys
from activation_study.signals import GracefulShutdown, Interrupted
with GracefulShutdown() as shutdown:
    try:
        while True:
            print("step", flush=True)
            hashlib.pbkdf2_hmac("sha256", b"a step that no signal can end", b"", {rounds})
            shutdown.check()
    except Interrupted as error:
        print("saved", flush=True)
        sys.exit(error.exit_code)
"""
SHORT, LONG = 100_000, 2**31 - 1  # rounds of a step: well under a second; many minutes


def start(rounds: int, ignored: int | None = None, before: str = "") -> subprocess.Popen[str]:
    code = before + PROGRAM.format(rounds=rounds)
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
    output, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert output.endswith("saved\n")
    assert f"{number.name}: saving a checkpoint after the current step" in errors


def test_a_second_ctrl_c_aborts_in_the_middle_of_a_step() -> None:
    process = start(LONG)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None, "the first Ctrl-C waits for the end of the step"
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "saved" not in output
    assert "aborted; the last checkpoint, if there is one, is intact" in errors


def test_a_second_interrupt_leaves_the_kernel_of_a_notebook_alive() -> None:
    process = start(20 * SHORT, before="import sys; sys.modules['ipykernel'] = sys\n")
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    output, errors = process.communicate(timeout=60)
    assert output.endswith("saved\n")
    assert "restart the kernel to abort immediately" in errors


def test_an_ignored_signal_stays_ignored() -> None:
    process = start(SHORT, ignored=signal.SIGHUP)  # as under nohup
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_the_previous_handlers_are_restored() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with GracefulShutdown() as shutdown:
        assert signal.getsignal(signal.SIGTERM) != before[1]
        shutdown.check()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            shutdown.check()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_interruption_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(Interrupted(signal.SIGTERM)))
    assert (error.exit_code, str(error)) == (143, "SIGTERM")


SIGNAL_BEFORE_A_RUN = """
import os, signal
from activation_study.signals import GracefulShutdown, Interrupted, record_signal
signal.signal(signal.SIGTERM, record_signal)
os.kill(os.getpid(), signal.SIGTERM)
try:
    with GracefulShutdown() as shutdown:
        shutdown.check()
except Interrupted as error:
    print(error, error.exit_code)
"""

SIGNAL_WHILE_SAVING = """
import os, signal, time
from activation_study.signals import GracefulShutdown, Interrupted
signal.signal(signal.SIGUSR2, lambda *_: None)
try:
    with GracefulShutdown() as shutdown:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
        try:
            shutdown.check()
        except Interrupted:
            os.kill(os.getpid(), signal.SIGUSR2)  # as while the checkpoint is saved
            time.sleep(0.2)
            raise
except Interrupted as error:
    print(error, error.exit_code)
"""


@pytest.mark.parametrize(
    ("program", "expected"), [(SIGNAL_BEFORE_A_RUN, "SIGTERM 143"), (SIGNAL_WHILE_SAVING, "SIGUSR2 143")]
)
def test_no_signal_is_lost_between_runs_or_while_a_checkpoint_is_saved(program: str, expected: str) -> None:
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == expected

"""A user ID without a name and a home folder, as in containers."""

import getpass
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from activation_study.user import provide_user, user_name


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "HOME"):
        monkeypatch.setenv(name, "")  # restored by pytest, also after it is set in the test
        monkeypatch.delenv(name)

    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.mark.usefixtures("nobody")
def test_a_user_without_a_name_is_called_by_the_id() -> None:
    assert user_name() == str(os.getuid())
    provide_user()
    assert getpass.getuser() == str(os.getuid()), "for libraries that ask"


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("home", [None, ""])
def test_a_user_without_a_home_gets_a_private_one(home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if home is not None:
        monkeypatch.setenv("HOME", home)
    provide_user()
    assert Path.home().is_dir()
    assert Path.home().stat().st_mode & 0o777 == 0o700
    first = Path.home()
    provide_user()
    assert Path.home() == first
    shutil.rmtree(first)


def test_who_has_a_name_and_a_home_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setenv("LOGNAME", "ada")
    monkeypatch.setenv("HOME", "/somewhere")
    provide_user()
    assert (user_name(), os.environ["HOME"]) == ("ada", "/somewhere")


def test_the_home_is_removed_at_the_end() -> None:
    code = (
        "import os, pwd\n"
        "def unknown(uid): raise KeyError(uid)\n"
        "pwd.getpwuid = unknown\n"
        "from activation_study.user import provide_user\n"
        "provide_user(); print(os.environ['HOME'])"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    home = Path(result.stdout.strip())
    assert home.name.startswith("activation-study-home-")
    assert not home.exists()

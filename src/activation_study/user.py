"""A name and a home folder for the user of this process, where the system knows none.

In a container, or with `docker run --user 12345`, the user ID often has neither. MLflow, Matplotlib and Keras ask for
both and fail without them.
"""

import atexit
import getpass
import os
import shutil
import tempfile
from pathlib import Path


def provide_user() -> None:
    """Sets the environment variables USER and HOME if nothing else says who the user is."""
    if not _has_name():
        os.environ["USER"] = user_name()
    if not _has_home():
        home = tempfile.mkdtemp(prefix="activation-study-home-")  # only this user can write there
        os.environ["HOME"] = home
        atexit.register(_remove, home, os.getpid())


def user_name() -> str:
    """The user's name; the user ID where it has no name."""
    return getpass.getuser() if _has_name() else str(os.getuid())


def _has_name() -> bool:
    try:
        return bool(getpass.getuser())
    except (KeyError, OSError):  # until and since Python 3.13
        return False


def _has_home() -> bool:
    try:
        return bool(os.environ.get("HOME", "-")) and bool(Path.home())
    except RuntimeError:
        return False


def _remove(home: str, process: int) -> None:
    if os.getpid() == process:  # a forked process inherits the registration
        shutil.rmtree(home, ignore_errors=True)

"""Runs git in a test's repository."""

import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> bytes:
    author = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    command = ["git", "-C", str(folder), *author, *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout

"""What a patch of the code may contain, because it is copied into each run's folder and into MLflow: source code.

That is files with the suffixes below in `src/`, `conf/` and the top level. Data, pictures and whatever may be a secret
stay out.
"""

import os
import re
from dataclasses import dataclass

from activation_study.credentials import has_credentials, is_secret_name, secret_in_code

SUFFIXES = (".py", ".yaml", ".j2", ".toml")
FOLDERS = ("src", "conf")
PINNED_VERSIONS = "constraints.txt"  # where git tracks it
MAX_PATCH_SIZE = 2**20  # bytes, of the whole patch


@dataclass(frozen=True)
class CodeChanges:
    """The differences of the code from the commit.

    Args:
        patch: for `git apply` in the project's folder; empty if there is none, or if it is left out.
        left_out: what is changed and not in the patch, with the reason.
    """

    patch: bytes = b""
    left_out: tuple[str, ...] = ()


def is_code(name: str) -> bool:
    """Whether a file is of the code that runs. In `src/` and `conf/` it is so even if it is named like a secret.

    Args:
        name: its path from the project's folder.
    """
    folder, *below = name.split("/")
    hidden = any(part.startswith(".") for part in (folder, *below))
    return name.endswith(SUFFIXES) and not hidden and (folder in FOLDERS if below else not is_secret_name(name))


def publishable(patch: bytes) -> CodeChanges:
    """A patch without the files that must not be copied: earlier versions wrote any file into it."""
    kept, left_out = [], []
    parts = re.split(rb"(?m)^(?=diff --git )", patch)  # one for each file
    for part in filter(None, parts):
        name = _name_of(part)
        reason = _reason_to_leave_out(name, part)
        if reason is None:
            kept.append(part)
        else:
            left_out.append(f"{name}: {reason}")
    return CodeChanges(b"".join(kept), tuple(left_out))


def _name_of(part: bytes) -> str:
    """The file of a part. Its first line has the name twice: `diff --git a/NAME b/NAME`."""
    names = os.fsdecode(part.splitlines()[0].removeprefix(b"diff --git "))
    return names[len(names) // 2 + 1 :].strip('"')[2:]


def _reason_to_leave_out(name: str, part: bytes) -> str | None:
    text = part.decode(errors="replace")
    if not is_code(name) and name != PINNED_VERSIONS:
        return "it is no source code"
    if is_secret_name(name):
        return "its name is that of a secret"
    if re.search(r"(?m)^(GIT binary patch$|Binary files )", text):
        return "binary content"
    if has_credentials(text):
        return "it contains an address with a password, or a private key"
    variable = secret_in_code(text, yaml=name.endswith(".yaml"))
    return variable and f"it contains what looks like a password, token or key: {variable}"

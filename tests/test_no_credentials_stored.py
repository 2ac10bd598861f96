"""A password in an address is used to connect, and is in nothing that is stored or printed."""

import zipfile
from pathlib import Path

import pytest

from cli_runner import TINY, command

pytestmark = pytest.mark.integration

# Nothing answers there.
URI = "tracking.uri=http://ada:hunter2@127.0.0.1:9"
ADDRESS = "data.addresses=['https://ada:hunter2@127.0.0.1:9/a.tar.gz?token=hunter2']"
QUICK = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "1"}


def files_with(folder: Path, secret: bytes) -> list[str]:
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        contents = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                contents += [archive.read(name) for name in archive.namelist()]
        # text arrays of NumPy have four bytes per character
        if any(secret in content or secret in content.replace(b"\0", b"") for content in contents):
            found.append(str(path.relative_to(folder)))
    return found


def test_a_password_of_the_tracking_server_is_nowhere(tmp_path: Path) -> None:
    tiny = (*TINY, "training.epochs=1", ADDRESS)
    study = "multirun/tiny"
    for script, *arguments in (
        ("train.py", "-m", "activation=relu,mish", "seed=0,1", *tiny, URI),
        ("train.py", "activation=elu", *tiny, URI, "threads=0"),
        ("train.py", "sync=true", "study=tiny", URI),
        ("train.py", "--cfg", "job", URI, ADDRESS),
        ("train.py", "--info", "config", URI),
        ("compare.py", "study=tiny", "pictures=false", URI),
        ("compare.py", "study=tiny", "pack=packed"),
        ("evaluate.py", "run=0a1b", URI),
    ):
        result = command(tmp_path, script, *arguments, **QUICK)
        assert "Traceback" not in result.stderr
        named = "http://127.0.0.1:9" in result.stdout + result.stderr
        assert named or script == "train.py" or "pack=packed" in arguments
        assert "hunter2" not in result.stdout + result.stderr
    assert len(list((tmp_path / study).glob("*/run.json"))) == 4
    (tmp_path / "secret").write_text("hunter2")
    assert files_with(tmp_path, b"hunter2") == ["secret"]
    assert (tmp_path / "packed/runs.npz").is_file()

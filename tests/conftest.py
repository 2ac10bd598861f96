"""Fixtures that several test modules use."""

import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

# The default of `tracking.uri`: the tests have stores of their own.
os.environ.pop("MLFLOW_TRACKING_URI", None)
# The width of tables; pytest-xdist sets it.
os.environ.pop("COLUMNS", None)
# Under nohup SIGHUP is ignored, and in a shell's background SIGINT; the processes that tests start would inherit that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# The keras.json of whoever runs the tests must not matter to those that use Keras directly, or to their processes.
os.environ["KERAS_HOME"] = str(Path(tempfile.gettempdir()) / "activation-study-tests" / "keras")

PROJECT = Path(__file__).resolve().parents[1]
STANFORD_ARCHIVE = PROJECT.parent / "shared/data/iccv09Data.tar.gz"

WriteIccv09 = Callable[..., Path]


@pytest.fixture(scope="session")
def stanford_archive() -> Path:
    if not STANFORD_ARCHIVE.is_file():
        pytest.skip(f"the Stanford Background Dataset's archive is not at {STANFORD_ARCHIVE}")
    return STANFORD_ARCHIVE


@pytest.fixture(scope="session")
def stanford_root(stanford_archive: Path) -> Path:
    """The real data set, extracted once per machine. Do not change it: later sessions use the same folder."""
    from activation_study.data.download import fetch

    root = Path(tempfile.gettempdir()) / "activation-study-tests" / "iccv09Data"
    fetch(root, stanford_archive, [])
    return root


@pytest.fixture(scope="session")
def write_iccv09() -> WriteIccv09:
    """`write_iccv09(root, names=("1", "2"), size=(12, 16))`: a small valid data set in the iccv09 layout."""
    return _write_iccv09


def _write_iccv09(root: Path, names: tuple[str, ...] = ("1", "2"), size: tuple[int, int] = (12, 16)) -> Path:
    import cv2

    generator = np.random.default_rng(0)
    (root / "images").mkdir(parents=True)
    (root / "labels").mkdir()
    for name in names:
        image = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
        (root / "images" / f"{name}.jpg").write_bytes(cv2.imencode(".jpg", image)[1].tobytes())
        for label_type, largest in (("regions", 7), ("surfaces", 2), ("layers", 20)):
            ids = generator.integers(-1, largest + 1, size)
            text = "".join(" ".join(map(str, row)) + "\n" for row in ids)
            (root / "labels" / f"{name}.{label_type}.txt").write_text(text)
    return root

"""A study in one file says what its folders say, and nothing about the machine's."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from activation_study.errors import BadInput
from activation_study.study.report import Wishes, make_report
from activation_study.study.runs import PACKED_FILE, pack, read_runs
from pretended import write_run


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    for seed in range(3):
        for place, name in enumerate(("relu", "mish")):
            write_run(folder, name, seed, 0.8 + 0.03 * place, started=float(place))
            write_run(folder, name, seed, 0.6, started=2.0 + place, label_type="regions")
    return folder


def test_the_packed_study_gives_the_same_tables_without_the_folders(study: Path, tmp_path: Path) -> None:
    first = make_report(study, Wishes())
    packed = tmp_path / "docs" / "study"
    pack(read_runs(study)[0], packed)
    kept = {name: (first / f"{name}.csv").read_text() for name in ("differences", "per_class")}
    runs = (first / "runs.csv").read_text().replace(f"{study.as_posix()}/", "")
    shutil.rmtree(study)
    again = make_report(packed, Wishes())
    assert {name: (again / f"{name}.csv").read_text() for name in kept} == kept
    assert (again / "runs.csv").read_text() == runs
    text = (again / "report.md").read_text()
    for name in ("seeds", "differences", "classes", "learning", "cost", "confusion"):
        assert f"figures/surfaces-{name}.svg" in text
        assert (again / "figures" / f"surfaces-{name}.svg").read_text().startswith("<svg ")


def test_no_path_of_the_machine_is_packed(study: Path, tmp_path: Path) -> None:
    path = pack(read_runs(study)[0], tmp_path)
    with np.load(path) as arrays:
        said = " ".join(str(arrays[name]) for name in arrays if name.startswith(("record", "folder")))
    assert "seed=2" in said
    for place in ("/somewhere/on/this/machine", str(study)):
        assert place not in said


def test_a_damaged_file_is_named(study: Path, tmp_path: Path) -> None:
    path = pack(read_runs(study)[0], tmp_path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(BadInput, match=PACKED_FILE):
        read_runs(tmp_path)

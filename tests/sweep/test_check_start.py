"""What a command finds wrong with own data before it starts, and in a dry run: by names, without reading files."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from activation_study.data.verification import FileTree
from activation_study.errors import BadInput
from activation_study.sweep.before_start import check_start
from activation_study.sweep.status import RunStatus
from activation_study.validation import from_hydra
from hydra_compose import composed


def job(*overrides: str, to_do: bool = True) -> Any:
    own = ("data=folder", "data.images=images", "data.labels=labels", "data.classes=classes.yaml")
    config = from_hydra(composed([*own, *overrides]))
    return SimpleNamespace(config=config, to_do=to_do, status=RunStatus.NEW)


def test_names_that_do_not_match_are_refused_before_any_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(FileTree, "_digest", lambda *_: pytest.fail("read"))
    monkeypatch.setattr(FileTree, "read_bytes", lambda *_: pytest.fail("read"))
    Path("classes.yaml").write_text("classes: [{name: a, id: 0}, {name: b, id: 1}]\n")
    for number in range(6):
        for path in (Path(f"images/{number}.jpg"), Path(f"labels/{number}_mask.png")):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"")
    with pytest.raises(BadInput, match=r"match with data\.label_suffix=_mask: add this to the command"):
        check_start([job(), job("seed=1")])
    check_start([job("data.label_suffix=_mask")])
    check_start([job(to_do=False)])

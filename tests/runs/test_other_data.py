"""The content of the data is compared with that of a study's finished runs, before anything starts."""

from pathlib import Path

import pytest

from activation_study.config.schema import Config, resolved
from activation_study.data.labels.label_types import label_type_of
from activation_study.data.source import current_digest
from activation_study.data.verification import FileTree
from activation_study.errors import BadInput
from activation_study.records.record import Record, Status
from activation_study.runs.other_data import reject_other_data
from activation_study.validation import from_hydra
from conftest import WriteIccv09
from hydra_compose import composed


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_iccv09: WriteIccv09) -> None:
    monkeypatch.chdir(tmp_path)
    write_iccv09(Path("one"), ("1", "2"))
    write_iccv09(Path("two"), ("1", "2", "3"))


def config(*overrides: str, root: str = "one") -> Config:
    return from_hydra(composed(["data=camvid", f"data.root={root}", *overrides]))


def finish(run: Config, status: Status = "FINISHED", digest: str | None = None) -> None:
    digest = digest or current_digest(run.data, label_type_of(run))
    assert digest is not None
    record = Record(run.run_name, run.study, "0", resolved(run), [], [], {}, {"data": digest})
    record.end(run.run_folder, status)


def test_unchanged_data_are_accepted_and_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    finish(config())
    monkeypatch.setattr(FileTree, "_digest", lambda *_: pytest.fail("read again"))
    reject_other_data([config(), config("seed=1")])


def test_changed_data_are_rejected_with_the_name_of_the_run() -> None:
    first = config()
    finish(first)
    Path("one/images/horizons.txt").unlink(missing_ok=True)
    Path("one/README").write_text("changed")
    for run in (first, config("seed=1"), config("activation=mish")):
        with pytest.raises(BadInput, match=f"{first.run_folder}: camvid had the content [0-9a-f]+, now [0-9a-f]+\n"):
            reject_other_data([run])


def test_another_folder_is_rejected_although_only_some_runs_are_in_the_command() -> None:
    finish(config())
    finish(config("seed=1"))
    with pytest.raises(BadInput, match=r"\(2 found\)"):
        reject_other_data([config("seed=2", root="two")])
    with pytest.raises(BadInput, match=r"surfaces-relu-seed1-[0-9a-f]+: camvid had the content"):
        reject_other_data([config("seed=0", root="two")], {config("seed=0").run_folder})
    both = [config("seed=0", root="two"), config("seed=1", root="two")]
    reject_other_data(both, {run.run_folder for run in both})


def test_two_contents_in_one_command_are_rejected() -> None:
    with pytest.raises(BadInput, match=r"data\.name=camvid stands for different contents in this command"):
        reject_other_data([config(), config("seed=1", root="two")])


@pytest.mark.parametrize("other", ["study=other", "data.name=other"])
def test_other_studies_and_data_sets_do_not_count(other: str) -> None:
    finish(config(other))
    reject_other_data([config(root="two")])


def test_unfinished_runs_and_unreadable_records_do_not_count() -> None:
    finish(config(), "KILLED", "0" * 64)
    finish(config("seed=1"), "FAILED", "0" * 64)
    finish(config("seed=2"), "FINISHED", "0" * 64)
    (config("seed=2").run_folder / "run.json").write_text("{")
    reject_other_data([config("seed=3")])


def test_data_that_are_not_there_are_compared_by_their_known_digest_alone() -> None:
    finish(config(), digest="0" * 64)
    reject_other_data([config(root="missing")])
    with pytest.raises(BadInput, match="had the content 000000000000, now 111111111111"):
        reject_other_data([config(f"data.digest={'1' * 64}", root="missing")])


def test_drawn_scenes_are_decided_by_the_configuration() -> None:
    run = from_hydra(composed(["data=scenes"]))
    finish(run, digest="0" * 64)
    reject_other_data([run, from_hydra(composed(["data=scenes", "data.count=9"]))])

"""A record that cannot be read is an error and not a missing record, because its folder must not be overwritten."""

from pathlib import Path

import pytest

from activation_study.errors import BadInput
from activation_study.records.record import Record, read_record


def test_a_written_record_can_be_read(tmp_path: Path) -> None:
    assert read_record(tmp_path / "none") is None
    record = Record("run", "study", "0", {"seed": 1}, ["seed=1"], ["sky"], {}, {"data": "d"})
    record.epochs.append({"train/loss": 0.1 + 0.2, "time": 1.5})
    record.write(tmp_path)
    assert read_record(tmp_path) == record


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "run"}', "\x00"])
def test_a_record_that_cannot_be_read_is_rejected(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(BadInput, match=r"run\.json is not a valid record"):
        read_record(tmp_path)


def test_a_record_of_a_later_version_is_rejected(tmp_path: Path) -> None:
    record = Record("run", "study", "0", {}, [], [], {}, {}, version=99)
    record.write(tmp_path)
    with pytest.raises(BadInput, match="its version is 99"):
        read_record(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("results", []), ("results", {"test/mean_iou": "high"}), ("epochs", [{"train/loss": None}]), ("epochs", {}),
        ("digests", {}), ("digests", {"data": 5}), ("status", "DONE"), ("ended", "today"), ("classes", [1]),
        ("config", []), ("overrides", "seed=1"),
    ],
)  # fmt: skip
def test_fields_of_other_types_are_rejected(tmp_path: Path, field: str, value: object) -> None:
    record = Record("run", "study", "0", {}, [], [], {}, {"data": "d"})
    setattr(record, field, value)
    record.write(tmp_path)
    with pytest.raises(BadInput, match=rf"run\.json is not a valid record: {field} ha"):
        read_record(tmp_path)

"""Processor, memory and GPUs are sampled while a run trains, kept in the run folder, and mirrored once."""

import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from activation_study.records.record import Record
from activation_study.tracking.mirror import Mirror
from activation_study.tracking.system_metrics import SAMPLES_FILE, read_samples, sampled
from mirror_one_run import CONFIG
from mlflow_runs import trained_runs

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


def test_samples_are_taken_until_the_end_and_only_when_asked_for(tmp_path: Path) -> None:
    with sampled(tmp_path, enabled=False):
        pass
    assert read_samples(tmp_path) == []
    with sampled(tmp_path, enabled=True, interval=0.2):
        time.sleep(2)
    samples = read_samples(tmp_path)
    assert len(samples) >= 2
    for sample in samples:
        assert 0 <= sample["system/cpu_utilization_percentage"] <= 100
        assert sample["system/system_memory_usage_megabytes"] > 0
    assert samples == sorted(samples, key=lambda sample: sample["time"])


def test_a_folder_that_cannot_be_written_does_not_end_a_training(tmp_path: Path) -> None:
    with sampled(tmp_path / "missing", enabled=True, interval=0.05):
        time.sleep(0.3)


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    (tmp_path / SAMPLES_FILE).write_text('{"time": 1.0, "system/cpu_utilization_percentage": 5.0}\n{"time": 2.0, "sys')
    assert read_samples(tmp_path) == [{"time": 1.0, "system/cpu_utilization_percentage": 5.0}]


def test_samples_are_mirrored_once(tmp_path: Path) -> None:
    uri, folder, key = f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "run", "system/cpu_utilization_percentage"
    record = Record("run", "study", "0", {**CONFIG, "seed": 0}, [], ["sky"], {}, {"data": "d" * 64})
    record.write(folder)
    for number in range(1, 4):
        with open(folder / SAMPLES_FILE, "a") as file:
            file.write(f'{{"time": {number}.0, "{key}": {number}0.0}}\n')
        for _ in range(2):
            assert Mirror(folder, uri, "none").update(final=True)
    record.end(folder, "KILLED")
    assert Mirror(folder, uri, "none").update(final=True)
    client = MlflowClient(uri)
    (run,) = trained_runs(client, "study")
    history = [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, key)]
    assert history == [(0, 10.0), (1, 20.0), (2, 30.0)]
    assert SAMPLES_FILE in [item.path for item in client.list_artifacts(run.info.run_id)]

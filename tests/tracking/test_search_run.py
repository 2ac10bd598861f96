"""The trials of a search have one run above them in MLflow, below that of the study."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from activation_study.records.record import Record
from activation_study.tracking.mirror import Mirror, mirror_report
from activation_study.tracking.run_page.run_tags import PARENT_TAG, UNFOLDED
from fake_trials import TUNING
from mirror_one_run import CONFIG
from mlflow_runs import study_runs

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
Track = Callable[..., tuple[Record, Path]]


@pytest.fixture
def track(tmp_path: Path, uri: str) -> Track:
    def track(seed: int, trial: int | None = None, status: str | None = None) -> tuple[Record, Path]:
        config = {**CONFIG, "seed": seed, "tuning": {**TUNING, "trial": trial}}
        name = f"surfaces-mish-seed{seed}-{trial}"
        record = Record(name, "study", "0", config, [], ["sky"], {}, {"data": "d" * 64})
        folder = tmp_path / "study" / name
        record.write(folder)
        if status:
            record.end(folder, status)  # type: ignore[arg-type]
        assert Mirror(folder, uri, "none").update(final=True)
        return record, folder

    return track


def test_trials_are_below_their_search_and_other_runs_below_the_study(track: Track, uri: str, tmp_path: Path) -> None:
    track(1000, 0, "FINISHED"), track(1000, 1, "PRUNED"), track(0, None, "FINISHED")
    client = MlflowClient(uri)
    (study,) = study_runs(client, "study")
    runs = {run.info.run_name: run for run in client.search_runs([study.info.experiment_id])}
    search = runs["search: surfaces mish"]
    parents = {name: run.data.tags.get(PARENT_TAG) for name, run in runs.items()}
    assert parents == {
        "study": None,
        "search: surfaces mish": study.info.run_id,
        "surfaces-mish-seed1000-0": search.info.run_id,
        "surfaces-mish-seed1000-1": search.info.run_id,
        "surfaces-mish-seed0-None": study.info.run_id,
    }
    assert not UNFOLDED.items() <= runs["surfaces-mish-seed1000-0"].data.tags.items(), "trials stay folded"
    assert {run.info.status for run in runs.values()} == {"FINISHED"}, "a pruned trial is no failure"
    assert search.data.metrics == search.data.params == {}
    report = tmp_path / "report"
    report.mkdir()
    (report / "report.md").write_text("The answer.\n\n## Details\n")
    mirror_report(report, "study", uri)
    again = {run.info.run_name: run for run in client.search_runs([study.info.experiment_id])}
    assert {name: run.data.tags.get(PARENT_TAG) for name, run in again.items()} == parents


def test_a_search_is_running_while_a_trial_is(track: Track, uri: str) -> None:
    record, folder = track(1000, 0)

    def statuses() -> dict[str, str]:
        client = MlflowClient(uri)
        (study,) = study_runs(client, "study")
        return {run.info.run_name: run.info.status for run in client.search_runs([study.info.experiment_id])}

    assert set(statuses().values()) == {"RUNNING"}
    record.end(folder, "FINISHED")
    assert Mirror(folder, uri, "none").update(final=True)
    assert set(statuses().values()) == {"FINISHED"}

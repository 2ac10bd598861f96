"""A person sets a run's tag `stop` in MLflow."""

import itertools
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from activation_study.tracking import stop_request
from activation_study.tracking.stop_request import StopRequest

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture
def run(tmp_path: Path) -> tuple[MlflowClient, str, str]:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri)
    return client, uri, client.create_run(client.create_experiment("study")).info.run_id


@pytest.mark.parametrize(
    ("value", "stops"), [("true", True), (" True", True), ("1", True), ("false", False), ("", False)]
)
def test_only_true_stops(
    run: tuple[MlflowClient, str, str], value: str, stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop_request, "MIN_INTERVAL", 0.0)
    client, uri, run_id = run
    request = StopRequest(uri, 1.0)
    assert not request.received(client, run_id)
    client.set_tag(run_id, "stop", value)
    time.sleep(0.1)
    assert request.received(client, run_id) is stops


def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the request reads as the time, in a list to change them."""
    clock = [0.0]
    monkeypatch.setattr(stop_request.time, "perf_counter", lambda: clock[0])
    return clock


def test_the_store_is_asked_seldom_but_at_least_once_a_minute(
    run: tuple[MlflowClient, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, uri, run_id = run
    clock, asked = stopped_clock(monkeypatch), []
    request = StopRequest(uri, 0.01)

    def ask(duration: float) -> None:
        def value(client: MlflowClient, run_id: str) -> None:
            asked.append(clock[0])
            clock[0] += duration

        monkeypatch.setattr(request, "_value", value)

    for duration, end in ((0.02, 100), (0.3, 400), (2.0, 1000)):
        ask(duration)
        while clock[0] < end:
            request.received(client, run_id)
            clock[0] += 1
    gaps = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert min(gaps) >= 10, "a fast store: every ten seconds"
    assert max(gaps) <= 64, "a slow store: once a minute"
    assert any(30 <= gap <= 33 for gap in gaps), "between them 1 % of the time"


def test_a_store_that_fails_is_asked_less_often(
    run: tuple[MlflowClient, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, uri, run_id = run
    clock, asked = stopped_clock(monkeypatch), []
    request = StopRequest(uri, 0.01)

    def fail(client: MlflowClient, run_id: str) -> None:
        asked.append(clock[0])
        clock[0] += 5
        raise OSError

    monkeypatch.setattr(request, "_value", fail)
    while clock[0] < 2000:
        assert not request.received(client, run_id)
        clock[0] += 1
    assert len(asked) == 4

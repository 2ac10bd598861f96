"""Stops a run from MLflow's page: a person sets its tag `stop` to `true`."""

import sqlite3
import time
from contextlib import closing
from typing import Any

from activation_study.tracking.store.reachable import TIMEOUT, check_reachable
from activation_study.tracking.store.sqlite import database_path
from activation_study.tracking.tags import STOP_TAG

MIN_INTERVAL, MAX_INTERVAL = 10.0, 60.0  # seconds between two questions to a store that answers
TRUE = ("true", "1", "yes")


class StopRequest:
    """Asks a store, seldom enough, whether a run shall stop.

    Args:
        uri: the store's tracking URI.
        fraction: the share of the time that asking may take, unless it would then be asked less than once a minute.
    """

    def __init__(self, uri: str, fraction: float) -> None:
        self._uri, self._fraction = uri, fraction
        self._next = time.perf_counter() + MIN_INTERVAL

    def received(self, client: Any, run_id: str) -> bool:
        """Whether the run's tag `stop` is true; False between two questions, and while the store does not answer.

        Args:
            client: MLflow's client.
            run_id: of the run.
        """
        started = time.perf_counter()
        if started < self._next:
            return False
        longest, value = MAX_INTERVAL, None
        try:
            value = self._value(client, run_id)
        except Exception:  # asked again later, less often the longer it took
            longest = float("inf")
        ended = time.perf_counter()
        self._next = ended + min(max(MIN_INTERVAL, (ended - started) / self._fraction), longest)
        return value is not None and value.strip().lower() in TRUE

    def _value(self, client: Any, run_id: str) -> str | None:
        database = database_path(self._uri)
        if database is None:
            check_reachable(self._uri)
            value = client.get_run(run_id).data.tags.get(STOP_TAG)
            return None if value is None else str(value)
        # Read directly: no request of MLflow's, which would load all metrics of the run.
        address = f"{database.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=TIMEOUT)) as connection:
            query = "SELECT value FROM tags WHERE run_uuid = ? AND key = ?"
            row = connection.execute(query, (run_id, STOP_TAG)).fetchone()
            return None if row is None else str(row[0])

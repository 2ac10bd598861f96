"""Runs train.py and sets the tag `stop` of its run in MLflow: python stop_at.py STEP URI ARGUMENTS…

The tag is set before the STEP-th step of this process. The run asks for it at each step instead of every ten seconds.
"""

import runpy
import sys
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from activation_study.model import network
from activation_study.tracking import stop_request

ROOT = Path(__file__).parents[1]


def main(step: str, uri: str, *arguments: str) -> None:
    original, calls = network.Network.train_on, 0

    def counted(self: Any, *values: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == int(step):
            set_tag(uri)
        return original(self, *values)

    network.Network.train_on = counted
    stop_request.MIN_INTERVAL = stop_request.MAX_INTERVAL = 0.0
    sys.argv = [str(ROOT / "train.py"), *arguments]
    runpy.run_path(sys.argv[0], run_name="__main__")


def set_tag(uri: str) -> None:
    client = MlflowClient(uri)
    experiments = [each.experiment_id for each in client.search_experiments()]
    runs = client.search_runs(experiments, "attributes.status = 'RUNNING'")
    (run,) = [run for run in runs if "identity" in run.data.tags]  # the study's own run has none
    client.set_tag(run.info.run_id, "stop", "true")


if __name__ == "__main__":
    main(*sys.argv[1:])

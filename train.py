"""Trains one run, or with -m a sweep of runs: `python train.py --help`."""

import sys
from pathlib import Path

try:
    from activation_study.cli import train
except ModuleNotFoundError as error:
    print(f"error: {error}; activate the environment (make demo makes it): source .venv/bin/activate", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(train(Path(__file__).resolve().parent / "conf"))

"""Trains one run, or with -m a sweep of runs: `python train.py --help`."""

import sys
from pathlib import Path

from activation_study.cli import train

if __name__ == "__main__":
    sys.exit(train(Path(__file__).resolve().parent / "conf"))

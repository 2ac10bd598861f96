"""Scores a tracked run's weights elsewhere: `python evaluate.py run=RUN data=… part=… evaluation.resize=…`."""

import sys
from pathlib import Path

from activation_study.cli import evaluate

if __name__ == "__main__":
    sys.exit(evaluate(Path(__file__).resolve().parent / "conf"))

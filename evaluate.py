"""Scores a tracked run's weights elsewhere: `python evaluate.py run=RUN data=… part=… evaluation.resize=…`."""

import sys
from pathlib import Path

try:
    from activation_study.cli import evaluate
except ModuleNotFoundError as error:
    print(f"error: {error}; activate the environment (make demo makes it): source .venv/bin/activate", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(evaluate(Path(__file__).resolve().parent / "conf"))

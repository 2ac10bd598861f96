"""Looks at a data set before anything is trained on it: `python inspect_data.py data=… label_type=…`."""

import sys
from pathlib import Path

try:
    from activation_study.cli import inspect_data
except ModuleNotFoundError as error:
    print(f"error: {error}; activate the environment (make demo makes it): source .venv/bin/activate", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(inspect_data(Path(__file__).resolve().parent / "conf"))

"""Looks at a data set before anything is trained on it: `python inspect_data.py data=… label_type=…`."""

import sys
from pathlib import Path

from activation_study.cli import inspect_data

if __name__ == "__main__":
    sys.exit(inspect_data(Path(__file__).resolve().parent / "conf"))

"""Compares the finished runs of a study: `python compare.py study=NAME`."""

import sys
from pathlib import Path

from activation_study.cli import compare

if __name__ == "__main__":
    sys.exit(compare(Path(__file__).resolve().parent / "conf"))

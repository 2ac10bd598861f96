"""Compares the finished runs of a study: `python compare.py study=NAME`."""

import sys
from pathlib import Path

try:
    from activation_study.cli import compare
except ModuleNotFoundError as error:
    print(f"error: {error}; activate the environment (make demo makes it): source .venv/bin/activate", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(compare(Path(__file__).resolve().parent / "conf"))

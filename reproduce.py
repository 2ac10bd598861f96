"""Trains one tracked run again and says whether it came out the same: `python reproduce.py run=RUN`."""

import sys
from pathlib import Path

try:
    from activation_study.cli import reproduce
except ModuleNotFoundError as error:
    print(f"error: {error}; activate the environment (make demo makes it): source .venv/bin/activate", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(reproduce(Path(__file__).resolve().parent / "conf"))

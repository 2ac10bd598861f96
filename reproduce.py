"""Trains one tracked run again and says whether it came out the same: `python reproduce.py run=RUN`."""

import sys
from pathlib import Path

from activation_study.cli import reproduce

if __name__ == "__main__":
    sys.exit(reproduce(Path(__file__).resolve().parent / "conf"))

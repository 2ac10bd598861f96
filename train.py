"""Train one run, or with -m a sweep of runs: `python train.py --help`."""

import sys

try:
    from activation_study.cli import main
except ModuleNotFoundError as error:
    print(f"error: {error}; activate the environment (make demo makes it): source .venv/bin/activate", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(main("train"))

"""Compare the finished runs of a study: `python compare.py --help`."""

import sys

try:
    from activation_study.cli import main
except ModuleNotFoundError as error:
    print(f"error: {error}; activate the environment (make demo makes it): source .venv/bin/activate", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(main("compare"))

"""What tracked runs see in pictures of your own: `python predict.py run=RUN images=FOLDER_OR_FILE`."""

import sys
from pathlib import Path

try:
    from activation_study.cli import predict
except ModuleNotFoundError as error:
    print(f"error: {error}; activate the environment (make demo makes it): source .venv/bin/activate", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(predict(Path(__file__).resolve().parent / "conf"))

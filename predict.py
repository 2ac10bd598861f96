"""What tracked runs see in pictures of your own: `python predict.py run=RUN images=FOLDER_OR_FILE`."""

import sys
from pathlib import Path

from activation_study.cli import predict

if __name__ == "__main__":
    sys.exit(predict(Path(__file__).resolve().parent / "conf"))

"""A tracked run's network as one ONNX file, for other programs: `python export.py run=RUN output=FILE.onnx`."""

import sys
from pathlib import Path

try:
    from activation_study.cli import export
except ModuleNotFoundError as error:
    print(f"error: {error}; activate the environment (make demo makes it): source .venv/bin/activate", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(export(Path(__file__).resolve().parent / "conf"))

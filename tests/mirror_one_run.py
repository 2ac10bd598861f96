"""Tracks one made-up run: python mirror_one_run.py URI FOLDER NUMBER EPOCHS [end].

With `end`, the store is updated only at the end of the run.
"""

import sys
import time
from pathlib import Path

from activation_study.records.record import Record
from activation_study.tracking.mirror import Mirror

STUDY = "crowd"
CONFIG = {
    "activation": {"name": "mish"}, "label_type": {"name": "surfaces"},
    "data": {"name": "scenes", "root": None, "format": "scenes", "image_size": [32, 32]}, "model": {"name": "unet"},
}  # fmt: skip


def main(uri: str, folder: str, number: str, epochs: str, when: str = "always") -> int:
    run = Path(folder) / STUDY / f"surfaces-mish-seed{number}-0"
    record = Record(run.name, STUDY, "0", {**CONFIG, "seed": int(number)}, [], ["sky"], {}, {"data": "d" * 64})
    mirror = Mirror(run, uri, "none")
    for epoch in range(1, int(epochs) + 1):
        others = {f"other/{number}": epoch / number for number in range(1, 7)}  # a real epoch has eight metrics
        record.epochs.append({"train/loss": 1 / epoch, "val/loss": 2 / epoch, **others, "time": time.time()})
        if when == "always":
            record.write(run)
            mirror.update(final=True)  # after every epoch, however long it takes
    record.results["test/mean_iou"] = 0.5
    record.end(run, "FINISHED")
    deadline = time.monotonic() + 120
    while not mirror.update(final=True):
        if time.monotonic() > deadline:
            return 1
        time.sleep(1)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

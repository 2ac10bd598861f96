"""Runs all benchmarks: python benchmarks/bench.py [--quick] [KEY=VALUE …]; `make bench` writes docs/BENCHMARKS.md.

KEY=VALUE locates the Stanford Background Dataset, as for train.py: data.archive=PATH. Prints Markdown to standard
output and progress to standard error.
"""

import argparse
import datetime
import platform
import tempfile
from pathlib import Path

from activation_study.data.dataset import Dataset
from activation_study.hardware import BFLOAT16_FLAGS, available_threads, processor, processor_flags
from activation_study.records.environment import version_of
from common import PROJECT, configuration, drawn_folder
from interleaved import log
from mistyped import answer_times, lines
from overhead import overhead
from scaling import scaling
from side_by_side import ACTIVATIONS, activations, memory, training

PACKAGES = ("tensorflow", "keras", "numpy", "torch")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a short check with drawn images",
    )
    parser.add_argument("--turns", type=int, default=7, help="steps of each implementation")
    parser.add_argument("data", nargs="*", metavar="KEY=VALUE", help="where the data set is")
    options = parser.parse_args()
    if options.quick and options.data:
        parser.error("--quick uses drawn images; omit KEY=VALUE")
    if not version_of("torch"):
        log("PyTorch is not installed and is skipped: pip install -c constraints.txt -e .[torch]")
    flags = ", ".join(sorted(BFLOAT16_FLAGS & processor_flags())) or "no bf16 instructions"
    versions = ", ".join(f"{name} {version_of(name)}" for name in PACKAGES if version_of(name))
    machine = f"{processor()}, {available_threads()} cores ({flags}), {platform.system()}"
    print(f"# Benchmarks\n\nWritten by `make bench` on {datetime.date.today()}.\n")
    print(f"{machine}, Python {platform.python_version()}, {versions}.", flush=True)
    runs = PROJECT / "multirun"  # on the disk of the runs; temporary folders may be in memory
    runs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=runs) as folder:
        size, turns, data = (224, 32), options.turns, tuple(options.data)
        if options.quick:
            size, turns, data = (64, 8), 3, drawn_folder(Path(folder) / "drawn", 20)
        names, wrong = (ACTIVATIONS[:1], lines()[::10]) if options.quick else (ACTIVATIONS, lines())
        config = configuration(f"data.image_size={size[0]}", f"data.cache={folder}/cache", data=data)
        dataset = Dataset(config)  # first, so that a wrong path fails early
        for section in (
            lambda: training(size, turns, names),
            lambda: activations(size, turns),
            lambda: memory(size),
            lambda: scaling(config, dataset, size, Path(folder), options.quick),
            lambda: f"## Wrong command lines\n\n{answer_times(wrong)}",
            lambda: overhead(config, dataset, size, Path(folder)),  # last: it trains in this process
        ):
            print(f"\n{section()}", flush=True)


if __name__ == "__main__":
    main()

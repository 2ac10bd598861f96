"""All benchmarks: python benchmarks/bench.py [--quick] [KEY=VALUE …], or `make bench`, which writes docs/BENCHMARKS.md.

KEY=VALUE says where the Stanford Background Dataset is, as for train.py: data.archive=PATH. Prints Markdown; what it
does goes to standard error.
"""

import argparse
import datetime
import platform
import tempfile
from pathlib import Path

from activation_study.data.dataset import Dataset
from activation_study.hardware import BFLOAT16_FLAGS, available_threads, processor, processor_flags
from activation_study.records.environment import version_of
from around import around
from common import PROJECT, configuration, drawn_folder
from growth import growth
from race import say
from side_by_side import activations, memory, training

PACKAGES = ("tensorflow", "keras", "numpy", "torch")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small networks, few turns, drawn pictures: it works")
    parser.add_argument("--turns", type=int, default=7, help="steps of each way to train")
    parser.add_argument("data", nargs="*", metavar="KEY=VALUE", help="where the data set is")
    options = parser.parse_args()
    if options.quick and options.data:
        parser.error("--quick draws its pictures; leave out KEY=VALUE")
    if not version_of("torch"):
        say("PyTorch is left out: pip install -c constraints.txt -e .[bench]")
    flags = ", ".join(sorted(BFLOAT16_FLAGS & processor_flags())) or "no instructions for bf16"
    versions = ", ".join(f"{name} {version_of(name)}" for name in PACKAGES if version_of(name))
    machine = f"{processor()}, {available_threads()} cores ({flags}), {platform.system()}"
    print(f"# Benchmarks\n\nWritten by `make bench` on {datetime.date.today()}.\n")
    print(f"{machine}, Python {platform.python_version()}, {versions}.", flush=True)
    runs = PROJECT / "multirun"  # what is saved is saved where runs are: elsewhere may be memory
    runs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=runs) as folder:
        size, turns, data = (224, 32), options.turns, tuple(options.data)
        if options.quick:
            size, turns, data = (64, 8), 3, drawn_folder(Path(folder) / "drawn", 20)
        config = configuration(f"data.image_size={size[0]}", f"data.cache={folder}/cache", data=data)
        dataset = Dataset(config)  # before the long part: it may be refused
        for section in (
            lambda: training(size, turns),
            lambda: activations(size, turns),
            lambda: memory(size),
            lambda: growth(config, dataset, size, Path(folder), options.quick),
            lambda: around(config, dataset, size, Path(folder)),  # last: it trains in this process
        ):
            print(f"\n{section()}", flush=True)


if __name__ == "__main__":
    main()

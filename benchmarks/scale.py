"""What it costs to run many at once: python benchmarks/scale.py [--server http://…]. Prints Markdown.

Launchers (Slurm where there is one), processes against threads, and stores: SQLite, and a server that is running.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shutil import which

from common import PROJECT, table
from race import say

TINY = (
    "data=scenes", "data.count=12", "data.image_size=32", "model.widths=[4,6]", "model.encoder_blocks=[1,1]",
    "model.decoder_blocks=[1]", "training.epochs=1", "training.batch_size=3", "tracking=off",
)  # fmt: skip
SMALL = (
    "data=scenes", "data.count=80", "data.image_size=64", "model=unet_small", "training.epochs=6",
    "training.early_stopping.patience=99", "tracking=off",
)  # fmt: skip
JOBS = 12
SLURM = ("hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1")
EPOCHS = 100
POINTS = 8  # of each epoch


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", help="a tracking server's address")
    parser.add_argument("--stores", action="store_true", help="these alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not options.stores:
            print(launchers(Path(folder)), flush=True)
            print(processes(Path(folder)), flush=True)
        print(stores(Path(folder), options.server), flush=True)


def launchers(folder: Path) -> str:
    """Seconds a job."""
    ways = {
        "one after the other, in one process (Hydra's own)": ("threads=1",),
        "joblib, one process": ("hydra/launcher=joblib", "hydra.launcher.processes=1", "threads=1"),
        "joblib, two processes": ("hydra/launcher=joblib", "hydra.launcher.processes=2", "threads=1"),
    }
    if which("sbatch"):
        ways["slurm, one job at a time"] = (*SLURM, "hydra.launcher.array_parallelism=1")
        ways["slurm, two jobs at a time"] = (*SLURM, "hydra.launcher.array_parallelism=2")
    rows = []
    for number, (name, way) in enumerate(ways.items()):
        few, many = (
            _sweep(folder / f"l{number}-{jobs}", *TINY, *way, f"seed={','.join(map(str, range(jobs)))}")
            for jobs in (2, JOBS)
        )
        rows.append([name, f"{few:.1f}", f"{many:.1f}", f"{(many - few) / (JOBS - 2):.2f}"])
    return "## Launchers\n\nA sweep of toy runs (one epoch of 7 pictures), wall time.\n\n" + table(
        ["launcher", "2 runs, s", f"{JOBS} runs, s", "each more, s"], rows
    )


def processes(folder: Path) -> str:
    """One process with all threads against two with half of them."""
    ways = {
        "1 process × 2 threads": ("threads=2",),
        "2 processes × 1 thread": ("threads=1", "hydra/launcher=joblib", "hydra.launcher.processes=2"),
    }
    rows = [
        [name, *(f"{_sweep(folder / f'p{number}-{turn}', *SMALL, *way, 'seed=0,1,2,3'):.0f}" for turn in range(2))]
        for number, (name, way) in enumerate(ways.items())
    ]
    head = ["4 runs of unet_small, 64×64, 48 pictures, 6 epochs", "s", "again, s"]
    return "\n## Processes or threads\n\nOn 2 cores, equal total threads.\n\n" + table(head, rows)


def stores(folder: Path, server: str | None) -> str:
    """Points a second."""
    places = [("SQLite", f"sqlite:///{folder}/mlflow.db", 8)]
    places += [("PostgreSQL behind a server", server, 16)] if server else []
    rows = []
    ways = [(*place, when) for place in places for when in ("always", "end")]
    ways += [(name, uri, 1, "always") for name, uri, _ in places]
    for number, (name, uri, count, when) in enumerate(ways):
        say(f"{name}, {count}, {when} …")
        home = folder / f"s{number}"
        home.mkdir()
        line = [sys.executable, str(PROJECT / "tests/mirroring.py"), uri, str(home)]
        started = time.perf_counter()
        running = [subprocess.Popen([*line, str(seed), str(EPOCHS), when], cwd=home) for seed in range(count)]
        if any(process.wait() for process in running):
            raise SystemExit(f"{name}: a process failed")
        seconds = time.perf_counter() - started
        epochs = count * EPOCHS
        told = "each epoch in a call" if when == "always" else "all epochs at the end"
        rows.append(
            [name, str(count), told, f"{seconds:.1f}", f"{epochs / seconds:.0f}", f"{epochs * POINTS / seconds:.0f}"]
        )
    head = ["store", "processes at once", "how", "s", "epochs a second", "points a second"]
    return (
        f"\n## Stores\n\nProcesses that mirror a run each, {EPOCHS} epochs of {POINTS} points as fast as they can, the "
        "start of Python and MLflow included.\n\n" + table(head, rows)
    )


def _sweep(folder: Path, *arguments: str) -> float:
    """Its wall time."""
    say(f"{' '.join(arguments[7:])} …")
    folder.mkdir()
    line = [sys.executable, str(PROJECT / "train.py"), "-m", *arguments]
    started = time.perf_counter()
    result = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(result.stdout + result.stderr)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

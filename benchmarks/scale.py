"""The cost of running many runs at once: python benchmarks/scale.py [--server http://…]. Prints Markdown.

Compares launchers (Slurm if available), processes with threads, and MLflow stores: SQLite and a running server.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shutil import which

from common import PROJECT, table
from interleaved import log

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
POINTS = 8  # metrics per epoch


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", help="address of an MLflow server")
    parser.add_argument("--stores", action="store_true", help="measure only the stores")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not options.stores:
            print(launchers(Path(folder)), flush=True)
            print(processes(Path(folder)), flush=True)
        print(stores(Path(folder), options.server), flush=True)


def launchers(folder: Path) -> str:
    """Seconds per run with each launcher."""
    configurations = {
        "Hydra's default, one process": ("threads=1",),
        "joblib, one process": ("hydra/launcher=joblib", "hydra.launcher.processes=1", "threads=1"),
        "joblib, two processes": ("hydra/launcher=joblib", "hydra.launcher.processes=2", "threads=1"),
    }
    if which("sbatch"):
        configurations["slurm, one job at a time"] = (*SLURM, "hydra.launcher.array_parallelism=1")
        configurations["slurm, two jobs at a time"] = (*SLURM, "hydra.launcher.array_parallelism=2")
    rows = []
    for number, (name, options) in enumerate(configurations.items()):
        few, many = (
            _sweep(folder / f"l{number}-{jobs}", *TINY, *options, f"seed={','.join(map(str, range(jobs)))}")
            for jobs in (2, JOBS)
        )
        rows.append([name, f"{few:.1f}", f"{many:.1f}", f"{(many - few) / (JOBS - 2):.2f}"])
    return "## Launchers\n\nA sweep of toy runs (one epoch of 7 images), wall time.\n\n" + table(
        ["launcher", "2 runs, s", f"{JOBS} runs, s", "each additional run, s"], rows
    )


def processes(folder: Path) -> str:
    """One process with all threads against two processes with half of them each."""
    configurations = {
        "1 process × 2 threads": ("threads=2",),
        "2 processes × 1 thread": ("threads=1", "hydra/launcher=joblib", "hydra.launcher.processes=2"),
    }
    rows = [
        [name, *(f"{_sweep(folder / f'p{number}-{turn}', *SMALL, *options, 'seed=0,1,2,3'):.0f}" for turn in range(2))]
        for number, (name, options) in enumerate(configurations.items())
    ]
    head = ["4 runs of unet_small, 64×64, 48 images, 6 epochs", "s", "repeated, s"]
    return "\n## Processes or threads\n\nOn 2 cores, with equal total numbers of threads.\n\n" + table(head, rows)


def stores(folder: Path, server: str | None) -> str:
    """Logged points per second."""
    targets = [("SQLite", f"sqlite:///{folder}/mlflow.db", 8)]
    targets += [("PostgreSQL behind a server", server, 16)] if server else []
    rows = []
    configurations = [(*target, when) for target in targets for when in ("always", "end")]
    configurations += [(name, uri, 1, "always") for name, uri, _ in targets]
    for number, (name, uri, count, when) in enumerate(configurations):
        log(f"{name}, {count}, {when} …")
        store_folder = folder / f"s{number}"
        store_folder.mkdir()
        command = [sys.executable, str(PROJECT / "tests/mirror_one_run.py"), uri, str(store_folder)]
        started = time.perf_counter()
        running = [
            subprocess.Popen([*command, str(seed), str(EPOCHS), when], cwd=store_folder) for seed in range(count)
        ]
        if any(process.wait() for process in running):
            raise SystemExit(f"{name}: a process failed")
        seconds = time.perf_counter() - started
        epochs = count * EPOCHS
        mode = "one call per epoch" if when == "always" else "one call at the end"
        rows.append(
            [name, str(count), mode, f"{seconds:.1f}", f"{epochs / seconds:.0f}", f"{epochs * POINTS / seconds:.0f}"]
        )
    head = ["store", "processes at once", "calls", "s", "epochs per second", "points per second"]
    return (
        f"\n## Stores\n\nEach process mirrors one run, {EPOCHS} epochs of {POINTS} points, as fast as possible; "
        "starting Python and MLflow is included.\n\n" + table(head, rows)
    )


def _sweep(folder: Path, *arguments: str) -> float:
    """The wall time of a sweep in seconds."""
    log(f"{' '.join(arguments[7:])} …")
    folder.mkdir()
    command = [sys.executable, str(PROJECT / "train.py"), "-m", *arguments]
    started = time.perf_counter()
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(result.stdout + result.stderr)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

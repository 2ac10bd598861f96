"""Time and size of a checkpoint: python benchmarks/checkpoint.py [KEY=VALUE …]; by default of the article's network."""

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from activation_study.training.checkpoint import CHECKPOINT_FOLDER, Checkpoints
from activation_study.training.loop import initial_state
from activation_study.training.schedule import Schedule
from common import batch, configuration, in_turns, network

REPETITIONS = 5


def main() -> None:
    """Prints the medians."""
    config = configuration(*sys.argv[1:])
    model, state = network(config), initial_state(Schedule(), config.training.early_stopping)
    model.train_on(*batch(config))
    state.best_weights = model.weights()
    folder = Path(tempfile.mkdtemp(dir=config.folder if Path(config.folder).is_dir() else None))
    checkpoints = Checkpoints(folder, "a")
    try:
        saves, restores = in_turns(
            lambda: checkpoints.save(model, state), lambda: checkpoints.restore(model, Schedule()), turns=REPETITIONS
        )
        size = max(path.stat().st_size for path in (folder / CHECKPOINT_FOLDER).iterdir())
    finally:
        shutil.rmtree(folder)
    print(
        f"{model.unet.count_params():,} parameters: {size / 1e6:.0f} MB, saved in {statistics.median(saves):.2f} s "
        f"({min(saves):.2f} to {max(saves):.2f}), restored in {statistics.median(restores):.2f} s"
    )


if __name__ == "__main__":
    main()

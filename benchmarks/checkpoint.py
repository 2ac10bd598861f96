"""Time and size of a saved state: python benchmarks/checkpoint.py [KEY=VALUE …]; default: the article's network."""

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from activation_study.training.checkpoint import CHECKPOINT_FOLDER, Checkpoints
from activation_study.training.loop import initial_state
from common import batch, configuration, in_turns, network

REPETITIONS = 5


def main() -> None:
    """Prints the medians."""
    config = configuration(*sys.argv[1:])
    own, state = network(config), initial_state(config.schedule, config.training.early_stopping)
    own.train_on(*batch(config))
    state.best_weights = own.weights()
    folder = Path(tempfile.mkdtemp(dir=config.folder if Path(config.folder).is_dir() else None))
    checkpoints = Checkpoints(folder, "a")
    try:
        saves, restores = in_turns(
            lambda: checkpoints.save(own, state), lambda: checkpoints.restore(own), turns=REPETITIONS
        )
        size = max(path.stat().st_size for path in (folder / CHECKPOINT_FOLDER).iterdir())
    finally:
        shutil.rmtree(folder)
    print(
        f"{own.unet.count_params():,} parameters: {size / 1e6:.0f} MB, saved in {statistics.median(saves):.2f} s "
        f"({min(saves):.2f} to {max(saves):.2f}), restored in {statistics.median(restores):.2f} s"
    )


if __name__ == "__main__":
    main()

"""What is worth knowing before a training starts, because it would spoil the result."""

import math
from collections.abc import Iterator

from activation_study.config.schema import Config
from activation_study.data.dataset import Dataset
from activation_study.errors import counted

# At most this share of the normalisations' initial statistics may be left when training ends. Of their moving mean
# it is the relative error that training longer would remove; 0.99 needs 459 steps for it, 0.9 needs 44.
MAX_INITIAL_SHARE = 0.01
SHORT_MOMENTUM = 0.9  # suggested for short trainings


def start_warnings(config: Config, dataset: Dataset) -> Iterator[str]:
    """What to know before a configuration is trained on its data, one sentence each."""
    untrained = [name for name, pixels in dataset.training_pixels.items() if not pixels]
    if untrained:
        height, width = config.image_size
        where = f"not in the training labels at {height}×{width}"
        yield f"{', '.join(untrained)}: {where}, so the network cannot learn {'it' if len(untrained) == 1 else 'them'}"
    yield from _momentum_warning(config, len(dataset.split.train))


def _momentum_warning(config: Config, images: int) -> Iterator[str]:
    momentum, epochs = config.normalization.momentum, config.training.epochs
    batches = -(-images // config.training.batch_size)
    steps = epochs * batches
    left = momentum**steps
    if left <= MAX_INITIAL_SHARE:
        return
    training = f"{counted(steps, 'step')} ({counted(epochs, 'epoch')} of {batches:,} batch{'es' * (batches > 1)})"
    short = min(momentum, SHORT_MOMENTUM)
    needed = math.ceil(math.log(MAX_INITIAL_SHARE) / math.log(short) / batches) if short > 0 else 0
    longer = f"training.epochs={needed} or more" if needed > epochs else ""
    mend = " and ".join(filter(None, [f"normalization.momentum={short:g}" if short < momentum else "", longer]))
    yield (
        f"{training} are too few for normalization.momentum={momentum:g}: the network is validated and tested with "
        f"moving statistics that keep {100 * left:.0f} % of their initial values. Set {mend}"
    )

"""What is worth knowing before a training starts, because it would spoil the result."""

import math
from collections.abc import Iterator

from activation_study.config.schema import Config
from activation_study.data.dataset import Dataset
from activation_study.data.labels.declared_colors import nearest_color
from activation_study.data.labels.label_types import COLOR
from activation_study.data.labels.packed_color import to_hex
from activation_study.errors import counted

# At most this share of the normalisations' initial statistics may be left when training ends. Of their moving mean
# it is the relative error that training longer would remove; 0.99 needs 459 steps for it, 0.9 needs 44.
MAX_INITIAL_SHARE = 0.01
SHORT_MOMENTUM = 0.9  # suggested for short trainings
MOST = 0.5  # share of the pixels
MANY = 0.05  # share of the pixels
NEAR = 24.0  # distance of two colours that may be meant to be one


def start_warnings(config: Config, dataset: Dataset) -> Iterator[str]:
    """What to know before a configuration is trained on its data, one sentence each."""
    untrained = [name for name, pixels in dataset.training_pixels.items() if not pixels]
    if untrained:
        height, width = config.image_size
        where = f"not in the training labels at {height}×{width}"
        yield f"{', '.join(untrained)}: {where}, so the network cannot learn {'it' if len(untrained) == 1 else 'them'}"
    if dataset.label_type.ids:
        yield from _unknown_warning(config, dataset)
    yield from _momentum_warning(config, len(dataset.split.train))


def _unknown_warning(config: Config, dataset: Dataset) -> Iterator[str]:
    """Own labels that are mostly unknown, or whose colours miss those of the classes narrowly."""
    share = dataset.unknown_share
    if share <= MANY:
        return
    height, width = config.image_size
    unknown = f"{100 * share:.0f} % of the pixels in the training labels at {height}×{width} are unknown"
    label_type = dataset.label_type
    for value, part in dataset.undeclared.items():
        if part >= MANY and value >= COLOR and label_type.mask_colors:
            name, nearest, distance = nearest_color(label_type, value - COLOR)
            if distance <= NEAR:
                color, declared = value - COLOR, label_type.mask_colors[label_type.classes.index(name)]
                listed = ", ".join(f'"{to_hex(each)}"' for each in (*declared, color))
                yield (
                    f"{unknown}: {to_hex(color)} ({100 * part:.0f} % of the pixels) is undeclared, and only "
                    f"{distance:.0f} away from {name} {to_hex(nearest)}. If it is {name}, give that class "
                    f"`colors: [{listed}]`"
                )
                return
    if share > MOST:
        first = next(iter(dataset.undeclared.items()), None)
        if first is None:
            yield f"{unknown}: check `unknown` in the classes file"
        else:
            value, part = first
            noun, shown = ("id", str(value)) if value < COLOR else ("colour", to_hex(value - COLOR))
            yield (
                f"{unknown} by `unknown: others`; the most frequent undeclared {noun} is {shown} "
                f"({100 * part:.0f} % of the pixels). If it is a class, declare it in the classes file"
            )


def _momentum_warning(config: Config, images: int) -> Iterator[str]:
    momentum, epochs = config.normalization.get("momentum"), config.training.epochs
    if momentum is None:
        return
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

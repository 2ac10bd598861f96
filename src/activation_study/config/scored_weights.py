"""The weights of a training that can be scored: after which epochs they are taken, and their files."""

from collections.abc import Mapping
from typing import Any

# Those after the epoch with the smallest validation loss; after the last epoch; their moving average over the epochs.
WEIGHTS = ("best", "last", "ema")


def scored_weights(config: Mapping[str, Any]) -> str:
    """The weights that a run's result is that of; records of earlier versions do not say it."""
    return str(config.get("evaluation", {}).get("weights", "best"))


def weights_file(name: str) -> str:
    """The file of these weights in a run folder."""
    return f"{name}.keras"


def weights_digest_key(name: str) -> str:
    """The key of their SHA-256 in a record's digests."""
    return f"{name}_weights"

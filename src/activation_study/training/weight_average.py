"""The moving average of the weights over the epochs of a training."""

from typing import Any

from numpy.typing import NDArray

DECAY = 0.8  # per epoch: half of the average is of the last three epochs


def moving_average(average: list[NDArray[Any]], weights: list[NDArray[Any]], epoch: int) -> list[NDArray[Any]]:
    """The average after an epoch, from the one before it.

    After epoch e, with the weights w₁ … w_e and the decay f, it is Σₖ f^(e−k) wₖ / Σₖ f^(e−k): without a bias towards
    the first epochs, as in Adam's moments. Step by step: a_e = a_(e−1) + (1 − f) / (1 − f^e) · (w_e − a_(e−1)). The
    moving statistics of the normalisations are averaged in the same way, until they are computed anew at the end
    (`recompute_moving_statistics`). Arrays of whole numbers are not averaged.

    Source: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM J. Control Optim. 30,
    1992; Kingma and Ba, "Adam", 2015, for the correction.

    Args:
        average: that of the epochs before; not used in the first epoch.
        weights: those after this epoch.
        epoch: 1, 2, …
    """
    if epoch == 1:
        return [weight.copy() for weight in weights]
    share = (1 - DECAY) / (1 - DECAY**epoch)
    return [
        weight if weight.dtype.kind in "biu" else before + before.dtype.type(share) * (weight - before)
        for before, weight in zip(average, weights, strict=True)
    ]

"""The ranks of the activations over many data sets: do some do better on most of them?

Each data set counts once, whatever its noise: a claim about data sets of this kind, beside the claims about each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from activation_study.analysis.contrasts import PRIMARY
from activation_study.analysis.formatting import listed
from activation_study.analysis.results import Condition
from activation_study.errors import BadInput
from activation_study.location import install_hint
from activation_study.metrics import Values

FEWEST_DATA_SETS = 5
FEWEST_ARMS = 3  # of two, the contrast on each data set says all


@dataclass(frozen=True)
class Ranks:
    """The ranks of k activations on N data sets; 1 is the best.

    Args:
        data: names of the data sets.
        arms: names of the activations.
        scores: mean IoU, mean over seeds and over the label types of a data set: [N, k].
        ranks: of the scores, ties get their mean: [N, k].
        p: of the Friedman test by the F of Iman and Davenport, that all activations have the same mean rank.
        p_pairs: Nemenyi's p of each pair, corrected for their number: [k, k], 1 on the diagonal.
    """

    data: tuple[str, ...]
    arms: tuple[str, ...]
    scores: Values
    ranks: Values
    p: float
    p_pairs: Values


def rank_arms(conditions: Sequence[Condition]) -> Ranks:
    """Ranks the activations that all data sets have, by their mean IoU.

    Args:
        conditions: the main ones of a study.

    Raises:
        BadInput: there are fewer than five data sets, or fewer than three activations; scikit-posthocs is missing.
    """
    data = list(dict.fromkeys(condition.data for condition in conditions))
    if len(data) < FEWEST_DATA_SETS:
        found = f"found {len(data)} ({listed(data)})"
        raise BadInput(f"ranks=true: expected five or more data sets, {found}; over fewer, ranks say nothing")
    common = set.intersection(*({arm.name for arm in condition.arms} for condition in conditions))
    arms = [arm.name for arm in conditions[0].arms if arm.name in common]
    if len(arms) < FEWEST_ARMS:
        expected = f"expected three or more {conditions[0].factor.plural} on all data sets"
        raise BadInput(f"ranks=true: {expected}, found {len(arms)}")
    if find_spec("scikit_posthocs") is None:
        raise BadInput(f"ranks=true: scikit-posthocs is not installed: {install_hint('ranks')}")
    return compare_ranks(data, arms, np.array([[_score(conditions, name, arm) for arm in arms] for name in data]))


def compare_ranks(data: Sequence[str], arms: Sequence[str], scores: Values) -> Ranks:
    """Ranks scores, and tests the mean ranks.

    F = (N − 1) χ² / (N (k − 1) − χ²) with k − 1 and (k − 1)(N − 1) degrees of freedom, χ² that of Friedman. Source:
    Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", Journal of Machine Learning Research 7,
    2006.

    Args:
        data: names of N data sets.
        arms: names of k activations.
        scores: larger is better, [N, k].
    """
    import scikit_posthocs
    from scipy import stats

    count, k = scores.shape
    chi2 = float(stats.friedmanchisquare(*scores.T).statistic)
    left = count * (k - 1) - chi2  # 0 if all data sets rank alike
    p = float(stats.f.sf((count - 1) * chi2 / left, k - 1, (k - 1) * (count - 1))) if left > 1e-9 else 0.0
    return Ranks(
        data=tuple(data),
        arms=tuple(arms),
        scores=scores,
        ranks=stats.rankdata(-scores, axis=1),
        p=p,
        p_pairs=np.asarray(scikit_posthocs.posthoc_nemenyi_friedman(scores), float),
    )


def _score(conditions: Sequence[Condition], data: str, name: str) -> float:
    """The mean IoU of an activation on a data set."""
    arms = [arm for each in conditions if each.data == data for arm in each.arms if arm.name == name]
    return float(np.mean([arm.metric(PRIMARY).mean() for arm in arms]))

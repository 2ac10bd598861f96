"""Which of the tuned keys matter, by Optuna."""

from collections.abc import Mapping

from activation_study.tuning.ask import study_of
from activation_study.tuning.searches import Search


def importances(search: Search) -> Mapping[str, float]:
    """The importance of each key of a search; they sum to 1.

    By PED-ANOVA: how far the distribution of a key's values among the better trials differs from that among all.
    Source: Watanabe, Bansal and Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
    Subspaces", IJCAI 2023.
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.samplers import RandomSampler

    study = study_of(search.space, search.trials, sampler=RandomSampler(seed=0))
    found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    return {key: float(found.get(key, 0.0)) for key in search.space}

"""The tables of the contrasts in a report, as text."""

from collections.abc import Sequence

import numpy as np

from activation_study.analysis.contrasts import METRIC_LABELS, Contrast
from activation_study.analysis.formatting import format_p
from activation_study.analysis.statistics.paired import PLANNED_SEEDS, Interval
from activation_study.report.elements import Table
from activation_study.report.tables import few_seeds, signed


def difference_table(contrasts: Sequence[Contrast]) -> Table:
    """The answer to each contrast: differences with their intervals, and the p that decides."""
    rows = []
    for contrast in contrasts:
        new = contrast.new_images
        rows.append(
            (
                *_names(contrast),
                str(contrast.seeds),
                signed(contrast.paired.difference),
                signed(new.difference if new else None),
                "/".join(f"{100 * share:.0f}" for share in (new.seeds, new.images, new.both)) if new else "–",
                format_p(contrast.p_holm) if contrast.p_holm is not None else "–",
                format_p(contrast.p_equivalence) if contrast.p_equivalence is not None else "–",
                contrast.answer or "–",
            )
        )
    head = (
        "contrast", "metric", "seeds", "this test set", "new images", "seeds/images/both, %", "p (Holm)",
        "p (equivalence)", "answer",
    )  # fmt: skip
    both = any(not contrast.primary for contrast in contrasts)
    metric = "Metric: pooled mean IoU (primary) or the article's. " if both else ""
    caption = (
        f"Differences a − b of mean IoU in points with 95 % intervals. {metric}"
        "Seeds/images/both: shares of the variance that more seeds would lower, more test images, or either. "
        f"p: {deciding_test(contrasts)}, with Holm's correction{_family(contrasts[0])}; p (equivalence): of a "
        "difference smaller than the declared margin, likewise."
    )
    return Table(head, tuple(rows), f"{caption} {few_seeds(min(each.seeds for each in contrasts))}".rstrip())


def deciding_test(contrasts: Sequence[Contrast]) -> str:
    """Whose p decides, in words."""
    if contrasts[0].over_folds:
        return "of the mean over seeds and folds, which both vary"
    return "the sequential p of the planned looks" if contrasts[0].looks else "the paired t test"


def further_tests_table(contrasts: Sequence[Contrast]) -> Table:
    """Further tests and measures of each contrast."""
    rows = []
    for contrast in contrasts:
        paired = contrast.paired
        no_correlation = np.isnan(paired.correlation) or contrast.seeds < 3
        rows.append(
            (
                *_names(contrast),
                *(map(format_p, (paired.p, paired.p_sign_flip, paired.p_welch))),
                _probability(paired.probability_of_superiority),
                "–" if np.isnan(paired.effect_size) else _number(paired.effect_size),
                "–" if no_correlation else _number(paired.correlation),
                ", ".join(f"{100 * contrast.minimum_detectable[seeds]:.1f}" for seeds in PLANNED_SEEDS),
            )
        )
    head = (
        "contrast", "metric", "p", "p (sign flip)", "p (Welch)", "P(a above b)", "g", "correlation",
        f"detectable with {', '.join(map(str, PLANNED_SEEDS))} seeds",
    )  # fmt: skip
    few = min(contrasts, key=lambda contrast: contrast.seeds)
    at_looks = ", of the last look alone" if contrasts[0].looks else ""
    caption = (
        f"Further tests, not corrected for their number{at_looks}. p: paired t test; exact sign-flip test, whose "
        f"smallest possible p with {few.seeds} seeds is {format_p(few.paired.smallest_p, digits=4)}; Welch's t test, "
        "which leaves the pairs aside. P(a above b): over all pairs of runs. g: Hedges' effect size of the "
        "differences. Correlation: between a and b over the seeds; pairing helps from about 0.2 on with 8 seeds, 0.3 "
        "with 5. Last column: the difference in points that this many seeds would detect with 80 % power."
    )
    return Table(head, tuple(rows), caption)


def _names(contrast: Contrast) -> tuple[str, str]:
    pair = f"{contrast.pair} (asked afterwards)" if contrast.afterwards else contrast.pair
    return pair, METRIC_LABELS[contrast.metric]


def looks_table(contrasts: Sequence[Contrast]) -> Table:
    """What each planned look said of each contrast."""
    rows = []
    for contrast in (contrast for contrast in contrasts if contrast.primary):
        for look in contrast.looks:
            rows.append(
                (
                    contrast.pair,
                    str(look.seeds),
                    signed(look.difference),
                    format_p(look.p),
                    "–" if look.p_equivalence is None else format_p(look.p_equivalence),
                    look.answer,
                    "–" if look.chance is None else f"{100 * look.chance:.0f} %",
                )
            )
    head = ("contrast", "seeds", "this test set", "p", "p (equivalence)", "answer", "chance to settle")
    caption = (
        "The planned looks: differences a − b of mean IoU in points with intervals that hold for all looks together, "
        "sequential p before Holm's correction, the answer after it, and the chance that the contrast is settled by "
        "the last planned look."
    )
    return Table(head, tuple(rows), caption)


def other_metrics_table(contrasts: Sequence[Contrast]) -> Table:
    """Further metrics of the same confusion matrices."""
    rows = []
    for contrast in contrasts:
        for name, paired in contrast.other_metrics.items():
            rows.append((contrast.pair, name, signed(paired.difference), format_p(paired.p)))
    caption = (
        "Differences by further metrics of the same predictions, in points with 95 % intervals, and p of the paired t; "
        "not corrected for their number, and no conclusions are drawn from them."
    )
    return Table(("contrast", "metric", "this test set", "p"), tuple(rows), caption)


def other_weights_table(contrasts: Sequence[Contrast]) -> Table:
    """What each contrast would be by other weights of the same runs."""
    rows = []
    for contrast in (contrast for contrast in contrasts if contrast.other_weights):
        deviation = f"{100 * contrast.paired.deviation:.2f}"
        rows.append((contrast.pair, "scored", signed(contrast.paired.difference), deviation, "1", str(contrast.seeds)))
        for name, each in contrast.other_weights.items():
            ratio = each.variance_ratio
            rows.append(
                (
                    contrast.pair,
                    name,
                    signed(each.difference),
                    f"{100 * each.deviation:.2f}",
                    f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]",
                    str(each.seeds),
                )
            )
    head = ("contrast", "weights", "this test set", "SD", "variance, relative", "seeds for this precision")
    caption = (
        "The same runs by other weights (evaluation.weights): differences in points with 95 % intervals, their "
        "standard deviation over seeds, and its square relative to that of the scored weights, with a 95 % interval. "
        "Last column: the seeds of a new study with an interval as narrow as that of the scored weights. These lines "
        "decide nothing: which weights count is declared before the runs."
    )
    return Table(head, tuple(rows), caption)


def _probability(interval: Interval) -> str:
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _family(contrast: Contrast) -> str:
    if not contrast.family:
        return " (none here: these contrasts decide nothing)"
    return f" for the {contrast.family} contrasts that decide, of all label types" if contrast.family > 1 else ""

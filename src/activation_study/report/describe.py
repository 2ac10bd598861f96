"""A study's comparison as a program reads it (docs/reference/json.md): IoU and differences between 0 and 1."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from activation_study.analysis.class_summary import findings_of
from activation_study.analysis.contrasts import METRICS, Contrast, class_ious, metrics_of
from activation_study.analysis.findings import Findings
from activation_study.analysis.ranks import Ranks
from activation_study.analysis.results import Arm, Condition
from activation_study.analysis.statistics.crossed import mean_of
from activation_study.analysis.statistics.new_images import NewImages
from activation_study.config.protocols import followed_protocol
from activation_study.tuning.searches import Search


def describe_findings(findings: Findings, folder: Path, ranks: Ranks | None = None) -> dict[str, Any]:
    """All conditions with their contrasts, and the conclusions.

    Args:
        findings: of the study.
        folder: of the report.
        ranks: of the activations over the data sets.
    """
    main = findings.main
    return {
        "study": findings.study,
        "factor": findings.factor.key,
        "report": folder / "index.html",
        "folder": folder,
        "problems": findings.problems,
        "conditions": [
            {**_condition(condition), "main": condition in main, "conclusion": findings.conclusion(condition)}
            | {"contrasts": [_contrast(contrast) for contrast in contrasts]}
            for condition, contrasts in findings.compared
        ],
        "conclusions": findings.summary,
        "notes": findings.classes,
        "ranks": ranks and _ranks(ranks),
    }


def _ranks(ranks: Ranks) -> dict[str, Any]:
    means = dict(zip(ranks.arms, ranks.ranks.mean(axis=0), strict=True))
    return {"data": ranks.data, "mean_ranks": means, "p": ranks.p}


def _condition(condition: Condition) -> dict[str, Any]:
    return {
        "data": condition.data,
        "label_type": condition.label_type,
        "protocol": str(followed_protocol(condition.arms[0].records[0].config)),
        "variant": condition.variant,
        "images": len(condition.images),
        "seeds": sorted({seed for arm in condition.arms for seed in arm.seeds}),
        "arms": [_arm(condition, arm) for arm in condition.arms],
        "searches": [_search(search) for search in condition.searches],
    }


def _search(search: Search) -> dict[str, Any]:
    return {
        "arm": search.arm,
        "of_seed": search.of_seed,
        "trials": len(search.trials),
        "pruned": search.count("pruned"),
        "failed": search.count("failed"),
        "epochs": search.epochs,
        "seconds": search.seconds,
        "best": search.best and {"values": search.best.values, "validation_mean_iou": search.best.score},
        "at_edge": search.at_edge,
    }


def _arm(condition: Condition, arm: Arm) -> dict[str, Any]:
    keys = metrics_of(condition)
    means = {name: mean_of(arm.of_folds(keys[name])) if name in keys else None for name in METRICS}
    return {
        "name": arm.name,
        "seeds": arm.seeds,
        **means,
        "classes": dict(zip(condition.classes, class_ious(arm).mean(axis=0), strict=True)),
        "findings": [each.fields for each in findings_of(arm, condition.classes)],
        "folders": arm.folders,
    }


def _new_images(new: NewImages) -> dict[str, Any]:
    shares = {"seeds": new.seeds, "images": new.images, "both": new.both}
    return {**asdict(new.difference), "units": new.units, "variance_shares": shares}


def _contrast(contrast: Contrast) -> dict[str, Any]:
    paired, new = contrast.paired, contrast.new_images
    return {
        "a": contrast.a,
        "b": contrast.b,
        "metric": contrast.metric,
        "primary": contrast.primary,
        "seeds": contrast.seeds,
        "difference": paired.difference.value,
        "low": paired.difference.low,
        "high": paired.difference.high,
        "p": paired.p,
        "p_holm": contrast.p_holm,
        "p_sign_flip": paired.p_sign_flip,
        "probability_a_above_b": paired.probability_of_superiority.value,
        "new_images": new and _new_images(new),
        "classes": contrast.class_differences,
        "other_metrics": {
            name: {**asdict(each.difference), "p": each.p} for name, each in contrast.other_metrics.items()
        },
        "other_weights": {
            name: {
                **asdict(each.difference),
                "deviation": each.deviation,
                "variance_ratio": asdict(each.variance_ratio),
                "seeds_as_precise": each.seeds,
            }
            for name, each in contrast.other_weights.items()
        },
        "margin": contrast.margin,
        "p_equivalence": contrast.p_equivalence,
        "answer": contrast.answer,
        "afterwards": contrast.afterwards,
        "family": contrast.family,
        "seeds_to_settle": contrast.seeds_to_settle,
        "looks": [look.fields for look in contrast.looks],
    }

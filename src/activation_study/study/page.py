"""A report as one HTML file that needs nothing else: what is on it, and in which words."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from activation_study.palette import activation_colors
from activation_study.study.answer import (
    METRICS,
    PRIMARY,
    SHORT,
    Contrast,
    display,
    headline,
    in_points,
    mean_over_seeds,
)
from activation_study.study.comparison import PLANNED
from activation_study.study.figures import (
    classes_figure,
    confusion_figure,
    cost_figure,
    curves_figure,
    differences_figure,
    seeds_figure,
)
from activation_study.study.results import Arm, Block
from activation_study.study.table import published
from activation_study.study.tables import Answered

TEMPLATE = Path(__file__).with_name("report.html.j2")


def page(study: str, answered: Answered, faults: Sequence[str]) -> str:
    """The HTML of a study's report.

    Args:
        study: its name.
        answered: its blocks with their contrasts.
        faults: what is missing, for the warning.
    """
    from jinja2 import Environment, StrictUndefined

    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(TEMPLATE.read_text("utf-8"))
    records = [record for block, _ in answered for arm in block.arms for record in arm.records]
    return template.render(
        study=study,
        blocks=[_block(block, contrasts) for block, contrasts in answered],
        faults=faults,
        runs=len(records),
        protocol=records[0].protocol,
        environment=_environment([record.environment for record in records]),
        commands=[f"python train.py {shlex.join(record.overrides)}" for record in records],
    )


def _block(block: Block, contrasts: Sequence[Contrast]) -> dict[str, Any]:
    colors = activation_colors(tuple(arm.name for arm in block.arms))
    known = [published(arm.records[0]) for arm in block.arms]
    return {
        "headline": headline(block, contrasts),
        "title": block.title,
        "data": block.data,
        "seeds": len(block.arms[0].seeds),
        "published": any(known),
        "reduced": block.arms[0].records[0].config["data"].get("image_size") != [224, 224],
        "arms": [_arm(arm, colors[arm.name]) for arm in block.arms],
        "figures": list(_figures(block, contrasts)),
    }


def _arm(arm: Arm, color: str) -> dict[str, str]:
    values, known = 100 * arm.metric(PRIMARY), published(arm.records[0])
    return {
        "name": display(arm.name),
        "color": color,
        "pooled": in_points(mean_over_seeds(arm.metric(PRIMARY))),
        "deviation": f"{values.std(ddof=1):.2f}" if len(values) > 1 else "–",
        "low": f"{values.min():.1f}",
        "high": f"{values.max():.1f}",
        "article": in_points(mean_over_seeds(arm.metric(METRICS["article_mean_iou"]))),
        "published": f"{known[0]:.1f}, {known[1]:.1f}" if known else "–",
    }


def _figures(block: Block, contrasts: Sequence[Contrast]) -> list[dict[str, Any]]:
    from markupsafe import Markup

    n, title = len(block.arms[0].seeds), block.title
    made: list[tuple[str, str, str, dict[str, Any] | None]] = [
        (
            "Seeds",
            seeds_figure(block),
            f"Mean IoU on the test split of {title}: each dot is one of {n} seeds, the diamond their mean with its "
            "95 % interval.",
            None,
        )
    ]
    if contrasts:
        caption = (
            f"Differences of mean IoU on {title}, paired by seed. Blue, diamond: on this test set, 95 % interval of "
            "the paired t. Orange: 95 % interval for new images of this kind. An interval that holds 0 leaves it open."
        )
        made.append(("Differences", differences_figure(contrasts), caption, _difference_table(contrasts)))
    made += [
        (
            "Classes",
            classes_figure(block),
            f"IoU of each class of {title}: mean over {n} seeds, the line from the smallest to the largest.",
            _class_table(contrasts),
        ),
        (
            "Learning",
            curves_figure(block),
            f"Mean IoU on the validation split of {title} at the network's size after each epoch: median over the "
            "seeds that still train, and their range. Runs stop at different epochs.",
            None,
        ),
        (
            "Cost",
            cost_figure(block),
            f"Minutes of training against mean IoU on {title}: each dot is a run.",
            _cost_table(block),
        ),
        (
            "Confusion",
            confusion_figure(block),
            f"Where the pixels of each true class of {title} (rows) went (columns), in percent, over all {n} seeds.",
            None,
        ),
    ]
    keys = ("title", "svg", "caption", "table")
    return [dict(zip(keys, (name, Markup(svg), text, table), strict=True)) for name, svg, text, table in made]


def _difference_table(contrasts: Sequence[Contrast]) -> dict[str, Any]:
    rows = []
    for each in contrasts:
        found, new = each.paired, each.new_images
        pair = f"{display(each.a)} − {display(each.b)}"
        numbers = [f"{each.p_holm:.3f}", f"{found.p:.3f}", f"{found.p_sign_flip:.3f}", f"{found.probability:.2f}"]
        correlation = "–" if np.isnan(found.correlation) else f"{found.correlation:.2f}".replace("-", "−")
        smallest = ", ".join(f"{100 * each.smallest[seeds]:.1f}" for seeds in PLANNED)
        images = in_points(new.difference, signed=True) if new else ""
        points = in_points(found.difference, signed=True)
        rows.append([pair, SHORT[each.metric], points, images, *numbers, correlation, smallest])
    seeds, smallest_p = contrasts[0].seeds, contrasts[0].paired.smallest_p
    return {
        "head": [
            "contrast", "metric", "this test set", "new images", "p (Holm)", "p", "p (sign flip)", "P(a above b)",
            "correlation", f"found with {', '.join(map(str, PLANNED))} seeds",
        ],
        "rows": rows,
        "caption": f"Differences in points with 95 % intervals, {seeds} seeds. The sign-flip p cannot be below "
        f"{smallest_p:.4f} with so many. Correlation: of paired seeds; pairing helps where it is above 0. Last column: "
        "the difference in points that so many seeds would find with 80 % power.",
    }  # fmt: skip


def _class_table(contrasts: Sequence[Contrast]) -> dict[str, Any] | None:
    primary = [contrast for contrast in contrasts if contrast.primary]
    if not primary:
        return None
    head = ["class", *(f"{display(contrast.a)} − {display(contrast.b)}" for contrast in primary)]
    rows = [
        [name, *(in_points(contrast.classes[name], signed=True) for contrast in primary)] for name in primary[0].classes
    ]
    caption = (
        "Differences of each class's IoU in points with 95 % intervals over seeds, not corrected for their number."
    )
    return {"head": head, "rows": rows, "caption": caption}


def _cost_table(block: Block) -> dict[str, Any]:
    rows = []
    for arm in block.arms:
        results = [record.results for record in arm.records]
        speed = np.median([epoch["images_per_second"] for record in arm.records for epoch in record.epochs])
        minutes = np.median([record.training_seconds / 60 for record in arm.records])
        memory = np.median([each.get("peak_memory_bytes", np.nan) for each in results]) / 2**30
        epochs = np.median([len(record.epochs) for record in arm.records])
        parameters = f"{results[0].get('parameters', np.nan):,.0f}"
        rows.append([display(arm.name), parameters, f"{epochs:.0f}", f"{minutes:.1f}", f"{speed:.1f}", f"{memory:.2f}"])
    head = ["activation", "parameters", "epochs", "minutes", "images/s", "peak memory, GiB"]
    caption = "Medians over the runs. Memory is the process's largest so far: in one process, that of all runs before."
    return {"head": head, "rows": rows, "caption": caption}


def _environment(environments: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    def values(name: str) -> str:
        return ", ".join(sorted({str(each.get(name)) for each in environments}))

    versions = sorted({f"{key} {value}" for each in environments for key, value in each.get("versions", {}).items()})
    commits = {
        f"{each['git'].get('commit')}{'' if each['git'].get('clean') else ' and changes'}"
        for each in environments
        if each.get("git")
    }
    names = ("device", "processor", "threads", "backend", "platform")
    return [
        *((name, values(name)) for name in names),
        ("versions", ", ".join(versions)),
        ("commit", ", ".join(sorted(commits))),
    ]

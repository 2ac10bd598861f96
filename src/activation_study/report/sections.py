"""What is on a report, in the order of its page: the answer first, then what it rests on."""

import shlex
from collections.abc import Sequence
from typing import Any

from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.findings import Findings
from activation_study.analysis.formatting import display_name
from activation_study.analysis.results import Block
from activation_study.errors import BadInput
from activation_study.palette import activation_colors
from activation_study.report.elements import Contents, Figure, Gallery, Section
from activation_study.report.figures import (
    changes_figure,
    classes_figure,
    confusion_figure,
    cost_figure,
    curves_figure,
    differences_figure,
    seeds_figure,
)
from activation_study.report.gallery import gallery
from activation_study.report.tables import (
    arms_table,
    changes_table,
    choice_table,
    class_table,
    cost_table,
    difference_table,
)

FULL_SIZE = [224, 224]


def build_sections(found: Findings, pictures: bool) -> Contents:
    """A study's report.

    Args:
        found: what its runs say.
        pictures: with test images side by side, where data and weights are here.
    """
    records = found.records
    main = found.main
    return Contents(
        study=found.study,
        summary=tuple(found.summary),
        reduced=_reduced(found.blocks[0]),
        problems=found.problems,
        runs=len(records),
        protocol=records[0].protocol,
        sections=(
            *(_of_changes(found, place) for place in range(len(found.changes))),
            *(_of_block(found, block, block in main, pictures) for block, _ in found.answered),
        ),
        environment=tuple(_environment([record.environment for record in records])),
        commands=tuple(f"python train.py {shlex.join(record.overrides)}" for record in records),
    )


def _reduced(block: Block) -> bool:
    config = block.arms[0].records[0].config
    return config["data"].get("image_size") != FULL_SIZE or config["model"].get("name") != "unet"


def _of_changes(found: Findings, place: int) -> Section:
    changes = found.changes[place]
    block = changes.base
    caption = (
        "How far each change of the protocol moves each activation's mean IoU, in points, paired by seed: mean and "
        "95 % interval over seeds. An interval that holds 0 leaves open whether it moves it at all."
    )
    return Section(
        name=_file_name(block, f"{block.label_type} protocol"),
        title=f"{block.label_type}: what each change of the protocol changes",
        data=block.data,
        lead="",
        tables=(changes_table(changes),),
        colors=_colors(block),
        figures=(Figure("Changes", changes_figure(changes), caption + changes.note),),
        pictures=None,
        no_pictures="",
        main=True,
    )


def _of_block(found: Findings, block: Block, main: bool, pictures: bool) -> Section:
    contrasts = found.contrasts(block)
    shown, why_not = _pictures(block, contrasts) if main and pictures else (None, "")
    choices = tuple(choice_table(choice) for choice in found.choices if choice.block is block)
    return Section(
        name=_file_name(block, block.title),
        title=block.title,
        data=block.data,
        lead=found.conclusion(block),
        tables=(*choices, arms_table(block, _reduced(block))),
        colors=_colors(block),
        figures=tuple(_figures(block, contrasts)),
        pictures=shown,
        no_pictures=why_not,
        main=main,
    )


def _pictures(block: Block, contrasts: Sequence[Contrast]) -> tuple[Gallery | None, str]:
    try:
        return gallery(block, contrasts), ""
    except BadInput as error:
        return None, str(error)


def _colors(block: Block) -> dict[str, str]:
    colors = activation_colors(tuple(arm.name for arm in block.arms))
    return {display_name(name): color for name, color in colors.items()}


def _file_name(block: Block, title: str) -> str:
    title = f"{block.data} {title}"
    words = "".join(letter if letter.isalnum() or letter in "-_." else " " for letter in title).split()
    return "-".join(words)[:80]


def _figures(block: Block, contrasts: Sequence[Contrast]) -> list[Figure]:
    n, title = len(block.arms[0].seeds), block.title
    seeds = (
        f"Mean IoU on the test split of {title}: each dot is one of {n} seeds, the diamond their mean with its 95 % "
        "interval."
    )
    differences = (
        f"Differences of mean IoU on {title}, paired by seed. Blue, diamond: on this test set, 95 % interval of the "
        "paired t. Orange: 95 % interval for new images of this kind. An interval that holds 0 leaves it open."
    )
    classes = f"IoU of each class of {title}: mean over {n} seeds, the line from the smallest to the largest."
    learning = (
        f"Mean IoU on the validation split of {title} at the network's size after each epoch: median over the seeds "
        "that still train, and their range. Runs stop at different epochs."
    )
    cost = f"What each run cost in training against its mean IoU on {title}: each dot is a run."
    confusion = f"Where the pixels of each true class of {title} (rows) went (columns), in percent, over all {n} seeds."
    figures = [Figure("Seeds", seeds_figure(block), seeds)]
    if contrasts:
        table = difference_table(contrasts)
        figures.append(Figure("Differences", differences_figure(contrasts), differences, table))
    return [
        *figures,
        Figure("Classes", classes_figure(block), classes, class_table(contrasts)),
        Figure("Learning", curves_figure(block), learning),
        Figure("Cost", cost_figure(block), cost, cost_table(block)),
        Figure("Confusion", confusion_figure(block), confusion),
    ]


def _environment(environments: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    def values(name: str) -> str:
        return ", ".join(sorted({str(each[name]) for each in environments if each.get(name) is not None}))

    versions = sorted({f"{key} {value}" for each in environments for key, value in each.get("versions", {}).items()})
    commits = {
        f"{each['git'].get('commit')}{'' if each['git'].get('clean') else ' and changes'}"
        for each in environments
        if each.get("git")
    }
    names = ("device", "processor", "threads", "backend", "jit_compile", "platform")
    return [
        *((name, values(name)) for name in names if values(name)),  # older records lack some
        ("versions", ", ".join(versions)),
        ("commit", ", ".join(sorted(commits))),
    ]

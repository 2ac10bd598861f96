"""The contents of a report in the order of the page: the conclusions first, then the evidence for them."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from activation_study.analysis.ablation import Ablations
from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.findings import Findings
from activation_study.analysis.formatting import display_name
from activation_study.analysis.ranks import Ranks
from activation_study.analysis.results import Condition
from activation_study.config.command_line.overrides import without_keys
from activation_study.config.contrasts import simple_effects
from activation_study.config.factor import Factor
from activation_study.config.identity import MACHINE_SPECIFIC_KEYS
from activation_study.config.protocols import followed_protocol
from activation_study.errors import BadInput
from activation_study.location import command
from activation_study.palette import activation_colors
from activation_study.report.contrast_tables import (
    difference_table,
    further_tests_table,
    looks_table,
    other_metrics_table,
    other_weights_table,
)
from activation_study.report.elements import Contents, Figure, Gallery, Section
from activation_study.report.figures import (
    changes_figure,
    classes_figure,
    confusion_figure,
    cost_figure,
    curves_figure,
    differences_figure,
    interaction_figure,
    looks_figure,
    seeds_figure,
)
from activation_study.report.gallery import gallery
from activation_study.report.ranks_section import ranks_section, ranks_sentence
from activation_study.report.tables import (
    PEAK_MEMORY,
    arms_table,
    changes_table,
    class_table,
    cost_table,
    selection_table,
)
from activation_study.report.tuning_section import tuning_figures, tuning_tables

ARTICLES_DATA = "stanford_background"
FULL_SIZE = [224, 224]
MAX_LISTED_PROTOCOLS = 3


def build_sections(findings: Findings, pictures: bool, ranks: Ranks | None = None) -> Contents:
    """The contents of a study's report.

    Args:
        findings: results of the study.
        pictures: include sample test images if data and weights are available.
        ranks: of the activations over the data sets.
    """
    records = findings.records
    main = findings.main
    sections = (
        *([ranks_section(ranks)] if ranks else []),
        *(_tuning_section(findings, each) for each in main if each.searches),
        *map(_changes_section, findings.ablations),
        *(_condition_section(findings, condition, condition in main, pictures) for condition, _ in findings.compared),
    )
    return Contents(
        study=findings.study,
        factor=(findings.factor.title, findings.factor.plural),
        summary=(*findings.summary, *([ranks_sentence(ranks)] if ranks else [])),
        classes=tuple(findings.classes),
        reduced=_reduced(findings.conditions[0]),
        problems=findings.problems,
        runs=len(records),
        trials=sum(len(search.trials) for each in main for search in each.searches),
        followed=_followed(findings.conditions),
        protocol=records[0].protocol,
        sections=_with_slugs_of_their_own(sections),
        environment=tuple(_environment([record.environment for record in records])),
        commands=tuple(
            f"{command('train')} {shlex.join(without_keys(record.overrides, MACHINE_SPECIFIC_KEYS))}"
            for record in records
        ),
    )


def _with_slugs_of_their_own(sections: Sequence[Section]) -> tuple[Section, ...]:
    """The sections, with a number after a slug that an earlier one has: long titles may differ at their ends only."""
    taken: set[str] = set()
    found = []
    for section in sections:
        slugs = (section.slug, *(f"{section.slug}-{number}" for number in range(2, len(sections) + 1)))
        slug = next(each for each in slugs if each not in taken)
        taken.add(slug)
        found.append(replace(section, slug=slug))
    return tuple(found)


def _reduced(condition: Condition) -> bool:
    """Whether a study of the article's data set has another network or image size than the article."""
    config = condition.arms[0].records[0].config
    if condition.data != ARTICLES_DATA:
        return False
    return config["data"].get("image_size") != FULL_SIZE or config["model"].get("name") != "unet"


def _followed(conditions: Sequence[Condition]) -> str:
    """The protocols of a study in words; of many, those without deviations."""
    followed = [followed_protocol(condition.arms[0].records[0].config) for condition in conditions]
    texts = list(dict.fromkeys(map(str, followed)))
    if len(texts) <= MAX_LISTED_PROTOCOLS:
        return "; ".join(texts)
    names = dict.fromkeys(each.name for each in followed if not each.deviations)
    return f"{' and '.join(names)}, and single changes of them" if names else "several, see the sections"


def _changes_section(ablations: Ablations) -> Section:
    base = ablations.base
    caption = (
        f"Effect of each change of the protocol on the mean IoU of each {base.factor.title} on {base.subject}, in "
        "points, paired by seed: mean and 95 % interval over seeds. An interval that contains 0 leaves open whether "
        "there is an effect."
    )
    return Section(
        slug=_slug(base, f"{base.subject} protocol"),
        title=f"{base.subject}: changes of the protocol",
        data="" if base.data == base.subject else base.data,
        conclusion="",
        tables=(changes_table(ablations),),
        colors=_colors(base),
        figures=(Figure("Changes", changes_figure(ablations), caption + ablations.note),),
        gallery=None,
        no_gallery="",
        main=True,
    )


def _tuning_section(findings: Findings, condition: Condition) -> Section:
    bases = (each.base for each in findings.ablations if not each.base.searches)
    same = (base for base in bases if (base.data, base.label_type) == (condition.data, condition.label_type))
    return Section(
        slug=_slug(condition, f"{condition.subject} tuning"),
        title=f"{condition.subject}: tuning",
        data="" if condition.data == condition.subject else condition.data,
        conclusion="",
        tables=tuple(tuning_tables(condition)),
        colors=_colors(condition),
        figures=tuple(tuning_figures(condition, next(same, None))),
        gallery=None,
        no_gallery="",
        main=True,
    )


def _condition_section(findings: Findings, condition: Condition, main: bool, pictures: bool) -> Section:
    contrasts = findings.contrasts(condition)
    images, no_images = _gallery(condition, contrasts) if main and pictures else (None, "")
    selections = (selection_table(selection) for selection in findings.selections if selection.condition is condition)
    return Section(
        slug=_slug(condition, condition.title),
        title=condition.title,
        data="" if condition.data == condition.subject else condition.data,
        conclusion=findings.conclusion(condition),
        tables=(*selections, arms_table(condition, _reduced(condition))),
        colors=_colors(condition),
        figures=tuple(_figures(condition, contrasts)),
        gallery=images,
        no_gallery=no_images,
        main=main,
    )


def _gallery(condition: Condition, contrasts: Sequence[Contrast]) -> tuple[Gallery | None, str]:
    """The sample images, or the reason why there are none."""
    try:
        return gallery(condition, contrasts), ""
    except BadInput as error:
        return None, str(error)


def _colors(condition: Condition) -> dict[str, str]:
    colors = activation_colors(tuple(arm.name for arm in condition.arms))
    return {display_name(name): color for name, color in colors.items()}


def _slug(condition: Condition, title: str) -> str:
    title = title if condition.data == condition.subject else f"{condition.data} {title}"
    words = "".join(letter if letter.isalnum() or letter in "-_." else " " for letter in title).split()
    return "-".join(words)[:80]


def _figures(condition: Condition, contrasts: Sequence[Contrast]) -> list[Figure]:
    seeds, test = condition.seeds, f"on the test split of {condition.title}"
    folds = f", each the mean over {condition.folds} folds" if condition.folds > 1 else ""
    seeds_alone = seeds.partition(" × ")[0]
    runs = (
        f"Pooled mean IoU {test}: each dot is one of {seeds_alone}{folds}, the diamond is their mean with its 95 % "
        "interval."
    )
    interval = "of the mean over seeds and folds" if condition.folds > 1 else "of the paired t"
    if contrasts and contrasts[0].looks:
        interval = "that holds for all planned looks together"
    differences = (
        f"Differences of pooled mean IoU {test}, paired by seed. Thick blue line with diamond: mean on this test set, "
        f"95 % interval {interval}. Thin orange line: 95 % interval for new images of this kind. An interval that "
        f"contains 0 leaves open which {condition.factor.title} is above the other."
    )
    classes = f"IoU of each class {test}: mean over {seeds_alone} (dot), minimum to maximum (line){folds}."
    learning = (
        f"Mean IoU after each epoch, at the network's image size, on the validation split of {condition.title}: median "
        "and range of the seeds that are still training. Runs stop at different epochs."
    )
    cost = f"Cost of training against pooled mean IoU {test}: each dot is a run. {PEAK_MEMORY}"
    confusion = (
        f"Confusion matrices {test}, pooled over {seeds}: percentage of the pixels of each true class (row) that "
        "are predicted as each class (column)."
    )
    looks = (
        "The difference at each planned look, with the interval that holds for all looks together; shaded: differences "
        "smaller than the declared margin."
    )
    figures = [Figure("Seeds", seeds_figure(condition), runs)]
    if contrasts:
        further = [] if condition.folds > 1 else [further_tests_table(contrasts)]  # they would leave the folds aside
        weights = [other_weights_table(contrasts)] if any(each.other_weights for each in contrasts) else []
        metrics = [other_metrics_table(contrasts)] if any(each.other_metrics for each in contrasts) else []
        numbers = (difference_table(contrasts), *weights, *metrics, *further)
        figures.append(Figure("Differences", differences_figure(contrasts), differences, numbers))
    if simple_effects([arm.name for arm in condition.arms], condition.factor):
        figures.append(Figure("Interaction", interaction_figure(condition), _interaction(condition)))
    if any(contrast.looks for contrast in contrasts):
        figures.append(Figure("Looks", looks_figure(contrasts), looks, (looks_table(contrasts),)))
    return [
        *figures,
        Figure("Classes", classes_figure(condition), classes, (class_table(condition, contrasts),)),
        Figure("Learning", curves_figure(condition), learning),
        Figure("Cost", cost_figure(condition), cost, (cost_table(condition),)),
        Figure("Confusion", confusion_figure(condition), confusion),
    ]


def _interaction(condition: Condition) -> str:
    first, second = (Factor((key,)) for key in condition.factor.keys)
    return (
        f"Difference of pooled mean IoU of each {first.title} to the first one at each {second.title}, on the test "
        f"split of {condition.title}: mean over the seeds that both have, with its own 95 % interval. They show the "
        "pattern, and are not corrected for being several; the contrasts above decide."
    )


def _environment(environments: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    def values(name: str) -> str:
        present = (environment.get(name) for environment in environments)
        return ", ".join(sorted({str(value) for value in present if value is not None}))

    versions = {
        f"{package} {version}"
        for environment in environments
        for package, version in environment.get("versions", {}).items()
        if version is not None  # not installed
    }
    commits = {
        f"{git.get('commit')}{'' if git.get('clean') else ' with uncommitted changes'}"
        for environment in environments
        if (git := environment.get("git"))
    }
    variables = {
        f"{name}={value}" for environment in environments for name, value in environment.get("variables", {}).items()
    }
    sets = {" ".join(environment.get("instruction_sets", ())) for environment in environments}
    names = ("device", "processor", "threads", "backend", "jit_compile", "platform")
    rows = [
        *((name, values(name)) for name in names),
        ("instruction sets", "; ".join(sorted(sets - {""}))),
        ("environment variables", ", ".join(sorted(variables))),
    ]
    return [
        *((name, text) for name, text in rows if text),  # older records do not have all of them
        ("versions", ", ".join(sorted(versions))),
        ("commit", ", ".join(sorted(commits))),
    ]

"""The report on a data set before training: tables in the terminal, and a page of images with their labels."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from activation_study.config.command_options import Inspect
from activation_study.console import table_console, track_progress
from activation_study.data.audit import DatasetAudit, audit_dataset
from activation_study.data.dataset import Dataset
from activation_study.data.folders.image_folder import turned_images
from activation_study.data.images.image_reader import ImageFacts, image_reader
from activation_study.data.labels.label_types import LabelType
from activation_study.data.labels.packed_color import to_hex
from activation_study.data.name_check import check_names
from activation_study.data.same_scene import MAX_IMAGES
from activation_study.data.splitting.group_proposal import check_new_file, joined_groups, write_groups
from activation_study.errors import counted
from activation_study.files import write_text
from activation_study.outcome import add, deliver
from activation_study.palette import UNKNOWN_COLOR
from activation_study.report.elements import ImagePanel, ImageRow, Table, print_table
from activation_study.report.inspection.describe import describe_dataset
from activation_study.report.inspection.groups import (
    groups_table,
    scene_note,
    scenes_table,
)
from activation_study.report.inspection.image_values import image_kinds, image_values_table
from activation_study.report.inspection.images import (
    evenly_spaced,
    image_and_label,
    outlined_and_label,
    pair_row,
    scene_row,
)
from activation_study.report.inspection.summary import (
    audit_sentences,
    left_out_sentences,
    range_sentences,
    turned_sentences,
)
from activation_study.report.inspection.tables import pairs_table, parts_table, sizes_table
from activation_study.report.render import render

MAX_BROWSED = 48  # images to browse, evenly spaced over the data set
MAX_PAIRS = 24  # pairs of near duplicates, in the table and with images
MAX_SUSPICIOUS = 48
MAX_TURNED = 6  # images that their EXIF orientation turns


@dataclass(frozen=True)
class Page:
    """The contents of the page.

    Args:
        title: the data set and label type.
        summary: what to know before training, one sentence each.
        tables: tables, in order.
        legend: (class, colour).
        pairs: pairs of near duplicates.
        scenes: the other pairs of images of the same scene.
        suspicious: labels that need review.
        browse: images evenly spaced over the data set, each with its label.
    """

    title: str
    summary: tuple[str, ...]
    tables: tuple[Table, ...]
    legend: tuple[tuple[str, str], ...]
    pairs: tuple[ImageRow, ...]
    scenes: tuple[ImageRow, ...]
    suspicious: tuple[ImageRow, ...]
    browse: tuple[ImagePanel, ...]


def inspect_data(config: Inspect) -> Path:
    """Prints an overview of the configured data set and writes the page; returns its path.

    Raises:
        BadInput: the data set is missing or cannot be used, or a file of groups exists already.
    """
    if config.write_groups is not None:
        check_new_file(Path(config.write_groups))
    check_names([config.data])
    dataset = Dataset(config)
    audit = audit_dataset(
        dataset.source,
        dataset.preprocessed,
        dataset.split,
        dataset.label_type,
        track_progress,
        dataset.groups,
        len(dataset.source.names) <= MAX_IMAGES if config.same_scene == "auto" else config.same_scene,
    )
    facts = [dataset.source.facts(index) for index in track_progress(range(len(dataset.source.names)), "images")]
    page = _page(config, dataset, audit, facts)
    console = table_console()
    for table in page.tables:
        print_table(console, table)
    for sentence in page.summary:
        console.print(sentence, highlight=False, markup=False)
    path = Path("outputs") / "inspection" / f"{dataset.source.name}-{dataset.label_type.name}" / "index.html"
    write_text(path, render("dataset.html.j2", autoescape=True, page=page))
    deliver("inspection", {**describe_dataset(dataset, audit, page.summary, path), "values": image_kinds(facts)})
    if config.write_groups is not None:
        _write_groups(Path(config.write_groups), audit)
    return path


def _write_groups(path: Path, audit: DatasetAudit) -> None:
    pairs = [(first, index) for index, first in enumerate(audit.duplicates.group_of)]
    pairs += [(pair.first, pair.second) for pair in audit.scenes or ()]
    given = audit.groups if audit.pattern is None else None
    groups = joined_groups(audit.names, pairs, given)
    if len(set(groups)) == len(groups):
        print(f"No images seem to belong together, so {path} is not written.")
        return
    write_groups(path, audit.names, groups)
    add(groups_file=path)
    sizes = Counter(groups).values()
    together = counted(sum(size > 1 for size in sizes), "group")
    print(f"Wrote {path}: {together} of several images, the largest of {max(sizes)}; {len(sizes)} in all.")
    print(f"Look at the pairs, edit the file where they are wrong, and use data.groups={path}")


def _page(config: Inspect, dataset: Dataset, audit: DatasetAudit, facts: Sequence[ImageFacts]) -> Page:
    label_type = dataset.label_type
    names = _names_with_ids(label_type)
    tables = [
        parts_table(audit, names),
        sizes_table(audit, config.image_size),
        image_values_table(facts, image_reader(config.data)),
    ]
    if (table := groups_table(audit)) is not None:
        tables.append(table)
    turned = turned_images(dataset.source)
    sentences = [
        *turned_sentences(turned, audit.names),
        *range_sentences(facts, audit.names, image_reader(config.data)),
    ]
    sentences += left_out_sentences(dataset, audit)
    sentences += audit_sentences(audit, label_type.classes, config.data)
    pairs = audit.duplicates.listed[:MAX_PAIRS]
    if pairs:
        tables.append(pairs_table(audit, pairs))
    scenes = sorted(audit.scenes or (), key=lambda pair: not audit.crosses(pair))[:MAX_PAIRS]
    if scenes:
        tables.append(scenes_table(audit, scenes))
    return Page(
        title=f"{dataset.source.name}, {label_type.name}",
        summary=(*(sentences or ["No problems found."]), *scene_note(audit)),
        tables=tuple(tables),
        legend=(*zip(names, label_type.colors, strict=True), ("unknown", UNKNOWN_COLOR)),
        pairs=tuple(pair_row(dataset, audit, pair) for pair in pairs),
        scenes=tuple(scene_row(dataset, audit, pair) for pair in scenes),
        suspicious=tuple(
            ImageRow(f"{audit.names[index]}: {reason}", outlined_and_label(dataset, index))
            for index, reason in list(turned.items())[:MAX_TURNED]
        )
        + tuple(
            ImageRow(f"{audit.names[index]}: {reason}", image_and_label(dataset, index))
            for index, reason in audit.suspicious[:MAX_SUSPICIOUS]
        ),
        browse=tuple(
            panel
            for index in evenly_spaced(len(audit.names), MAX_BROWSED)
            for panel in outlined_and_label(dataset, index)
        ),
    )


def _names_with_ids(label_type: LabelType) -> tuple[str, ...]:
    """The classes; of own data with their ids or colours in the label images: "crack (7)", "crack (#FF0000)"."""
    if not label_type.ids:
        return label_type.classes
    values: Sequence[Sequence[object]] = label_type.ids
    if label_type.read_by == "colors":
        values = [[*map(to_hex, colors)] for colors in label_type.mask_colors]
    pairs = zip(label_type.classes, values, strict=True)
    return tuple(f"{name} ({', '.join(map(str, ids))})" for name, ids in pairs)

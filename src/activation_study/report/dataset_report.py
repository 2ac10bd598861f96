"""The report on a data set before training: tables in the terminal, and a page of images with their labels."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from activation_study.config.command_options import Inspect
from activation_study.console import table_console, track_progress
from activation_study.data.audit import MIN_SIMILARITY, DatasetAudit, DuplicatePair, audit_dataset
from activation_study.data.copies import describe_copies
from activation_study.data.dataset import Dataset
from activation_study.data.group_proposal import check_new_file, joined_groups, write_groups
from activation_study.data.image_folder import turned_images
from activation_study.data.image_reader import ImageFacts, image_reader
from activation_study.data.input_convention import displayed
from activation_study.data.label_types import LabelType
from activation_study.data.name_check import check_names
from activation_study.data.packed_color import to_hex
from activation_study.data.same_scene import MAX_IMAGES, ScenePair
from activation_study.data.splits import PARTS
from activation_study.errors import counted, examples
from activation_study.evaluation.plots import outline
from activation_study.files import write_text
from activation_study.outcome import add, deliver
from activation_study.palette import UNKNOWN_COLOR
from activation_study.report.data_uris import MAX_WIDTH, image_uri, label_map_uri
from activation_study.report.dataset_groups import (
    group_sentences,
    groups_table,
    scene_note,
    scene_sentences,
    scenes_table,
)
from activation_study.report.elements import ImagePanel, ImageRow, Table, print_table
from activation_study.report.image_values import image_kinds, image_values_table
from activation_study.report.render import render

MAX_BROWSED = 48  # images to browse, evenly spaced over the data set
MAX_PAIRS = 24  # pairs of near duplicates, in the table and with images
MAX_SUSPICIOUS = 48
MAX_TURNED = 6  # images that their EXIF orientation turns
OUTLINE = 1.5  # pixels of an image on the page, on each side of an outline
PLACES = (*PARTS, "left out")


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
        console.print(sentence, highlight=False)
    path = Path("outputs") / "inspection" / f"{dataset.source.name}-{dataset.label_type.name}" / "index.html"
    write_text(path, render("dataset.html.j2", autoescape=True, page=page))
    deliver("inspection", {**_describe(dataset, audit, page, path), "values": image_kinds(facts)})
    if config.write_groups is not None:
        _write_groups(Path(config.write_groups), audit)
    return path


def _write_groups(path: Path, audit: DatasetAudit) -> None:
    pairs = [(pair.first, pair.second) for pair in audit.pairs]
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


def _describe(dataset: Dataset, audit: DatasetAudit, page: Page, path: Path) -> dict[str, Any]:
    """The inspection as a program reads it (docs/reference/json.md); pixels per class, unknown ones last."""
    classes = (*dataset.label_type.classes, "unknown")
    parts = [part for part in PLACES if part in audit.part_of]
    pixels = {part: audit.counts[[name == part for name in audit.part_of]].sum(axis=0) for part in parts}
    return {
        "page": path,
        "data": dataset.source.name,
        "digest": dataset.source.digest,
        "label_type": dataset.label_type.name,
        "images": {part: audit.part_of.count(part) for part in parts},
        "ids": dict(zip(dataset.label_type.classes, dataset.label_type.ids, strict=bool(dataset.label_type.ids))),
        "pixels": {part: dict(zip(classes, counts, strict=True)) for part, counts in pixels.items()},
        "sizes": [[*size, count] for size, count in Counter(audit.sizes).most_common()],
        "near_duplicates": [
            {
                **asdict(pair),
                "first": audit.names[pair.first],
                "second": audit.names[pair.second],
                "parts": _parts(audit, pair),
            }
            for pair in audit.pairs
        ],
        "same_scene": None
        if audit.scenes is None
        else [
            {
                "first": audit.names[pair.first],
                "second": audit.names[pair.second],
                "parts": _parts(audit, pair),
                "matches": pair.inliers,
            }
            for pair in audit.scenes
        ],
        "groups": None
        if audit.groups is None
        else [{"group": group, "part": part, "images": count} for (group, part), count in _group_parts(audit)],
        "group_pattern": audit.pattern,
        "groups_file": None,  # until it is written
        "suspicious": [{"image": audit.names[index], "reason": reason} for index, reason in audit.suspicious],
        "summary": page.summary,
    }


def _group_parts(audit: DatasetAudit) -> list[tuple[tuple[str, str], int]]:
    return sorted(Counter(zip(audit.groups or (), audit.part_of, strict=True)).items())


def _page(config: Inspect, dataset: Dataset, audit: DatasetAudit, facts: Sequence[ImageFacts]) -> Page:
    label_type = dataset.label_type
    names = _names_with_ids(label_type)
    tables = [
        _parts_table(audit, names),
        _sizes_table(audit, config.image_size),
        image_values_table(facts, image_reader(config.data)),
    ]
    if (table := groups_table(audit)) is not None:
        tables.append(table)
    turned = turned_images(dataset.source)
    sentences = [*_summary_of_turned(turned, audit.names), *_summary_of_left_out(dataset, audit)]
    sentences += _summary(audit, label_type.classes)
    pairs = sorted(audit.pairs, key=lambda pair: not audit.crosses(pair))[:MAX_PAIRS]  # leaks first
    if pairs:
        tables.append(_pairs_table(audit, pairs))
    scenes = sorted(audit.scenes or (), key=lambda pair: not audit.crosses(pair))[:MAX_PAIRS]
    if scenes:
        tables.append(scenes_table(audit, scenes))
    return Page(
        title=f"{dataset.source.name}, {label_type.name}",
        summary=(*(sentences or ["No problems found."]), *scene_note(audit)),
        tables=tuple(tables),
        legend=(*zip(names, label_type.colors, strict=True), ("unknown", UNKNOWN_COLOR)),
        pairs=tuple(_pair_row(dataset, audit, pair) for pair in pairs),
        scenes=tuple(_scene_row(dataset, audit, pair) for pair in scenes),
        suspicious=tuple(
            ImageRow(f"{audit.names[index]}: {reason}", _outlined_and_label(dataset, index))
            for index, reason in list(turned.items())[:MAX_TURNED]
        )
        + tuple(
            ImageRow(f"{audit.names[index]}: {reason}", _image_and_label(dataset, index))
            for index, reason in audit.suspicious[:MAX_SUSPICIOUS]
        ),
        browse=tuple(
            panel
            for index in _evenly_spaced(len(audit.names), MAX_BROWSED)
            for panel in _outlined_and_label(dataset, index)
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


def _summary_of_turned(turned: dict[int, str], names: Sequence[str]) -> list[str]:
    """A label in the orientation of the sensor has the right size where the image is turned by 180° or mirrored."""
    if not turned:
        return []
    which = f"{counted(len(turned), 'image')} ({examples([names[index] for index in turned])})"
    return [f"EXIF orientation turns {which}: look whether the outlines of the label lie on the turned image."]


def _summary_of_left_out(dataset: Dataset, audit: DatasetAudit) -> Iterator[str]:
    """Why images are in no part of the split."""
    if dataset.copies:
        yield f"{describe_copies(dataset.copies, audit.names, dataset.preprocessed.labels)}."
    others = [
        name for index, name in enumerate(audit.names) if _in_no_part(audit, index) and index not in dataset.copies
    ]
    if others:
        verb = "is" if len(others) == 1 else "are"
        yield f"{counted(len(others), 'image')} {verb} in no part of the split: {examples(others)}."


def _in_no_part(audit: DatasetAudit, index: int) -> bool:
    return audit.part_of[index] not in PARTS


def _summary(audit: DatasetAudit, classes: tuple[str, ...]) -> list[str]:
    """What to know before training, one sentence each."""
    sentences = []
    leaks = [pair for pair in audit.pairs if audit.crosses(pair) and "test" in _parts(audit, pair)]
    if leaks:
        identical = sum(pair.identical for pair in leaks)
        sentences.append(
            f"{counted(len(leaks), 'pair')} of near duplicates (correlation of thumbnails at least {MIN_SIMILARITY}) "
            f"across the test split: {identical} with identical pixels, which data.remove_duplicates=true removes from "
            f"the other parts, and {len(leaks) - identical} nearly identical."
        )
    everywhere = [name for name, count in zip(classes, audit.counts.sum(axis=0), strict=False) if not count]
    if everywhere:
        sentences.append(f"Classes that are declared, but occur in no label: {', '.join(everywhere)}.")
    for part in PARTS:
        counts = audit.counts[[name == part for name in audit.part_of]].sum(axis=0)[:-1]
        absent = [name for name, count in zip(classes, counts, strict=True) if not count and name not in everywhere]
        if absent:
            sentences.append(f"Classes that do not occur in the {part} split: {', '.join(absent)}.")
    sentences += [*scene_sentences(audit), *group_sentences(audit)]
    if audit.suspicious:
        count = len(audit.suspicious)
        sentences.append(f"{counted(count, 'label')} need{'s' if count == 1 else ''} review.")
    return sentences


def _parts(audit: DatasetAudit, pair: DuplicatePair | ScenePair) -> tuple[str, str]:
    return audit.part_of[pair.first], audit.part_of[pair.second]


def _parts_table(audit: DatasetAudit, classes: tuple[str, ...]) -> Table:
    rows = []
    for part in (*PLACES, "all"):
        chosen = np.array([part in (name, "all") for name in audit.part_of])
        if not chosen.any():
            continue
        counts = audit.counts[chosen].sum(axis=0)
        known = max(1, counts[:-1].sum())
        fractions = [_percent(count / known) for count in counts[:-1]]
        rows.append((part, str(chosen.sum()), *fractions, _percent(counts[-1] / counts.sum())))
    caption = (
        "Images in each part of the split; each class as a percentage of the known pixels; unknown pixels as a "
        "percentage of all pixels."
    )
    return Table(("split", "images", *classes, "unknown"), tuple(rows), caption)


def _sizes_table(audit: DatasetAudit, size: tuple[int, int]) -> Table:
    common = Counter(audit.sizes).most_common(6)
    rows = [(f"{width} × {height}", str(count)) for (height, width), count in common]
    others = len(audit.names) - sum(count for _, count in common)
    rows += [("others", str(others))] if others else []
    heights, widths = zip(*audit.sizes, strict=True)
    different = len(set(audit.sizes))
    ranges = f"{_range('width', widths)}, {_range('height', heights)}, {different} different sizes"
    caption = (
        f"Image sizes, width × height in pixels: {ranges if different > 1 else 'all the same'}. The network receives "
        f"all images at {size[1]} × {size[0]}."
    )
    return Table(("size", "images"), tuple(rows), caption)


def _range(noun: str, values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{noun} {low}" if low == high else f"{noun}s {low} to {high}"


def _pairs_table(audit: DatasetAudit, pairs: list[DuplicatePair]) -> Table:
    rows = [
        (
            audit.names[pair.first],
            audit.part_of[pair.first],
            audit.names[pair.second],
            audit.part_of[pair.second],
            "identical" if pair.identical else f"{pair.similarity:.4f}",
            _percent(pair.agreement),
        )
        for pair in pairs
    ]
    crossing = sum(map(audit.crosses, audit.pairs))
    caption = (
        f"{counted(len(audit.pairs), 'pair')} of near duplicates, {crossing} of them in different parts of the split; "
        f"{len(pairs)} shown. Similarity: correlation of the thumbnails. Labels agree: percentage of pixels with the "
        "same label."
    )
    return Table(("image", "split", "other", "its split", "similarity", "labels agree"), tuple(rows), caption)


def _pair_row(dataset: Dataset, audit: DatasetAudit, pair: DuplicatePair) -> ImageRow:
    similarity = "identical" if pair.identical else f"similarity {pair.similarity:.4f}"
    panels = (*_image_and_label(dataset, pair.first), *_image_and_label(dataset, pair.second))
    return ImageRow(f"{' and '.join(_parts(audit, pair))}: {similarity}", panels)


def _scene_row(dataset: Dataset, audit: DatasetAudit, pair: ScenePair) -> ImageRow:
    panels = (*_image_and_label(dataset, pair.first), *_image_and_label(dataset, pair.second))
    return ImageRow(f"{' and '.join(_parts(audit, pair))}: {pair.inliers} matches", panels)


def _image_and_label(dataset: Dataset, index: int) -> tuple[ImagePanel, ...]:
    name = dataset.source.names[index]
    image = image_uri(displayed(dataset.source.image(index)))
    label = label_map_uri(dataset.truth(index), dataset.label_type.colors)
    return ImagePanel(name, f"image {name}", image), ImagePanel("label", f"label of {name}", label)


def _outlined_and_label(dataset: Dataset, index: int) -> tuple[ImagePanel, ...]:
    """The image with the outlines of its label, and the label; both in the colours of the legend."""
    name, truth, colors = dataset.source.names[index], dataset.truth(index), dataset.label_type.colors
    image = displayed(dataset.source.image(index))
    outlined = outline(image, truth, colors, width=max(1, round(OUTLINE * image.shape[1] / MAX_WIDTH)))
    return (
        ImagePanel(name, f"{name} with the outlines of its label", image_uri(outlined)),
        ImagePanel("label", f"label of {name}", label_map_uri(truth, colors)),
    )


def _evenly_spaced(count: int, maximum: int) -> list[int]:
    return [int(index) for index in np.unique(np.linspace(0, count - 1, maximum).round())]


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}" if fraction == 0 or fraction >= 0.0005 else "< 0.1"

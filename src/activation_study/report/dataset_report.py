"""A data set looked at before training: tables in the terminal, and a page with its pictures under their labels."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from activation_study.config.schema import Config
from activation_study.console import table_console, track_progress
from activation_study.data.audit import Inspection, Pair, inspect
from activation_study.data.dataset import Dataset
from activation_study.data.input_convention import bgr_to_rgb
from activation_study.evaluation.plots import overlay
from activation_study.files import write_text
from activation_study.palette import UNKNOWN_COLOR
from activation_study.report.data_uris import image_uri, label_map_uri
from activation_study.report.elements import ImagePanel, ImageRow, Table, to_rich
from activation_study.report.render import render

MAX_PAIRS = 48  # pictures to browse, evenly spaced over the data set
MOST_PAIRS = 24  # with pictures; the table of pairs is as long
MOST_SUSPICIOUS = 48
PARTS = ("train", "validation", "test", "left out")


@dataclass(frozen=True)
class Page:
    """What is on the page.

    Args:
        title: the data set and label type.
        lead: what had better be known, a line each.
        tables: in order.
        legend: (class, colour).
        pairs: pictures that are alike.
        suspicious: labels to look at.
        browse: a part of all.
    """

    title: str
    lead: tuple[str, ...]
    tables: tuple[Table, ...]
    legend: tuple[tuple[str, str], ...]
    pairs: tuple[ImageRow, ...]
    suspicious: tuple[ImageRow, ...]
    browse: tuple[ImagePanel, ...]


def inspect_data(config: Config) -> Path:
    """Prints what the configured data set is like, and writes the page; returns its path.

    Raises:
        BadInput: the data set cannot be had or used.
    """
    dataset = Dataset(config)
    found = inspect(
        dataset.source,
        dataset.preprocessed,
        dataset.split,
        dataset.label_type,
        lambda places: track_progress(places, "labels"),
    )
    page = _page(config, dataset, found)
    console = table_console()
    for table in page.tables:
        console.print(to_rich(table))
    for line in page.lead:
        console.print(line, highlight=False)
    path = Path("outputs") / "inspection" / f"{dataset.source.name}-{dataset.label_type.name}" / "index.html"
    write_text(path, render("dataset.html.j2", autoescape=True, page=page))
    return path


def _page(config: Config, dataset: Dataset, found: Inspection) -> Page:
    label_type = dataset.label_type
    tables = [_parts_table(found, label_type.classes), _sizes_table(found, config.image_size)]
    if found.sources is not None:
        tables.append(_sources_table(found, found.sources))
    pairs = sorted(found.pairs, key=lambda pair: not found.crosses(pair))[:MOST_PAIRS]  # leaks first
    if pairs:
        tables.append(_pairs_table(found, pairs))
    return Page(
        title=f"{dataset.source.name}, {label_type.name}",
        lead=tuple(_lead(found, label_type.classes)),
        tables=tuple(tables),
        legend=(*zip(label_type.classes, label_type.colors, strict=True), ("unknown", UNKNOWN_COLOR)),
        pairs=tuple(_pair_row(dataset, found, pair) for pair in pairs),
        suspicious=tuple(
            ImageRow(f"{found.names[place]}: {reason}", _both(dataset, place))
            for place, reason in found.suspicious[:MOST_SUSPICIOUS]
        ),
        browse=tuple(_overlay(dataset, place) for place in _spaced(len(found.names), MAX_PAIRS)),
    )


def _lead(found: Inspection, classes: tuple[str, ...]) -> list[str]:
    """What had better be known before training."""
    said = []
    crossing = [pair for pair in found.pairs if found.crosses(pair)]
    leaks = [pair for pair in crossing if "test" in (found.part_of[pair.first], found.part_of[pair.second])]
    if leaks:
        same = sum(pair.identical for pair in leaks)
        said.append(
            f"{_count(leaks, 'pair')} of alike pictures (correlation of thumbnails 0.97 or more) stand on both sides "
            f"of the test split: {same} of identical pixels, which data.remove_duplicates=true takes out of the other "
            f"parts, and {len(leaks) - same} of nearly the same."
        )
    for part in PARTS[:3]:
        counts = found.counts[[each == part for each in found.part_of]].sum(axis=0)[:-1]
        absent = [name for name, count in zip(classes, counts, strict=True) if not count]
        if absent:
            said.append(f"Not in the {part} split: {', '.join(absent)}.")
    if found.sources is not None:
        tested = {source for source, part in zip(found.sources, found.part_of, strict=True) if part == "test"}
        trained = {source for source, part in zip(found.sources, found.part_of, strict=True) if part == "train"}
        both = sorted(tested & trained)
        if both:
            said.append(f"Of the sources that names tell, {', '.join(both)} are both trained on and tested.")
    if found.suspicious:
        said.append(f"{_count(found.suspicious, 'label')} had better be looked at.")
    return said or ["Nothing stands out."]


def _parts_table(found: Inspection, classes: tuple[str, ...]) -> Table:
    rows = []
    for part in (*PARTS, "all"):
        chosen = np.array([part in (each, "all") for each in found.part_of])
        if not chosen.any():
            continue
        counts = found.counts[chosen].sum(axis=0)
        known = max(1, counts[:-1].sum())
        shares = [_percent(count / known) for count in counts[:-1]]
        rows.append((part, str(chosen.sum()), *shares, _percent(counts[-1] / counts.sum())))
    caption = "Pictures, each class' share of the known pixels, and the share of unknown pixels, in percent."
    return Table(("split", "pictures", *classes, "unknown"), tuple(rows), caption)


def _sizes_table(found: Inspection, size: tuple[int, int]) -> Table:
    common = Counter(found.sizes).most_common(6)
    rows = [(f"{width} × {height}", str(count)) for (height, width), count in common]
    others = len(found.names) - sum(count for _, count in common)
    rows += [("others", str(others))] if others else []
    heights, widths = zip(*found.sizes, strict=True)
    caption = (
        f"Width × height in pixels; widths {min(widths)} to {max(widths)}, heights {min(heights)} to {max(heights)}, "
        f"{len(set(found.sizes))} different sizes. The network sees all at {size[1]} × {size[0]}."
    )
    return Table(("size", "pictures"), tuple(rows), caption)


def _sources_table(found: Inspection, sources: tuple[str, ...]) -> Table:
    counts = Counter(zip(sources, found.part_of, strict=True))
    parts = [part for part in PARTS if part in found.part_of]
    rows = [(source, *(str(counts[source, part]) for part in parts)) for source in sorted(set(sources))]
    return Table(
        ("source", *parts), tuple(rows), "Pictures of each source, as far as the names tell where they are from."
    )


def _pairs_table(found: Inspection, pairs: list[Pair]) -> Table:
    rows = [
        (
            found.names[pair.first],
            found.part_of[pair.first],
            found.names[pair.second],
            found.part_of[pair.second],
            "identical" if pair.identical else f"{pair.similarity:.4f}",
            _percent(pair.agreement),
        )
        for pair in pairs
    ]
    crossing = sum(map(found.crosses, found.pairs))
    caption = (
        f"{_count(found.pairs, 'pair')} of pictures that are alike, {crossing} of them across the split; these "
        f"{len(pairs)} first: correlation of their thumbnails, and the share of pixels whose labels agree, in percent."
    )
    return Table(("picture", "split", "other", "its split", "likeness", "labels agree"), tuple(rows), caption)


def _pair_row(dataset: Dataset, found: Inspection, pair: Pair) -> ImageRow:
    likeness = "identical" if pair.identical else f"likeness {pair.similarity:.4f}"
    parts = f"{found.part_of[pair.first]} and {found.part_of[pair.second]}"
    return ImageRow(f"{parts}: {likeness}", (*_both(dataset, pair.first), *_both(dataset, pair.second)))


def _both(dataset: Dataset, place: int) -> tuple[ImagePanel, ...]:
    name = dataset.source.names[place]
    photograph = image_uri(bgr_to_rgb(dataset.source.image(place)))
    return (
        ImagePanel(name, f"photograph {name}", photograph),
        ImagePanel("label", f"label of {name}", label_map_uri(dataset.truth(place), dataset.label_type.colors)),
    )


def _overlay(dataset: Dataset, place: int) -> ImagePanel:
    name = dataset.source.names[place]
    over = overlay(bgr_to_rgb(dataset.source.image(place)), dataset.truth(place), dataset.label_type.colors)
    return ImagePanel(name, f"{name} under its label", image_uri(over))


def _spaced(count: int, most: int) -> list[int]:
    return [int(place) for place in np.unique(np.linspace(0, count - 1, most).round())]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if share == 0 or share >= 0.0005 else "< 0.1"


def _count(items: Sequence[Any], noun: str) -> str:
    number = len(items)
    return f"{number} {noun}{'' if number == 1 else 's'}"

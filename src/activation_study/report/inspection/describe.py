"""The inspection of a data set as a program reads it (docs/reference/json.md)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from activation_study.data.audit import DatasetAudit
from activation_study.data.dataset import Dataset
from activation_study.report.inspection.tables import PLACES


def describe_dataset(dataset: Dataset, audit: DatasetAudit, summary: Sequence[str], page: Path) -> dict[str, Any]:
    """The inspection; pixels per class, unknown ones last."""
    classes = (*dataset.label_type.classes, "unknown")
    parts = [part for part in PLACES if part in audit.part_of]
    pixels = {part: audit.counts[[name == part for name in audit.part_of]].sum(axis=0) for part in parts}
    return {
        "page": page,
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
                "parts": audit.parts(pair),
            }
            for pair in audit.duplicates.listed
        ],
        "near_duplicate_pairs": {"all": audit.duplicates.count, "across_split": audit.duplicates.across_split},
        "same_scene": None
        if audit.scenes is None
        else [
            {
                "first": audit.names[pair.first],
                "second": audit.names[pair.second],
                "parts": audit.parts(pair),
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
        "summary": summary,
    }


def _group_parts(audit: DatasetAudit) -> list[tuple[tuple[str, str], int]]:
    return sorted(Counter(zip(audit.groups or (), audit.part_of, strict=True)).items())

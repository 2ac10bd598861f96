"""What the report on a data set says about images that belong together: groups, and images of the same scene."""

from collections import Counter
from collections.abc import Iterator

from activation_study.config.schema import Data
from activation_study.data.audit import DatasetAudit
from activation_study.data.same_scene import MAX_IMAGES, MIN_INLIERS, ScenePair
from activation_study.data.splitting.group_proposal import SOURCE_DIGIT
from activation_study.data.splitting.splits import PARTS
from activation_study.errors import counted
from activation_study.location import command
from activation_study.report.elements import Table

MAX_LISTED = 40  # groups in the table
MAX_NAMED = 5  # groups in a sentence


def group_sentences(audit: DatasetAudit, data: Data) -> Iterator[str]:
    """Groups that the split divides, and how to keep them whole.

    Args:
        audit: of the data set.
        data: its configuration.
    """
    if audit.groups is None or audit.pattern in (None, SOURCE_DIGIT):  # given groups are never divided
        return
    count, divided = len(set(audit.groups)), _divided(audit)
    if not divided:
        return
    names = ", ".join(divided[:MAX_NAMED]) + (", …" if len(divided) > MAX_NAMED else "")
    sentence = (
        f"Judging by their names, the images are of {count} groups, and the split divides {len(divided)} of them: "
        f"{names}."
    )
    fix = (
        f"If a group belongs together (a film, a patient, a place), "
        f"data.groups='{audit.pattern}'{_another_split(data)} keeps it whole."
    )
    enough = data.folds if data.split == "kfold" else len(PARTS)
    yield f"{sentence} {fix}" if count >= enough else sentence


def _another_split(data: Data) -> str:
    """What replaces a split that is given, since groups cannot be kept whole by it."""
    return " data.split=shuffled" if data.split in ("files", "folders") else ""


def scene_sentences(audit: DatasetAudit, data: Data) -> Iterator[str]:
    """Images of the same scene in different parts of the split, and how to keep these and near duplicates in one part;
    arguments as of `group_sentences`.
    """
    crossing = [pair for pair in audit.scenes or () if audit.crosses(pair)]
    if crossing:
        tested = sum("test" in audit.parts(pair) for pair in crossing)
        yield (
            f"{counted(len(crossing), 'pair')} of images that seem to show the same scene in different parts of the "
            f"split, {tested} with a test image: see them on the page."
        )
    if crossing or audit.duplicates.with_test > audit.duplicates.identical_with_test:
        yield (
            f"`{command('inspect')} … write_groups=groups.csv` writes groups of near duplicates and of images of the "
            f"same scene; then use data.groups=groups.csv{_another_split(data)}."
        )


def scene_note(audit: DatasetAudit) -> Iterator[str]:
    """That images of the same scene were not looked for."""
    if audit.scenes is None:
        reason = f"more than {MAX_IMAGES:,} images" if len(audit.names) > MAX_IMAGES else "same_scene=false"
        yield f"Images of the same scene were not looked for ({reason}); same_scene=true looks for them."


def groups_table(audit: DatasetAudit) -> Table | None:
    """The images of each group in each part of the split; only numbers of groups where these are many."""
    if audit.groups is None:
        return None
    parts = [part for part in (*PARTS, "left out") if part in audit.part_of]
    origin = "as data.groups says" if audit.pattern is None else "judging by file names"
    counts = Counter(zip(audit.groups, audit.part_of, strict=True))
    groups = sorted(set(audit.groups))
    if len(groups) > MAX_LISTED:
        row = tuple(str(sum(counts[group, part] > 0 for group in groups)) for part in parts)
        return Table(("", *parts), (("groups", *row),), f"Groups in each part of the split, {origin}: {len(groups):,}.")
    rows = [(group, *(str(counts[group, part]) for part in parts)) for group in groups]
    caption = f"Images of each group, {origin}, in each part of the split."
    return Table(("group", *parts), tuple(rows), caption)


def scenes_table(audit: DatasetAudit, pairs: list[ScenePair]) -> Table:
    """The given pairs of images of the same scene."""
    found = audit.scenes or ()
    rows = [
        (
            audit.names[pair.first],
            audit.part_of[pair.first],
            audit.names[pair.second],
            audit.part_of[pair.second],
            str(pair.inliers),
        )
        for pair in pairs
    ]
    crossing = sum(map(audit.crosses, found))
    caption = (
        f"{counted(len(found), 'pair')} of images that seem to show the same scene, {crossing} of them in different "
        f"parts of the split; {len(pairs)} shown. Matches: local features that fit one change of view, at least "
        f"{MIN_INLIERS}. Few matches may be a false alarm: look at the images."
    )
    return Table(("image", "split", "other", "its split", "matches"), tuple(rows), caption)


def _divided(audit: DatasetAudit) -> list[str]:
    """The groups with images in more than one part of the split."""
    assert audit.groups is not None
    pairs = {pair for pair in zip(audit.groups, audit.part_of, strict=True) if pair[1] in PARTS}
    counts = Counter(group for group, _ in pairs)
    return sorted(group for group, count in counts.items() if count > 1)

"""The finished runs of a study as arrays to compare: one block per data set, label type and variant, one arm per
activation, its runs in the order of their seeds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.analysis.finished_runs import read_runs
from activation_study.analysis.grouping import Variants, arm, grouped
from activation_study.errors import BadInput, problems_message
from activation_study.metrics import Counts
from activation_study.palette import recorded_colors
from activation_study.records.record import Record
from activation_study.records.run import Run


@dataclass(frozen=True, eq=False)
class Arm:
    """One activation within a block.

    Args:
        name: the activation's.
        seeds: of its runs, ascending: n.
        records: of its runs, in that order.
        folders: of its runs, in that order.
        confusions: [n, images, C + 1, C].
    """

    name: str
    seeds: tuple[int, ...]
    records: tuple[Record, ...]
    folders: tuple[Path, ...]
    confusions: Counts

    def metric(self, key: str, seeds: Sequence[int] | None = None) -> NDArray[np.float64]:
        """A result of each run, or of the runs of the given seeds: [n]."""
        chosen = self.seeds if seeds is None else seeds
        return np.array([self.records[self.seeds.index(seed)].results[key] for seed in chosen])


@dataclass(frozen=True, eq=False)
class Block:
    """Arms that were trained and scored on the same.

    Args:
        data: the data set's name.
        label_type: its name.
        variant: what else sets the block apart: "key=value" each; nothing where it is as most runs of the study.
        classes: names of the C classes.
        colors: of these, "#RRGGBB".
        images: names of the test images.
        image_hashes: which photograph each of these is.
        arms: in the order of their first runs.
        repeats: its runs stand in other blocks already.
    """

    data: str
    label_type: str
    variant: tuple[str, ...]
    classes: tuple[str, ...]
    colors: tuple[str, ...]
    images: tuple[str, ...]
    image_hashes: tuple[str, ...]
    arms: tuple[Arm, ...]
    repeats: bool = False

    @property
    def title(self) -> str:
        """In words, for headings."""
        return ", ".join([self.label_type, *self.variant])


def read_study(study: Path, allow_incomplete: bool = False) -> tuple[list[Block], list[str]]:
    """The blocks of a study, and what is missing in them.

    Args:
        study: its folder.
        allow_incomplete: go on with the seeds that all arms of a block have, and return the faults.

    Raises:
        BadInput: no finished runs; runs of several protocol versions or data; or, unless allowed, runs that did not
            finish and seeds that not all arms have.
    """
    runs, unfinished = read_runs(study)
    if not runs:
        raise BadInput(
            f"{study.absolute()}: no finished runs; `python train.py -m … study={study.name}` makes them. Studies are "
            f"looked for below the current folder, or folder=…"
        )
    _refuse_mixtures(study, runs)
    arms = _arms(runs)
    _refuse_twins(study, arms)
    problems = [*unfinished, *_seed_problems(arms)]
    if problems and not allow_incomplete:
        mend = "A sweep over all of them makes what is missing; allow_incomplete=true compares what there is."
        raise BadInput(problems_message(f"{study} is not complete", problems, mend))
    return [_block(key[2:], group) for key, group in arms.items()], problems


def _arms(runs: Sequence[Run]) -> dict[tuple[str, ...], list[tuple[str, list[Run]]]]:
    """The runs of each block, in arms with their names."""
    variants = Variants([run.record.config for run in runs])
    groups = grouped(runs, lambda run: (*arm(run.record.config), *variants.of(run.record.config)))
    blocks: dict[tuple[str, ...], list[tuple[str, list[Run]]]] = {}
    for (data, label_type, activation, *variant), group in groups.items():
        own = [_short(each) for each in variant if each.startswith("activation.")]
        apart = [each for each in variant if not each.startswith("activation.")]
        blocks.setdefault((data, label_type, *apart), []).append((" ".join([activation, *own]), group))
    return blocks


def _short(variant: str) -> str:
    """The last part of the key: "activation.layer.kernel_size=5" → "kernel_size=5"."""
    key, _, value = variant.partition("=")
    return f"{key.rpartition('.')[2]}={value}"


def _block(variant: tuple[str, ...], arms: Sequence[tuple[str, list[Run]]]) -> Block:
    first = arms[0][1][0]
    common = set.intersection(*(set(_seeds(group)) for _, group in arms))
    config = first.record.config
    return Block(
        data=config["data"]["name"],
        label_type=config["label_type"]["name"],
        variant=variant,
        classes=tuple(first.record.classes),
        colors=tuple(recorded_colors(config, first.record.classes)),
        images=first.images,
        image_hashes=first.image_hashes,
        arms=tuple(_arm(name, [run for run in group if _seed(run) in common]) for name, group in arms),
    )


def _seed(run: Run) -> int:
    return int(run.record.config["seed"])


def _seeds(runs: Sequence[Run]) -> list[int]:
    return sorted(_seed(run) for run in runs)


def _refuse_mixtures(study: Path, runs: Sequence[Run]) -> None:
    """BadInput where runs measured different things under one name."""
    problems = []
    protocols = {run.record.protocol for run in runs}
    if len(protocols) > 1:
        problems.append(f"protocol versions {', '.join(map(str, sorted(protocols)))}")
    for key, group in grouped(runs, lambda run: (run.record.config["data"]["name"],)).items():
        digests = {run.record.digests["data"][:12] for run in group}
        if len(digests) > 1:
            problems.append(f"{key[0]}: contents {', '.join(sorted(digests))}")
    for key, group in grouped(runs, lambda run: (str(_what_is_tested(run)),)).items():
        if len({run.images for run in group}) > 1:
            problems.append(f"{key[0]}: different test images")
    if problems:
        raise BadInput(
            problems_message(f"{study} mixes what cannot be compared", problems, "rerun=all makes them alike.")
        )


def _refuse_twins(study: Path, blocks: dict[tuple[str, ...], list[tuple[str, list[Run]]]]) -> None:
    """BadInput where one arm has a seed twice: both would count, though they are no two runs of it."""
    problems = []
    for key, arms in blocks.items():
        for name, group in arms:
            for seed, twins in grouped(group, lambda run: (str(_seed(run)),)).items():
                if len(twins) > 1:
                    folders = " and ".join(run.folder.name for run in twins)
                    problems.append(f"{' '.join(key)}, {name}, seed {seed[0]}: {folders}")
    if problems:
        mend = "Runs that differ in seeding.* alone, or by the version of the code: move those away that do not belong."
        raise BadInput(problems_message(f"{study} has runs that stand for the same seed", problems, mend))


def _what_is_tested(run: Run) -> dict[str, object]:
    data = run.record.config["data"]
    keys = ("name", "split", "split_seed", "folds", "fold", "remove_duplicates")
    return {key: data.get(key) for key in keys}


def _seed_problems(blocks: dict[tuple[str, ...], list[tuple[str, list[Run]]]]) -> Iterator[str]:
    for key, arms in blocks.items():
        every = set.union(*(set(_seeds(group)) for _, group in arms))
        for name, group in arms:
            lacking = sorted(every - set(_seeds(group)))
            if lacking:
                yield f"{' '.join(key)}, {name}: no seed {', '.join(map(str, lacking))}"


def _arm(name: str, runs: Sequence[Run]) -> Arm:
    ordered = sorted(runs, key=_seed)
    return Arm(
        name=name,
        seeds=tuple(map(_seed, ordered)),
        records=tuple(run.record for run in ordered),
        folders=tuple(run.folder for run in ordered),
        confusions=np.stack([run.confusions for run in ordered]),
    )

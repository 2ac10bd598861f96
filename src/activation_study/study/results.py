"""The finished runs of a study as arrays to compare: one block per data set, label type and variant, one arm per
activation, its runs in the order of their seeds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.errors import BadInput, faults_message
from activation_study.run.artifacts import CONFUSIONS_FILE
from activation_study.run.record import RECORD_FILE, Record, read_record
from activation_study.study.arms import grouped, rows

Counts = NDArray[np.int64]


@dataclass(frozen=True)
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

    def metric(self, key: str) -> NDArray[np.float64]:
        """A result of each run: [n]."""
        return np.array([record.results[key] for record in self.records])


@dataclass(frozen=True)
class Block:
    """Arms that were trained and scored on the same.

    Args:
        data: the data set's name.
        label_type: its name.
        variant: what else sets the block apart: "key=value" each.
        classes: names of the C classes.
        images: names of the test images.
        photographs: which photograph each of these is.
        arms: in the order of their first runs.
    """

    data: str
    label_type: str
    variant: tuple[str, ...]
    classes: tuple[str, ...]
    images: tuple[str, ...]
    photographs: tuple[str, ...]
    arms: tuple[Arm, ...]

    @property
    def title(self) -> str:
        """In words, for headings."""
        return ", ".join([self.label_type, *self.variant])


@dataclass(frozen=True)
class _Run:
    record: Record
    folder: Path
    confusions: Counts
    images: tuple[str, ...]
    photographs: tuple[str, ...]


def read_study(study: Path, allow_incomplete: bool = False) -> tuple[list[Block], list[str]]:
    """The blocks of a study, and what is missing in them.

    Args:
        study: its folder.
        allow_incomplete: go on with the seeds that all arms of a block have, and return the faults.

    Raises:
        BadInput: no finished runs; runs of several protocol versions or data; or, unless allowed, runs that did not
            finish and seeds that not all arms have.
    """
    records = {path.parent: read_record(path.parent) for path in sorted(study.glob(f"*/{RECORD_FILE}"))}
    there = {folder: record for folder, record in records.items() if record is not None}
    unfinished = [f"{record.name}: {record.status}" for record in there.values() if record.status != "FINISHED"]
    runs = [_read(folder, record) for folder, record in there.items() if record.status == "FINISHED"]
    if not runs:
        raise BadInput(f"{study}: no finished runs; `python train.py -m … study={study.name}` makes them")
    runs.sort(key=lambda run: run.record.started)
    _refuse_mixtures(study, runs)
    arms = _arms(runs)
    faults = [*unfinished, *_seed_faults(arms)]
    if faults and not allow_incomplete:
        mend = "The same command that made them goes on; allow_incomplete=true compares what there is."
        raise BadInput(faults_message(f"{study} is not complete", faults, mend))
    return [_block(key[2:], group) for key, group in arms.items()], faults


def _arms(runs: Sequence[_Run]) -> dict[tuple[str, ...], list[tuple[str, list[_Run]]]]:
    """The runs of each block, in arms with their names."""
    keys, groups = rows(runs, lambda run: run.record.config)
    blocks: dict[tuple[str, ...], list[tuple[str, list[_Run]]]] = {}
    for (data, label_type, activation, *values), group in groups.items():
        variant = dict(zip(keys, values, strict=True))
        own = [f"{key.rpartition('.')[2]}={value}" for key, value in variant.items() if _of_activation(key, value)]
        apart = [f"{key}={value}" for key, value in variant.items() if not key.startswith("activation.")]
        blocks.setdefault((data, label_type, *apart), []).append((" ".join([activation, *own]), group))
    return blocks


def _of_activation(key: str, value: str) -> bool:
    return key.startswith("activation.") and value != "None"


def _block(variant: tuple[str, ...], arms: Sequence[tuple[str, list[_Run]]]) -> Block:
    first = arms[0][1][0]
    common = set.intersection(*(set(_seeds(group)) for _, group in arms))
    config = first.record.config
    return Block(
        data=config["data"]["name"],
        label_type=config["label_type"]["name"],
        variant=variant,
        classes=tuple(first.record.classes),
        images=first.images,
        photographs=first.photographs,
        arms=tuple(_arm(name, [run for run in group if _seed(run) in common]) for name, group in arms),
    )


def _seed(run: _Run) -> int:
    return int(run.record.config["seed"])


def _seeds(runs: Sequence[_Run]) -> list[int]:
    return sorted(_seed(run) for run in runs)


def _read(folder: Path, record: Record) -> _Run:
    path = folder / CONFUSIONS_FILE
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = tuple(map(str, arrays["names"]))
            photographs = tuple(map(str, arrays["photographs"]))
            return _Run(record, folder, np.asarray(arrays["confusions"], np.int64), names, photographs)
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"{path} cannot be read: {error}; rerun=all makes it again") from error


def _refuse_mixtures(study: Path, runs: Sequence[_Run]) -> None:
    """BadInput where runs measured different things under one name."""
    faults = []
    protocols = {run.record.protocol for run in runs}
    if len(protocols) > 1:
        faults.append(f"protocol versions {', '.join(map(str, sorted(protocols)))}")
    for key, group in grouped(runs, lambda run: (run.record.config["data"]["name"],)).items():
        digests = {run.record.digests["data"][:12] for run in group}
        if len(digests) > 1:
            faults.append(f"{key[0]}: contents {', '.join(sorted(digests))}")
    for key, group in grouped(runs, lambda run: (str(_what_is_tested(run)),)).items():
        if len({run.images for run in group}) > 1:
            faults.append(f"{key[0]}: different test images")
    if faults:
        raise BadInput(faults_message(f"{study} mixes what cannot be compared", faults, "rerun=all makes them alike."))


def _what_is_tested(run: _Run) -> dict[str, object]:
    data = run.record.config["data"]
    return {key: data[key] for key in ("name", "split", "split_seed", "folds", "fold")}


def _seed_faults(blocks: dict[tuple[str, ...], list[tuple[str, list[_Run]]]]) -> Iterator[str]:
    for key, arms in blocks.items():
        every = set.union(*(set(_seeds(group)) for _, group in arms))
        for name, group in arms:
            lacking = sorted(every - set(_seeds(group)))
            if lacking:
                yield f"{' '.join(key)}, {name}: no seed {', '.join(map(str, lacking))}"


def _arm(name: str, runs: Sequence[_Run]) -> Arm:
    ordered = sorted(runs, key=_seed)
    return Arm(
        name=name,
        seeds=tuple(map(_seed, ordered)),
        records=tuple(run.record for run in ordered),
        folders=tuple(run.folder for run in ordered),
        confusions=np.stack([run.confusions for run in ordered]),
    )

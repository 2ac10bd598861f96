"""Which runs of a study can be compared with each other, and what is missing."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from activation_study.analysis.grouping import grouped
from activation_study.config.algorithms import algorithms_of
from activation_study.config.schema import fold_of
from activation_study.errors import MAX_LISTED, BadInput, problems_message
from activation_study.records.record import Record
from activation_study.records.run import Run

NamedRuns = list[tuple[str, list[Run]]]  # the arms of a condition
ArmsByCondition = dict[tuple[str, ...], NamedRuns]


def has_planned_looks(records: Sequence[Record]) -> bool:
    """Whether all runs were made with the same planned looks, so that arms may have different numbers of seeds."""
    first, *others = (record.config.get("comparison", {}).get("looks") for record in records)
    return bool(first) and all(looks == first for looks in others)


def _reject_other_looks(study: Path, runs: Sequence[Run]) -> None:
    """Raises BadInput if some runs were made without the planned looks of others: p would be that of no plan."""
    by_looks = grouped(runs, lambda run: tuple(map(str, run.record.config.get("comparison", {}).get("looks") or ())))
    if len(by_looks) > 1:
        problems = [
            f"{', '.join(run.record.name for run in group[:MAX_LISTED])}: "
            + (f"planned looks at {', '.join(looks)} seeds" if looks else "no planned looks")
            for looks, group in by_looks.items()
        ]
        hint = "A plan holds for all runs of a study: move those of another plan, or of none, to a study of their own."
        raise BadInput(problems_message(f"{study} has runs that cannot be compared", problems, hint))


def seed_of(run: Run) -> int:
    """The seed of a run."""
    return int(run.record.config["seed"])


def reject_mixtures(study: Path, runs: Sequence[Run]) -> None:
    """Raises BadInput if runs measured different things under one name."""
    _reject_old_algorithms(study, runs)
    _reject_other_looks(study, runs)
    problems = []
    protocols = {run.record.protocol for run in runs}
    if len(protocols) > 1:
        problems.append(f"different protocol versions: {', '.join(map(str, sorted(protocols)))}")
    for (data,), group in grouped(runs, lambda run: (run.record.config["data"]["name"],)).items():
        digests = {run.record.digests["data"][:12] for run in group}
        if len(digests) > 1:
            problems.append(f"{data}: different contents, SHA-256 {', '.join(sorted(digests))}")
    for split, group in grouped(runs, _split_settings).items():
        if len({run.images for run in group}) > 1:
            problems.append(f"{', '.join(split)}: different test images")
    if problems:
        hint = "Train all of them again with rerun=all."
        raise BadInput(problems_message(f"{study} has runs that cannot be compared", problems, hint))


def _reject_old_algorithms(study: Path, runs: Sequence[Run]) -> None:
    """Raises BadInput if some runs used an earlier version of an algorithm than others."""
    newest: dict[str, int] = {}
    used = [(run, dict.fromkeys(algorithms_of(run.record.config), 1) | run.record.algorithms) for run in runs]
    for _, versions in used:
        newest |= {name: max(version, newest.get(name, 0)) for name, version in versions.items()}
    problems = [
        f"{run.record.name}: {name}, version {version}; others have version {newest[name]}"
        for run, versions in used
        for name, version in versions.items()
        if version < newest[name]
    ]
    if problems:
        hint = "These are older runs that today's code does not replace: delete their folders, or use another study."
        raise BadInput(problems_message(f"{study} has runs that cannot be compared", problems, hint))


def reject_duplicate_seeds(study: Path, conditions: ArmsByCondition) -> None:
    """Raises BadInput if an arm has two runs with the same seed, or with the same weights: both would count."""
    problems = []
    same = []
    for key, arms in conditions.items():
        for name, group in arms:
            for (seed,), duplicates in grouped(group, lambda run: (str(seed_of(run)),)).items():
                if len(duplicates) > 1:
                    folders = " and ".join(run.folder.name for run in duplicates)
                    problems.append(f"{' '.join(key)}, {name}, seed {seed}: {folders}")
            trained = [run for run in group if "weights" in run.record.digests]
            for copies in grouped(trained, lambda run: (run.record.digests["weights"],)).values():
                seeds = sorted(set(map(seed_of, copies)))
                if len(seeds) > 1:
                    same.append(f"{' '.join(key)}, {name}, seeds {', '.join(map(str, seeds))}")
    if problems:
        hint = "They differ only in seeding.* or in the version of the code. Move the extra runs to another folder."
        raise BadInput(problems_message(f"{study} has duplicate runs for a seed", problems, hint))
    if same:
        hint = "Their seeding.weights, seeding.order and seeding.augmentation are the same: keep one of them."
        raise BadInput(problems_message(f"{study} has runs with the same weights under several seeds", same, hint))


def _split_settings(run: Run) -> tuple[str, ...]:
    data = run.record.config["data"]
    keys = (
        *("name", "split", "split_seed", "split_digest", "folds", "fold"),
        *("groups", "groups_digest", "remove_duplicates"),
    )
    return tuple(f"data.{key}={data.get(key)}" for key in keys)


def gap_problems(conditions: ArmsByCondition) -> Iterator[str]:
    """What the arms of a planned study lack of the seeds 0, 1, 2, … up to their last one: a look needs all of them."""
    for key, arms in conditions.items():
        for name, group in arms:
            seeds = set(map(seed_of, group))
            if missing := sorted(set(range(max(seeds))) - seeds):
                yield f"{' '.join(key)}, {name}: no seed {', '.join(map(str, missing))}"


def seed_problems(conditions: ArmsByCondition) -> Iterator[str]:
    """What the arms of a condition lack of each other's seeds; the folds of a cross-validation are one condition."""
    for key, folds in grouped(list(conditions.items()), _without_fold).items():
        seeds = [{name: set(map(seed_of, group)) for name, group in arms} for _, arms in folds]
        every = set.union(*(found for of_fold in seeds for found in of_fold.values()))
        for (_, arms), of_fold in zip(folds, seeds, strict=True):
            fold = _fold(arms)
            for name in dict.fromkeys(name for each in seeds for name in each):
                missing = sorted(every - of_fold.get(name, set()))
                if missing:
                    where = "" if fold is None else f" of fold {fold}"
                    yield f"{' '.join(key)}, {name}: no seed {', '.join(map(str, missing))}{where}"


def _without_fold(condition: tuple[tuple[str, ...], NamedRuns]) -> tuple[str, ...]:
    key, arms = condition
    return key if _fold(arms) is None else tuple(each for each in key if not each.startswith("data.fold="))


def _fold(arms: NamedRuns) -> int | None:
    return fold_of(arms[0][1][0].record.config)

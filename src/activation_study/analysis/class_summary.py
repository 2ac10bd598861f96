"""What stands out in the classes over the runs of a condition, in sentences. Pure functions."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from activation_study.analysis.formatting import display_name
from activation_study.analysis.results import Arm, Condition
from activation_study.class_findings import ClassFindings, class_findings
from activation_study.errors import counted
from activation_study.records.record import Record


def findings_of(arm: Arm, classes: tuple[str, ...]) -> list[ClassFindings]:
    """What stands out in the classes of each seed of an arm, on the test images (of all folds)."""
    pooled = arm.confusions.sum(axis=1)  # [seeds, C + 1, C]
    of_seeds = (arm.records[start : start + arm.folds] for start in range(0, len(arm.records), arm.folds))
    return [
        class_findings(counts, classes, "test", _training_pixels(records))
        for counts, records in zip(pooled, of_seeds, strict=True)
    ]


def _training_pixels(records: Sequence[Record]) -> dict[str, int]:
    """The pixels of each class in the training images of all folds."""
    names = dict.fromkeys(name for record in records for name in record.training_pixels)
    return {name: sum(record.training_pixels.get(name, 0) for record in records) for name in names}


def class_sentences(condition: Condition) -> list[str]:
    """What stands out in the classes of all runs of a condition."""
    findings = {display_name(arm.name): findings_of(arm, condition.classes) for arm in condition.arms}
    return summarized(findings, condition.classes)


def summarized(findings: Mapping[str, Sequence[ClassFindings]], classes: Sequence[str]) -> list[str]:
    """The findings of several runs, counted: "FReLU never predicts bird in 3 of 5 runs".

    Args:
        findings: of each run, by the name of their arm.
        classes: the names of all classes.
    """
    every = [each for group in findings.values() for each in group]
    missing = [name for name in classes if any(name in each.missing for each in every)]
    untrained = [name for name in classes if any(name in each.untrained for each in every)]
    return [
        *_not_in("test", missing),
        *_not_in("training", untrained),
        *_never_predicted(findings, classes),
        *_swallowed(findings),
    ]


def _not_in(images: str, classes: Sequence[str]) -> Iterator[str]:
    if classes:
        yield f"{', '.join(classes)}: not in the {images} images"


def _never_predicted(findings: Mapping[str, Sequence[ClassFindings]], classes: Sequence[str]) -> Iterator[str]:
    """Those that no run predicts first, then for each arm those that some of its runs do not."""
    every = [each for group in findings.values() for each in group]
    by_none = [name for name in classes if all(name in each.never_predicted for each in every)]
    if by_none:
        yield f"{', '.join(by_none)}: never predicted in any of {counted(len(every), 'run')}"
    for arm, group in findings.items():
        counts = Counter(name for each in group for name in each.never_predicted if name not in by_none)
        for number in sorted(set(counts.values()), reverse=True):
            names = ", ".join(name for name in classes if counts[name] == number)
            yield f"{arm} never predicts {names} in {_of_runs(number, group)}"


def _swallowed(findings: Mapping[str, Sequence[ClassFindings]]) -> Iterator[str]:
    for arm, group in findings.items():
        for name, number in Counter(each.swallowing for each in group if each.swallowing).items():
            yield f"{arm}: almost everything became {name} in {_of_runs(number, group)}"


def _of_runs(number: int, group: Sequence[ClassFindings]) -> str:
    return f"{number} of {counted(len(group), 'run')}"

"""A tracked run again, in a new folder, and a verdict."""

import os
import sys
from collections.abc import Sequence, Set
from dataclasses import asdict, replace
from itertools import count

from activation_study.config.commands import Reproduce
from activation_study.config.identity import identity
from activation_study.config.schema import Config, resolved
from activation_study.errors import BadInput, problems_message
from activation_study.files import write_json
from activation_study.records.artifacts import CONFUSIONS_FILE, read_confusions
from activation_study.records.environment import differences
from activation_study.records.record import Record
from activation_study.runs.execute import run
from activation_study.runs.run_diff import RunDiff, compare
from activation_study.runs.start import ResumeError
from activation_study.tracking.lookup import TrackedRun, find_run
from activation_study.tracking.mirror import Mirror, link

VERDICT_FILE = "verdict.json"
MAX_LISTED = 5


def reproduce(options: Reproduce) -> bool:
    """Trains a tracked run again and prints whether it came out the same.

    Returns:
        Whether it is identical.

    Raises:
        BadInput: no such run, or it cannot be run here.
    """
    original = find_run(options.run, options.tracking.uri)
    then = original.record
    epochs = _epochs(options.epochs, then)
    config = _configuration(options, then, epochs)
    print(f"{then.name} of {then.study}, {then.status}, {len(then.epochs)} epochs; again in {config.run_folder}")

    def announce(now: Record) -> None:
        if epochs is not None:  # the digest is over the order of all epochs
            now.digests.pop("order")
        now.links["reproduces"] = str(original.folder or options.run)
        causes = _causes(then, now)
        text = problems_message("Differs from what is recorded", causes, "The bits may differ too.")
        print(text if causes else "Versions, processor, threads, backend, data and code are as recorded.")

    os.environ.setdefault("KERAS_BACKEND", then.environment["backend"])
    try:
        now = run(config, [f"run={options.run}"], announce)
    except ResumeError:  # an interrupted reproduction, and something has changed since
        _number(config, {config.suffix})
        now = run(config, [f"run={options.run}"], announce)
    if now.status != "FINISHED":
        raise BadInput(f"the reproduction did not finish: {now.error}")
    verdict = compare(then, now, original.confusions, read_confusions(config.run_folder / CONFUSIONS_FILE), epochs)
    causes = _causes(then, now)
    _show(verdict, causes)
    _keep(options, original, now, config, verdict, causes)
    return verdict.identical


def _epochs(wished: int | None, then: Record) -> int | None:
    """How many epochs are compared; None for all of them and the ends."""
    if wished is not None and wished < 1:
        raise BadInput(f"epochs={wished}: expected 1 or more")
    if not then.epochs:
        raise BadInput(f"{then.name} has no finished epoch to compare with")
    if then.status == "FINISHED" and (wished is None or wished >= len(then.epochs)):
        return None
    return min(wished or len(then.epochs), len(then.epochs))


def _configuration(options: Reproduce, then: Record, epochs: int | None) -> Config:
    """The recorded configuration, with the recorded threads, for a folder of its own."""
    data = {key: value for key, value in asdict(options.data).items() if value is not None}
    changes = {
        "study": f"{then.study}/reproductions",
        "folder": options.folder,
        "threads": options.threads or int(then.environment["threads"]),
        "tracking": {"uri": options.tracking.uri},
        "training": {"epochs": epochs} if epochs else {},
        "data": data,
    }
    config = then.configuration(changes)
    _number(config)
    return config


def _number(config: Config, passed: Set[str] = frozenset()) -> None:
    """Gives the reproduction the first number whose folder is free, or has one that was interrupted."""
    for number in count(1):
        config.suffix = f"-again{number}"
        if config.suffix not in passed and not (config.run_folder / VERDICT_FILE).exists():
            return


def _causes(then: Record, now: Record) -> list[str]:
    """What may have made a difference, likeliest first."""
    known = replace(then, digests={name: value for name, value in then.digests.items() if name in now.digests})
    return [*_identity_problem(then), *then.changes, *differences(known, now)]


def _identity_problem(then: Record) -> Sequence[str]:
    now = identity(resolved(then.configuration()))
    return [f"identity of the configuration (then {then.identity}, now {now})"] if now != then.identity else []


def _keep(
    options: Reproduce, original: TrackedRun, now: Record, config: Config, verdict: RunDiff, causes: Sequence[str]
) -> None:
    """Writes the verdict beside the reproduction and beside the original, and links their runs in the store."""
    word = "identical" if verdict.identical else "different"
    folder = config.run_folder
    write_json(folder / VERDICT_FILE, {"run": options.run, "verdict": word, **asdict(verdict), "differences": causes})
    if original.folder is not None:
        try:
            write_json(original.folder / "reproductions" / f"{now.name}.json", {"folder": str(folder), "verdict": word})
        except OSError as error:
            print(f"warning: {original.folder} does not point to its reproduction: {error}", file=sys.stderr)
    Mirror(folder, config.tracking.uri, config.tracking.weights).update(final=True)
    link(config.tracking.uri, original.record, now, word)


def _show(verdict: RunDiff, causes: Sequence[str]) -> None:
    scope = f"{verdict.epochs} epochs"
    if verdict.identical:
        print(
            f"identical: {scope}, the weights and all confusions are equal"
            if verdict.whole
            else f"identical: {scope} are equal"
        )
        return
    first = verdict.mismatches[0]
    print(f"different: first in {first.where}: {first.what} was {first.then}, is {first.now}")
    for mismatch in verdict.mismatches[1:MAX_LISTED]:
        print(f"  {mismatch.where}: {mismatch.what} was {mismatch.then}, is {mismatch.now}")
    if len(verdict.mismatches) > MAX_LISTED:
        print(f"  … and {len(verdict.mismatches) - MAX_LISTED} more")
    if verdict.mean_iou_apart is not None:
        print(f"  pooled mean IoU on the test split: {100 * verdict.mean_iou_apart:.2f} points apart")
    unknown = "nothing that is recorded differs: the record was changed, or the machine errs"
    print(f"  probable cause: {' or '.join(causes[:3]) or unknown}")

"""Trains a recorded run again in a new folder and compares the two."""

import os
import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from typing import Any

from activation_study.arithmetic import arithmetic_variables
from activation_study.config.algorithms import algorithms_of
from activation_study.config.command_options import Reproduce
from activation_study.config.component_problems import weights_file_digest
from activation_study.config.identity import identity
from activation_study.config.schema import Config, resolved
from activation_study.errors import BadInput, counted, problems_message
from activation_study.files import write_json
from activation_study.outcome import deliver, warn
from activation_study.records.environment import differences
from activation_study.records.record import REPRODUCTIONS, Record, read_record
from activation_study.records.run import Run, read_run
from activation_study.runs.execute import run
from activation_study.runs.run_diff import RunDiff, compare
from activation_study.runs.start import ResumeError
from activation_study.tracking.lookup import find_run
from activation_study.tracking.mirror import Mirror, link_reproduction

VERDICT_FILE = "verdict.json"
LINK = "reproduces"  # of the reproduction's record
MAX_LISTED = 5


def reproduce(options: Reproduce) -> bool:
    """Trains a recorded run again and prints whether the results are equal.

    Returns:
        Whether they are identical.

    Raises:
        BadInput: there is no such run, or it cannot be trained here.
    """
    original = find_run(options.run, options.tracking.uri)
    then = original.record
    _reject_other_algorithms(then)
    epochs = _epochs_to_compare(options.epochs, then)
    config = _configuration(options, original, epochs)
    state = f"{then.status}, {counted(len(then.epochs), 'epoch')}"
    print(f"Reproducing {then.name} of {then.study} ({state}) in {config.run_folder}")

    def announce(now: Record) -> None:
        if epochs is not None:  # the digest covers the order of all epochs
            now.digests.pop("order")
        now.links[LINK] = _place(original, options)
        causes = _causes(then, now)
        if causes:
            print(problems_message("Different from the record", causes, "The results may differ too."))
        else:
            print("Versions, processor, threads, backend, data and code are the same as recorded.")

    os.environ.setdefault("KERAS_BACKEND", then.environment["backend"])
    _set_recorded_variables(then.environment.get("variables", {}))
    try:
        now = run(config, [f"run={options.run}"], announce)
    except ResumeError:  # an interrupted reproduction, and the environment has changed since
        _choose_suffix(config, _place(original, options), {config.suffix})
        now = run(config, [f"run={options.run}"], announce)
    if now.status != "FINISHED":
        raise BadInput(f"The reproduction did not finish: {now.error}")
    reproduction = read_run(config.run_folder, now)
    diff = compare(original, reproduction, epochs)
    causes = _causes(then, now)
    _print_verdict(diff, causes)
    deliver("verdict", _describe(original, reproduction, diff, causes))
    _write_verdict(options, original, reproduction, config, diff, causes)
    return diff.identical


def _set_recorded_variables(recorded: Mapping[str, str]) -> None:
    """Sets the recorded environment variables that decide arithmetic and are not set, unless it is too late."""
    if not {"tensorflow", "jax", "torch"}.isdisjoint(sys.modules):
        return
    # The record may come from elsewhere: only variables that this program would record itself are set.
    missing = {name: value for name, value in arithmetic_variables(recorded).items() if not os.environ.get(name)}
    os.environ.update(missing)
    if missing:
        print(f"Set as recorded: {', '.join(f'{name}={value}' for name, value in missing.items())}")


def _describe(original: Run, reproduction: Run, diff: RunDiff, causes: Sequence[str]) -> dict[str, Any]:
    """The verdict as a program reads it (docs/reference/json.md)."""
    return {
        "verdict": _verdict(diff),
        "run": {"name": original.record.name, "study": original.record.study, "folder": original.folder},
        "reproduction": {"name": reproduction.record.name, "folder": reproduction.folder},
        **asdict(diff),
        "causes": causes,
    }


def _verdict(diff: RunDiff) -> str:
    return "identical" if diff.identical else "different"


def _epochs_to_compare(requested: int | None, then: Record) -> int | None:
    """The number of epochs to compare; None compares all of them and the final results."""
    if requested is not None and requested < 1:
        raise BadInput(f"epochs={requested}: expected 1 or more")
    if not then.epochs:
        raise BadInput(f"{then.name} has no finished epoch to compare with")
    if then.status == "FINISHED" and (requested is None or requested >= len(then.epochs)):
        return None
    return min(requested or len(then.epochs), len(then.epochs))


def _place(original: Run, options: Reproduce) -> str:
    """Where the original is, as its reproduction records it."""
    return str(original.folder if original.local else options.run)


def _configuration(options: Reproduce, original: Run, epochs: int | None) -> Config:
    """The recorded configuration with the recorded number of threads, for a new folder."""
    then = original.record
    changes = {
        "study": f"{then.study}/{REPRODUCTIONS}",
        "folder": options.folder,
        "threads": options.threads or int(then.environment["threads"]),
        "tracking": {"uri": options.tracking.uri, "energy": False},  # a machine need not be able to measure it
        "training": {"epochs": epochs} if epochs else {},
        "schedule_epochs": then.config.get("schedule_epochs") or then.config["training"]["epochs"],
        "data": _data_location(options, then),
        "model": _encoder_weights(options, then),
    }
    config = then.configuration(changes)
    config.sweep.label = then.name.partition(f"-{then.identity}")[0]
    _choose_suffix(config, _place(original, options))
    return config


def _data_location(options: Reproduce, then: Record) -> dict[str, str]:
    """Where the data are on this machine, as far as it is given; the recorded digests tell whether they are the same.

    Raises:
        BadInput: the run used no such file.
    """
    given = {key: value for key, value in asdict(options.data).items() if value is not None}
    data = then.config["data"]
    needed = {"images": data["format"] == "folder", "labels": data["format"] == "folder"}
    needed |= {"split_files": data.get("split_digest"), "groups": data.get("groups_digest")}
    unused = [f"data.{key}" for key in given if not needed.get(key, True)]
    if unused:
        raise BadInput(f"{' and '.join(unused)}: {then.name} was made without; its other settings are as recorded")
    return {"groups_file" if key == "groups" else key: value for key, value in given.items()}


def _encoder_weights(options: Reproduce, then: Record) -> dict[str, str]:
    """Where the file of the encoder's weights is on this machine, if the run had one.

    Raises:
        BadInput: the file is missing or has another content, or the run had none.
    """
    model = then.config["model"]
    digest, path = model.get("encoder_weights_digest"), options.encoder_weights or model.get("encoder_weights")
    if digest is None:
        if options.encoder_weights:
            raise BadInput(f"encoder_weights: {then.name} was made without")
        return {}
    if path is None or not Path(path).is_file() or weights_file_digest(Path(path)) != digest:
        raise BadInput(
            f"{then.name} began with the encoder of a file (SHA-256 {digest[:12]}), which is not {path}; give it as "
            "encoder_weights=PATH"
        )
    return {"encoder_weights": path}


def _choose_suffix(config: Config, original: str, excluded: Set[str] = frozenset()) -> None:
    """Gives the reproduction the first number whose folder is free or has an interrupted one of the same original.

    The first epochs of two runs may have one configuration.
    """
    for number in count(1):
        config.suffix = f"-again{number}"
        before = read_record(config.run_folder)
        free = before is None or before.links.get(LINK) == original
        if free and config.suffix not in excluded and not (config.run_folder / VERDICT_FILE).exists():
            return


def _causes(then: Record, now: Record) -> list[str]:
    """Everything that may explain a different result, most likely first."""
    comparable = replace(then, digests={name: value for name, value in then.digests.items() if name in now.digests})
    return [*_identity_problem(then), *then.changes, *differences(comparable, now)]


def _identity_problem(then: Record) -> Sequence[str]:
    now = identity(resolved(then.configuration()), then.algorithms)
    return [f"identity of the configuration (then {then.identity}, now {now})"] if now != then.identity else []


def _reject_other_algorithms(then: Record) -> None:
    """Raises BadInput if an algorithm that the run used computes something else today."""
    changed = [
        f"{name}, then version {then.algorithms.get(name, 1)}, now {version}"
        for name, version in algorithms_of(then.config).items()
        if then.algorithms.get(name, 1) != version
    ]
    if changed:
        commit = then.environment.get("git", {}).get("commit") or "of that time"
        raise BadInput(
            f"{then.name} cannot be reproduced with this version of the code, which computes something else: "
            f"{'; '.join(changed)}. Use the code of the run: commit {commit}"
        )


def _write_verdict(
    options: Reproduce, original: Run, reproduction: Run, config: Config, diff: RunDiff, causes: Sequence[str]
) -> None:
    """Writes the verdict to both run folders and links the two runs in the MLflow store."""
    verdict = _verdict(diff)
    folder, now = reproduction.folder, reproduction.record
    write_json(folder / VERDICT_FILE, {"run": options.run, "verdict": verdict, **asdict(diff), "differences": causes})
    if original.local:
        path = original.folder / "reproductions" / f"{now.name}.json"
        try:
            write_json(path, {"folder": str(folder), "verdict": verdict})
        except OSError as error:
            warn(f"{path} could not be written: {error}")
    Mirror(folder, config.tracking.uri, config.tracking.weights).update(final=True)
    link_reproduction(config.tracking.uri, original.record, now, verdict)


def _print_verdict(diff: RunDiff, causes: Sequence[str]) -> None:
    epochs = counted(diff.epochs, "epoch")
    if diff.identical:
        print(f"identical: {epochs}" + (", final weights and all confusion matrices" if diff.whole else ""))
        return
    first, *others = diff.mismatches
    print(f"different: first in {first.where}: {first.what} was {first.then}, is now {first.now}")
    for mismatch in others[: MAX_LISTED - 1]:
        print(f"  {mismatch.where}: {mismatch.what} was {mismatch.then}, is now {mismatch.now}")
    if len(diff.mismatches) > MAX_LISTED:
        print(f"  … and {len(diff.mismatches) - MAX_LISTED} more")
    if diff.mean_iou_apart is not None:
        print(f"  pooled mean IoU on the test split: {100 * diff.mean_iou_apart:.2f} points apart")
    unknown = "nothing recorded differs, so the record was edited or the hardware is not deterministic"
    print(f"  probable cause: {' or '.join(causes[:3]) or unknown}")

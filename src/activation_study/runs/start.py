"""How a run begins: its network, and its record: new, or taken up where it was interrupted."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from activation_study.config.identity import PROTOCOL_VERSION, identity
from activation_study.config.schema import Config, resolved
from activation_study.data.batching import order_digest
from activation_study.data.dataset import Dataset
from activation_study.errors import BadInput
from activation_study.files import remove_temporaries, write_bytes, write_json, write_text
from activation_study.records.record import RECORD_FILE, Record

if TYPE_CHECKING:
    from activation_study.model.network import Network


def new_record(config: Config, overrides: list[str], dataset: Dataset, network: "Network") -> Record:
    """The record of a run that would begin now."""
    from activation_study.model.network import shared_weights_digest
    from activation_study.records import environment
    from activation_study.records.source_code import code_digest

    record = Record(
        name=config.run_name,
        study=config.study,
        identity=identity(resolved(config)),
        config=resolved(config),
        overrides=overrides,
        classes=list(dataset.label_type.classes),
        environment=environment.describe_environment(config.threads, config.training.jit_compile),
        digests={
            "data": dataset.source.digest,
            "code": code_digest(),
            "initial_weights": shared_weights_digest(network.unet),
            "order": order_digest(dataset.split, config.seeding.order, config.training.epochs),
        },
        process=environment.current_process(),
        protocol=PROTOCOL_VERSION,
    )
    record.results["parameters"] = float(network.unet.count_params())
    return record


def create_run_folder(record: Record, folder: Path) -> None:
    """Writes a new run's folder in place of whatever was there; MLflow keeps what it had of that."""
    from omegaconf import OmegaConf

    from activation_study.records.source_code import patch

    changes = patch()  # whatever can fail comes before the old folder goes
    (folder / RECORD_FILE).unlink(missing_ok=True)  # first: what is half deleted is no run
    if folder.exists():
        shutil.rmtree(folder)
    write_text(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(record.config)))
    write_text(folder / "overrides.yaml", OmegaConf.to_yaml(OmegaConf.create(record.overrides)))
    write_json(folder / "environment.json", record.environment)
    if record.environment["git"]["clean"] is False:
        write_bytes(folder / "changes.patch", changes)
    record.write(folder)  # last: a folder with a record has all of the above


class ResumeError(BadInput):
    """An interrupted run whose circumstances have changed."""


def resume(before: Record, now: Record, folder: Path, allow_changes: bool) -> Record:
    """The record of an interrupted run that goes on, or of a failed one: that as a new run in MLflow.

    Args:
        before: as its folder has it.
        now: from `describe`.
        folder: the run's.
        allow_changes: go on although something differs, and record it.

    Raises:
        ResumeError: naming what differs.
    """
    from activation_study.records.environment import differences

    changes = differences(before, now)
    if changes and not allow_changes:
        raise ResumeError(
            f"{before.name} was interrupted and cannot go on to the same bits: {', '.join(changes)}. "
            f"Restore that, or start it anew (rerun=all), or accept it (allow_changes=true, recorded)."
        )
    remove_temporaries(folder)
    if before.status == "FAILED":  # the failed attempt stays in MLflow as it is
        before.key = now.key
        (folder / "traceback.txt").unlink(missing_ok=True)
    before.status, before.ended, before.error, before.process = "RUNNING", None, None, now.process
    before.changes = list(dict.fromkeys([*before.changes, *changes]))
    return before

"""Records of earlier versions can be read, and all runs of the committed studies have kept their identities."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study.config.component_problems import COMPONENT_GROUPS
from activation_study.config.identity import MACHINE_SPECIFIC_KEYS, RENAMED, flatten, identity
from activation_study.config.schema import Config, resolved
from activation_study.records.migrations import RECORD_VERSION, migrate
from activation_study.records.record import Record, parse_record
from activation_study.validation import from_hydra
from hydra_compose import composed

STUDIES = Path(__file__).parents[2] / "docs" / "studies"


def committed_records() -> list[str]:
    """The JSON text of each run's record, as it was written."""
    texts = []
    for path in sorted(STUDIES.glob("*/runs.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            texts += [str(arrays[name]) for name in arrays if name.startswith("record")]
    return texts


def configuration(record: Record) -> Config:
    """The recorded configuration, with an arbitrary path for each that is left out of a packed study."""
    for key in (each for each in MACHINE_SPECIFIC_KEYS if each != "model.encoder_weights"):  # none had any
        group, _, name = key.rpartition(".")
        values = record.config[group] if group else record.config
        values[name] = values[name] or "somewhere"
    return record.configuration()


def test_the_identities_of_all_committed_runs_are_recomputed() -> None:
    texts = committed_records()
    assert len(texts) >= 575
    for text in texts:
        content, record = json.loads(text), parse_record(text)
        assert identity(record.config, record.algorithms) == content["identity"] == record.identity
        assert content["name"].endswith(content["identity"])


def test_a_record_is_todays_configuration_and_the_same_command_has_the_same_identity() -> None:
    changed = 0
    for text in committed_records():
        record = parse_record(text)
        assert record.version == RECORD_VERSION
        values = resolved(configuration(record))
        assert set(flatten(record.config)) <= set(flatten(values))
        assert not set(flatten(record.config)) & set(RENAMED)
        assert identity(values) == identity(values, record.algorithms), (
            "made with an algorithm that was corrected since"
        )
        changed += identity(values) != record.identity
    assert changed == 24  # they are older than data.remove_duplicates and augmentation


def test_reading_labels_by_ids_as_ever_changes_no_identity() -> None:
    config = json.loads(committed_records()[0])["config"]
    classes = {"classes": [{"name": "a", "ids": [0], "color": "#808080"}], "unknown": []}
    digits = {
        read_by: identity({**config, "data": {**config["data"], "classes": {**classes, **read_by_entry}}}, {})
        for read_by, read_by_entry in {None: {}, "ids": {"read_by": "ids"}, "colors": {"read_by": "colors"}}.items()
    }
    assert digits[None] == digits["ids"] != digits["colors"]


def version_1(**config: Any) -> dict[str, Any]:
    return {"version": 1, "config": config, "overrides": []}


def test_values_move_to_their_new_keys() -> None:
    content = version_1(
        training={
            "learning_rate": 3e-4, "plateau": {"factor": 0.5}, "stopping": {"patience": 7}, "augmentation": "flip",
            "unknown_pixels": "ignored", "loss_over": "known_pixels", "epochs": 3,
        },
        model={"norm_momentum": 0.9}, comparison={"chosen_on_validation": "training.learning_rate"},
    )  # fmt: skip
    content["overrides"] = ["training.augmentation=flip", "data.color=rgb", "training.plateau.factor=0.5", "seed=1"]
    config = migrate(content)["config"]
    assert config["optimizer"] == {
        "learning_rate": 3e-4,
        "name": "adam_amsgrad",
        "_target_": "keras.optimizers.Adam",
        "amsgrad": True,
    }
    assert config["schedule"] == {
        "factor": 0.5,
        "name": "plateau",
        "_target_": "activation_study.training.schedule.Plateau",
    }
    assert config["loss"] == {
        "unlabeled": "ignored", "average_over": "known_pixels", "name": "cross_entropy",
        "_target_": "activation_study.model.losses.cross_entropy.CrossEntropy",
    }  # fmt: skip
    flip = {"_target_": "activation_study.data.augmentation.Flip", "probability": 0.5}
    assert config["augmentation"] == {"name": "flip", "steps": [flip]}
    assert config["normalization"]["momentum"] == 0.9
    assert config["training"] == {"early_stopping": {"patience": 7}, "epochs": 3}
    assert config["comparison"]["chosen_on_validation"] == "optimizer.learning_rate"
    expected = ["augmentation.name=flip", "data.channel_order=rgb", "schedule.factor=0.5", "seed=1"]
    assert content["overrides"] == expected


def test_the_groups_of_a_migrated_record_are_those_of_a_run_today() -> None:
    today = resolved(from_hydra(composed(["protocol=modern", "augmentation=flip_crop_color"])))
    before = json.loads(json.dumps(today))
    for group in COMPONENT_GROUPS:
        if group != "optimizer":  # it had its class before
            del before[group]["_target_"]
    for group in ("upsampling", "initializer"):
        del before[group]
    del before["augmentation"]["steps"]
    assert migrate({"version": 4, "config": before, "overrides": []})["config"] == today


def test_a_record_of_the_current_version_is_unchanged() -> None:
    content = {"version": RECORD_VERSION, "config": {"training": {"plateau": 3}}, "overrides": ["data.kind=x"]}
    assert migrate(json.loads(json.dumps(content))) == content


@pytest.mark.parametrize("version", [None, 0, RECORD_VERSION + 1, "1"])
def test_a_record_of_an_unknown_version_is_rejected(version: object) -> None:
    with pytest.raises(ValueError, match="expected at most"):
        migrate({**version_1(), "version": version})

"""What of a configuration decides a run's result, as eight hex digits that never change for the same run.

The digits are a hash over a canonical view of the resolved configuration. Names in that view are frozen as they were
when the first runs were made; keys that were renamed since are translated back, and keys that were introduced since
are left out while they have the value that held before they existed. So no run changes its identity by a renaming or
by a new option.
"""

import copy
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from activation_study.config.algorithms import algorithms_of

# Raised whenever a change of the code changes what a configuration measures (docs/explanation/protocol.md).
PROTOCOL_VERSION = 1

# Frozen name → the name today.
RENAMED = {
    "activation.places": "activation.scope",
    "data.kind": "data.format",
    "data.color": "data.channel_order",
    "data.label_resize": "data.label_interpolation",
    "model.norm_momentum": "normalization.momentum",
    "training.learning_rate": "optimizer.learning_rate",
    "training.plateau": "schedule",
    "training.stopping": "training.early_stopping",
    "training.unknown_pixels": "loss.unlabeled",
    "training.loss_over": "loss.average_over",
    "training.augmentation": "augmentation.name",
    "evaluation.resize": "evaluation.interpolation",
}
_FROZEN = {new: old for old, new in RENAMED.items()}
# Introduced since: left out while they have this value.
INTRODUCED: Mapping[str, Any] = {
    "normalization.name": "batch",
    "normalization._target_": "activation_study.model.normalization.BatchNormalization",
    "model._target_": "activation_study.model.networks.unet.build_unet",
    "model.encoder_weights_digest": None,
    "upsampling.name": "nearest",
    "upsampling._target_": "keras.layers.UpSampling2D",
    "upsampling.interpolation": "nearest",
    "initializer.name": "he_normal",
    "initializer._target_": "keras.initializers.HeNormal",
    "optimizer.name": "adam_amsgrad",
    "optimizer._target_": "keras.optimizers.Adam",
    "optimizer.amsgrad": True,
    "schedule.name": "plateau",
    "schedule._target_": "activation_study.training.schedule.Plateau",
    "loss.name": "cross_entropy",
    "loss._target_": "activation_study.model.losses.cross_entropy.CrossEntropy",
    "data.classes": None,
    "data.source": {},
    "data.split_digest": None,
    "data.channels": 3,
    "data.value_range": None,
    "data.groups": None,
    "data.groups_digest": None,
    "evaluation.weights": "best",
}
# Groups that were introduced since with all of their keys.
INTRODUCED_GROUPS = ("normalization", "upsampling", "initializer", "optimizer", "loss", "augmentation")
# The steps of the augmentations that had names alone, likewise.
_STEPS = "activation_study.data.augmentation"
_FLIP = {"_target_": f"{_STEPS}.Flip", "probability": 0.5}
_CROP = {"_target_": f"{_STEPS}.Crop", "smallest": 0.75}
_COLOR = {"_target_": f"{_STEPS}.ContrastAndBrightness", "contrast": 0.2, "brightness": 0.1}
INTRODUCED_STEPS: Mapping[str, list[Any]] = {
    "none": [],
    "flip": [_FLIP],
    "flip_crop_color": [_FLIP, {"_target_": f"{_STEPS}.ImageByImage", "steps": [_CROP, _COLOR]}],
}
READ_BY_IDS = ("read_by", "ids")  # of `data.classes`, likewise: says what held when there was no other way
# What decides a run's result, by frozen names; paths, threads, tracking and the study's name do not.
IDENTITY_KEYS = (
    "activation",
    "label_type",
    *(f"data.{key}" for key in ("name", "kind", "count", "scenes_seed", "image_size", "color", "label_resize")),
    *(f"data.{key}" for key in ("split", "split_seed", "folds", "fold", "remove_duplicates")),
    "model",
    "training",
    "evaluation.resize",
    "seed",
    "seeding",
)
# Of the groups above, what may change a run's bits but not what it measures, as threads do; and a path, whose content
# has a key of its own.
NOT_IDENTITY = ("training.checkpoint_minutes", "training.jit_compile", "model.encoder_weights")
# What describes one machine, and decides no result.
MACHINE_SPECIFIC_KEYS = ("folder", "data.root", "data.archive", "data.cache", "model.encoder_weights", "tracking.uri")

Values = dict[str, Any]
_MISSING = "…"  # where None is a value


def identity(config: Values, algorithms: Mapping[str, int] | None = None, protocol: int = PROTOCOL_VERSION) -> str:
    """Eight hex digits of a hash of what decides the result.

    Args:
        config: resolved, by today's names. Keys that it lacks are left out, as they were when the first runs were made.
        algorithms: the versions of the algorithms that it uses, as recorded; by default the current ones. The first
            versions are left out of the hash, because they had no numbers.
        protocol: the version of the protocol that the run was made with.
    """
    algorithms = algorithms_of(config) if algorithms is None else algorithms
    frozen = _frozen(config)
    values: Values = {"protocol": protocol}
    values |= {key: _get(frozen, key) for key in IDENTITY_KEYS if _has(frozen, key)}
    values |= _introduced(config)
    values |= _new_keys(config)
    values |= {f"own.{key}": _get(config, key) for key in RENAMED if _has(config, key)}  # of a class of one's own
    if classes := values.get("data.classes"):
        values["data.classes"] = _frozen_classes(classes)
    values |= {f"algorithm.{name}": version for name, version in algorithms.items() if version > 1}
    size = config["data"]["image_size"]
    values["data.image_size"] = [size, size] if isinstance(size, int) else size
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def arm_identity(config: Values, algorithms: Mapping[str, int] | None = None, protocol: int = PROTOCOL_VERSION) -> str:
    """The identity of a run without its seeds: what all runs of an arm have in common. Arguments as of `identity`."""
    return identity({**config, "seed": 0, "seeding": {}}, algorithms, protocol)


def affects_result(key: str) -> bool:
    """Whether a dotted key of the resolved configuration decides a result, and so belongs to the identity."""
    if key in INTRODUCED or any(key.startswith(f"{each}.") for each in (*INTRODUCED, *INTRODUCED_GROUPS)):
        return True
    frozen = frozen_key(key)
    if frozen in NOT_IDENTITY:
        return False
    return any(frozen == each or frozen.startswith(f"{each}.") for each in IDENTITY_KEYS)


def training_key(config: Values) -> tuple[tuple[str, str], ...]:
    """What of a resolved configuration decides the weights: all that decides the result but the evaluation."""
    values = sorted(flatten(config).items())
    return tuple(
        (key, str(value)) for key, value in values if affects_result(key) and not key.startswith("evaluation.")
    )


def frozen_key(key: str) -> str:
    """A key by its frozen name."""
    return renamed_key(key, _FROZEN)


def renamed_key(key: str, pairs: dict[str, str]) -> str:
    """A dotted key after its own, or its group's, renaming from one name to another."""
    for old, new in pairs.items():
        if key == old or key.startswith(f"{old}."):
            return new + key.removeprefix(old)
    return key


def flatten(values: Values, prefix: str = "") -> Values:
    """Nested values by dotted keys: {"a": {"b": 1}} → {"a.b": 1}."""
    result: Values = {}
    for key, value in values.items():
        result.update(flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return result


def is_safe_name(name: str) -> bool:
    """Whether a name can be that of a folder, and of nothing outside it."""
    return bool(name) and not name.startswith(".") and all(sign.isalnum() or sign in "-_." for sign in name)


def rename(values: Values, pairs: dict[str, str]) -> None:
    """Moves values, or whole groups, from one dotted key to another, in place; keys that are missing are skipped."""
    for source, target in pairs.items():
        group, last = _group(values, source), source.rpartition(".")[2]
        if group is None or last not in group:
            continue
        value, place = group.pop(last), values
        *path, last = target.split(".")
        for name in path:
            place = place.setdefault(name, {})
        place[last] = {**place.get(last, {}), **value} if isinstance(value, dict) else value


def value_before(key: str, values: Mapping[str, Any]) -> Any:
    """What holds for a key that a configuration lacks: what held before it existed, or None.

    An option of today, such as `optimizer=adam`, that has no `amsgrad` has none; a record from before there were
    optimizers to choose had it.

    Args:
        key: dotted.
        values: resolved, flat.
    """
    name = f"{key.partition('.')[0]}.name"
    return None if name in values and name in INTRODUCED else INTRODUCED.get(key)


def _introduced(config: Values) -> Values:
    """The keys that were introduced since and have another value than what held before.

    What held before are arguments of the option that was the only one: another option has its own values for them.
    """
    found = {}
    for key, before in INTRODUCED.items():
        group, _, last = key.partition(".")
        has_options = f"{group}.name" in INTRODUCED and _has(config, f"{group}.name")
        is_argument = has_options and last not in ("name", "_target_")
        value = _get(config, key, _MISSING if is_argument else before)
        if value != (_MISSING if is_argument and not _is_first_option(config, group) else before):
            found[key] = value
    return found


def _is_first_option(config: Values, group: str) -> bool:
    keys = (f"{group}.name", f"{group}._target_")
    return all(_get(config, key, INTRODUCED[key]) == INTRODUCED[key] for key in keys)


def _new_keys(config: Values) -> Values:
    """The keys of the groups that were introduced since, but those that have frozen names or a value that is left out.

    They say what held before only together with the group's name, so that no earlier run has them.
    """
    keys = flatten({group: config[group] for group in INTRODUCED_GROUPS if isinstance(config.get(group), dict)})
    if keys.get("augmentation.steps") == INTRODUCED_STEPS.get(keys.get("augmentation.name", "none")):
        keys.pop("augmentation.steps", None)
    return {key: value for key, value in keys.items() if key not in INTRODUCED and frozen_key(key) == key}


def _frozen(config: Values) -> Values:
    """The configuration by frozen names, without what the identity leaves out."""
    values = copy.deepcopy(config)
    for key in (*INTRODUCED, *NOT_IDENTITY):
        group = _group(values, key)
        if group is not None:
            group.pop(key.rpartition(".")[2], None)
    rename(values, _FROZEN)
    return values


def _frozen_classes(classes: Values) -> Values:
    """The classes as they were recorded first: without `read_by: ids`, and without the mark of a colour that the file
    gives though the program would have chosen it, which decides a result only where other colours are unknown.
    """
    entries = classes["classes"]
    if classes["unknown"] != "others":
        entries = [
            {key: value for key, value in entry.items() if key != "colors" or len(value) > 1} for entry in entries
        ]
    return {**{key: value for key, value in classes.items() if (key, value) != READ_BY_IDS}, "classes": entries}


def _group(values: Values, key: str) -> Values | None:
    """The group that a dotted key is in; None where there is no such group."""
    place: Any = values
    for name in key.split(".")[:-1]:
        place = place.get(name)
        if not isinstance(place, dict):
            return None
    found: Values = place
    return found


def _has(values: Values, key: str) -> bool:
    group = _group(values, key)
    return group is not None and key.rpartition(".")[2] in group


def _get(values: Values, key: str, default: Any = None) -> Any:
    group = _group(values, key)
    return default if group is None else group.get(key.rpartition(".")[2], default)

"""The data that a finished run is scored on: those of its record, with the keys that are given."""

from dataclasses import asdict
from typing import Any

from activation_study.config.command_options import Evaluate
from activation_study.config.schema import OWN_FORMATS
from activation_study.errors import BadInput
from activation_study.records.record import Record

# Keys of preprocessing and split: on another data set they stay as recorded.
_PREPROCESSING = (
    *("cache", "image_size", "channels", "value_range", "channel_order", "label_interpolation"),
    *("split", "split_seed", "folds", "fold", "remove_duplicates"),
)
# Keys about the very images of the run, which data with another name do not have.
_OF_CONTENT = (
    *("addresses", "digest", "split_files", "split_digest"),
    *("groups", "groups_file", "groups_digest"),
)


def recorded_and_given(trained: Record, options: Evaluate) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stays of the recorded keys of `data`, and what replaces them.

    Args:
        trained: the run.
        options: with the keys that are given.

    Raises:
        BadInput: the run's split does not apply to the data.
    """
    given = given_values(options.data)
    kept = _kept(trained.config["data"], given)
    if kept is not trained.config["data"]:
        own_folders = kept["split"] == "folders" and given.get("format", kept.get("format")) not in OWN_FORMATS
        if (kept["split"] == "files" or own_folders) and not given.keys() & {"split", "split_files"}:
            if options.part != "all":
                raise BadInput(
                    f"{trained.name} was trained on a split by {kept['split']}, which does not apply to other data: "
                    f"give data.split_files=FOLDER or data.split, or part=all, which needs no split"
                )
            kept["split"] = "sorted"
    if "split_files" in given:
        given["split_digest"] = None
    if "groups" in given:
        given |= {"groups_file": None, "groups_digest": None}
    elif options.part == "all":  # needs no split, and the images may be others
        given |= {"groups": None, "groups_file": None, "groups_digest": None}
    return kept, given


def given_values(options: Any) -> dict[str, Any]:
    """The values that replace recorded ones."""
    return {key: value for key, value in asdict(options).items() if value is not None}


def _kept(recorded: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The recorded keys that stay: all of them for the same data, fewer for others."""
    if all(given.get(key, recorded[key]) == recorded[key] for key in ("name", "format")):
        return recorded
    if "format" not in given:  # the same kind of data by another name
        kept = {key: value for key, value in recorded.items() if key not in _OF_CONTENT}
    else:
        kept = {key: value for key, value in recorded.items() if key in _PREPROCESSING}
        if given["format"] == recorded["format"] and recorded["format"] in OWN_FORMATS:
            kept |= {key: recorded[key] for key in ("classes", "source") if key in recorded and key not in given}
    if "_target_" in given.get("source", {}):
        kept.pop("source", None)  # the arguments of another class
    return kept

"""Names of the tags by which this project finds its runs in a store, and says what it did with them."""

KEY_TAG = "activation_study.key"  # the attempt, a record's `key`
COMPLETE_TAG = "activation_study.complete"  # set last: when the run ended, and `model` if its weights are logged
PLACE_TAG = "activation_study.place"  # host and absolute path of the run folder
SUPERSEDED_TAG = "superseded_by"  # the ID of the run that took its place
DUPLICATE_TAG = "duplicate_of"  # the ID of the same run; there were two
STOP_TAG = "stop"  # set by a person: `true` stops the run
ERROR_TAG = "error"  # why the run failed, or was stopped
IDENTITY_TAG = "identity"
MAX_LENGTH = 8000  # characters of a tag in MLflow
OWN_TAGS = (KEY_TAG, COMPLETE_TAG, PLACE_TAG, SUPERSEDED_TAG, DUPLICATE_TAG, STOP_TAG, IDENTITY_TAG, "folder")


def study_key(study: str) -> str:
    """The value of KEY_TAG of a study's own run."""
    return f"study of {study}"

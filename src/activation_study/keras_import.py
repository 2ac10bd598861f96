"""The import of Keras, with the backend and the settings of this project: every command does it here."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from activation_study.arithmetic import KERAS_SETTINGS
from activation_study.errors import BadInput, alternatives
from activation_study.location import install_hint
from activation_study.out_of_memory import first_line, is_out_of_memory

BACKENDS = ("tensorflow", "jax", "torch")


def import_keras(backend: str | None = None) -> None:
    """Imports Keras and gives it the settings of this project, whatever `keras.json` says.

    Args:
        backend: the backend to use; None means that of KERAS_BACKEND, by default TensorFlow.

    Raises:
        BadInput: the backend is none of `BACKENDS`, is not installed, or Keras was already imported with
            another one; Keras cannot be imported, e.g. because of values in `keras.json`.
    """
    wanted = backend or os.environ.get("KERAS_BACKEND") or BACKENDS[0]
    if wanted not in BACKENDS:
        raise BadInput(f"KERAS_BACKEND={wanted}: expected {alternatives(BACKENDS)}")
    if find_spec(wanted) is None:
        raise BadInput(f"KERAS_BACKEND={wanted} is not installed: {install_hint(wanted)}")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = wanted  # it has precedence over keras.json
    if wanted == "torch":  # otherwise it refuses products on a GPU, which would not be deterministic
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        with suppress_startup_logs():
            import keras

            if find_spec("tensorflow"):  # if it is there, Keras imports it later, when its logs are not suppressed
                import tensorflow  # noqa: F401
    except Exception as error:  # e.g. an unknown floatx, or a list
        if is_out_of_memory(error):
            raise
        raise BadInput(
            f"Keras cannot be imported ({first_line(error)}): correct or delete keras.json (in $KERAS_HOME or "
            f"~/.keras) if it has such settings, otherwise install Keras again"
        ) from error
    imported = keras.backend.backend()
    if imported != wanted:
        raise BadInput(
            f"Keras was already imported with the backend {imported}, but {wanted} is needed: start a new process (in "
            f'a notebook, restart the kernel) and set os.environ["KERAS_BACKEND"] = "{wanted}" before Keras is imported'
        )
    for name, value in KERAS_SETTINGS.items():
        getattr(keras.config, f"set_{name}")(value)


def usable_backend() -> str:
    """The backend of KERAS_BACKEND if it can be used, otherwise TensorFlow: for trained weights, either will do."""
    chosen = os.environ.get("KERAS_BACKEND")
    return chosen if chosen in BACKENDS and find_spec(chosen) is not None else BACKENDS[0]


def keras_settings() -> dict[str, str | float]:
    """The settings of the imported Keras, for the record."""
    import keras

    settings = {name: getattr(keras.config, name)() for name in KERAS_SETTINGS}
    return {**settings, "dtype_policy": keras.config.dtype_policy().name}


@contextmanager
def suppress_startup_logs() -> Iterator[None]:
    """Suppresses what TensorFlow's C++ code prints on start-up about missing GPUs; printed if the block fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as captured:
        stderr = os.dup(2)
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except BaseException:
            captured.seek(0)
            os.write(stderr, captured.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)

"""Whether an output folder has predictions of other images, which the new ones would be mixed with."""

import json
from collections.abc import Mapping
from pathlib import Path

from activation_study.data.folders.hidden_files import is_hidden
from activation_study.errors import BadInput
from activation_study.files import write_json
from activation_study.inference.inputs import Inputs, name_in
from activation_study.inference.prediction_writer import PER_IMAGE

DIGESTS_FILE = ".images.json"  # in a run's folder of the output: a digest of each image, by its name


def check_earlier_predictions(output: Path, folder: Path, inputs: Inputs, digests: Mapping[str, str]) -> None:
    """Checks the folder of one run in the output.

    Args:
        output: the output folder, for the message.
        folder: of the run's files.
        inputs: that are to be predicted.
        digests: of their files, by their names.

    Raises:
        BadInput: it has files of images that are not predicted now, or of others with the same names.
    """
    files = [path for kind in PER_IMAGE for path in sorted((folder / kind).rglob("*")) if path.is_file()]
    files = [path for path in files if not is_hidden(path.relative_to(folder).as_posix())]
    found = {str(path): name_in(folder / path.relative_to(folder).parts[0], path) for path in files}
    earlier = _digests(folder)
    others = [place for place, name in found.items() if not inputs.has(name)]
    others = others or [f"{folder}, of {name}" for name in earlier if not inputs.has(name)]
    others = others or [f"{folder}, of another {name}" for name in earlier if digests.get(name) != earlier[name]]
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise BadInput(
            f"output={output} has predictions of other images: {others[0]}{more}; "
            f"choose another output=FOLDER, or delete it"
        )


def keep_digests(folder: Path, digests: Mapping[str, str]) -> None:
    """Notes of which images the files in a run's folder are; called before the first is written."""
    write_json(folder / DIGESTS_FILE, {**_digests(folder), **digests})


def _digests(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / DIGESTS_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError):  # none, or of an interrupted write
        return {}

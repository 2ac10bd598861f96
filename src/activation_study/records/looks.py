"""What is kept of each look at a study's results: a file in the study's folder (docs/reference/run-folder.md).

An interval or p is only what it says if it is known how often the results were looked at before more seeds were added.
"""

import json
from pathlib import Path
from typing import Any

from activation_study.errors import BadInput
from activation_study.files import write_json
from activation_study.records.lock import changing

LOOKS_FILE = "looks.json"


def read_looks(study_dir: Path) -> dict[str, Any]:
    """What is kept: `plan` (null without planned looks) and `looks`, oldest first.

    Raises:
        BadInput: the file cannot be read.
    """
    path = study_dir / LOOKS_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {"plan": None, "looks": []}
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    return parse_looks(text, str(path))


def parse_looks(text: str, where: str) -> dict[str, Any]:
    """The content of the file.

    Args:
        text: of the file.
        where: names it in the error message.

    Raises:
        BadInput: it is not what was written.
    """
    try:
        kept = json.loads(text)
        plan, looks = kept["plan"], kept["looks"]
        whole = all(float(look["at"]) and all(int(each["seeds"]) for each in look["contrasts"]) for look in looks)
        if whole and isinstance(looks, list) and (plan is None or isinstance(plan, dict)):
            return {"plan": plan, "looks": looks}
    except (ValueError, KeyError, TypeError):
        pass
    raise BadInput(f"{where} cannot be read: expected the looks that were kept; restore it from a copy")


def unplanned(study_dir: Path) -> BadInput:
    """The error that runs without a plan cannot be added to a study that has one."""
    return BadInput(
        f"{study_dir} was begun with seeds=auto, and seeds added otherwise would spoil its plan: repeat its "
        "command with seeds=auto, or use another study: study=NAME"
    )


def merged_looks(here: dict[str, Any], there: dict[str, Any], where: str) -> dict[str, Any]:
    """The looks at the runs of two places, oldest first.

    Args:
        here: of one place, as of `read_looks`.
        there: of the other.
        where: names both in the error message.

    Raises:
        BadInput: their plans differ, or only one of them was planned.
    """
    plans = [{key: value for key, value in (each["plan"] or {}).items() if key != "at"} for each in (here, there)]
    if plans[0] != plans[1]:
        how = "different plans of looks" if all(plans) else "runs with planned looks (seeds=auto) and runs without"
        raise BadInput(f"{where} have {how}, so they are not one study; keep them apart")
    looks = [*(look for look in there["looks"] if look not in here["looks"]), *here["looks"]]
    return {"plan": here["plan"], "looks": sorted(looks, key=lambda look: float(look["at"]))}


def keep_plan(study_dir: Path, plan: dict[str, Any]) -> None:
    """Keeps what is declared before the first run."""
    write_json(study_dir / LOOKS_FILE, {"plan": plan, "looks": []})


def keep_look(study_dir: Path, look: dict[str, Any]) -> None:
    """Keeps one more look, unless it is one at the same runs as an earlier one.

    Args:
        study_dir: folder of the study.
        look: `at` (Unix time) and `contrasts`, each with its `seeds`.
    """
    if _is_kept(look, read_looks(study_dir)):  # nothing is written into a study that is only read
        return
    with changing(study_dir / LOOKS_FILE):
        kept = read_looks(study_dir)
        if not _is_kept(look, kept):
            write_json(study_dir / LOOKS_FILE, {**kept, "looks": [*kept["looks"], look]})


def _is_kept(look: dict[str, Any], kept: dict[str, Any]) -> bool:
    return any(_is_same(look["contrasts"], each["contrasts"]) for each in kept["looks"])


def _is_same(contrasts: list[dict[str, Any]], earlier: list[dict[str, Any]]) -> bool:
    """Whether two looks were at the same runs; of looks by earlier versions, those are not known."""
    names = ("data", "label_type", "variant", "a", "b", "seeds", "runs")
    return len(contrasts) == len(earlier) and all(
        each.get(name) == before[name]
        for each, before in zip(contrasts, earlier, strict=True)
        for name in names
        if name in before
    )

"""From the command line to a checked configuration; exit codes and messages for whatever goes wrong.

0 all well; 1 a run failed; 2 bad input; 130 interrupted.
"""

import difflib
import os
import re
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from activation_study.checks import checked
from activation_study.config import Config
from activation_study.errors import BadInput


def train(conf: Path) -> int:
    """`train.py`: composes the configuration in `conf` and runs it, or sweeps over it. Returns the exit code."""
    return _guarded(hydra.main(config_path=str(conf), config_name="config", version_base="1.3")(_train_one))


def _train_one(composed: DictConfig) -> None:
    """One run; in a sweep, this is called once for each job, perhaps in another process."""
    from activation_study.run.experiment import run

    hydra_config = HydraConfig.get()
    overrides = [override for override in hydra_config.overrides.task if not override.startswith("position=")]
    alone = hydra_config.mode == RunMode.RUN
    try:
        record = run(checked(composed), overrides)
    except BadInput as error:
        if alone:
            raise SystemExit(_refuse(str(error))) from error
        raise  # the sweep reports it
    if alone and record.status != "FINISHED":
        raise SystemExit(1)


def _guarded(run: Callable[[], Any]) -> int:
    """Runs and returns the exit code; what the user can mend is said in one message, without a traceback."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra then hands us its errors instead of printing them
    ConfigStore.instance().store("schema", Config)
    try:
        run()
    except BadInput as error:
        return _refuse(str(error))
    except (HydraException, OmegaConfBaseException) as error:
        return _refuse(explain(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def _refuse(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


def explain(error: Exception) -> str:
    """Hydra's and OmegaConf's errors about a configuration, as one short message with the mend."""
    lines = [line for link in (error, error.__cause__) if link for line in str(link).splitlines() if _tells(line)]
    text = "\n".join(dict.fromkeys(line.strip() for line in lines))
    unknown = re.search(r"Could not override '([^']+)'|Key '([^']+)' is not in struct|Key '([^']+)' not in", text)
    key = next((group for group in unknown.groups() if group), "") if unknown else ""
    known = _keys(Config)
    if not key or key in known:
        return text
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]}?" if close else "`python train.py --cfg job` shows all keys."
    return f"{key} is no key of the configuration; {hint}"


def _tells(line: str) -> bool:
    noise = (
        "object_type=",
        "reference_type=",
        "full_key:",
        "Config search path",
        "provider=",
        "To append to",
        "See http",
    )
    return bool(line.strip()) and not line.strip().startswith(noise) and "$VALUE" not in line


def _keys(schema: Any, prefix: str = "") -> list[str]:
    keys = []
    for field in fields(schema):
        keys.append(prefix + field.name)
        if is_dataclass(field.type):
            keys += _keys(field.type, f"{prefix}{field.name}.")
    return keys

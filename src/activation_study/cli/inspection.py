"""What `inspect_data.py` does: the page of a data set, or a proposal of its classes; and the command that goes on."""

import re
import shlex
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from activation_study import outcome
from activation_study.config.command_options import Inspect
from activation_study.errors import FEW, BadInput, counted, summed_up
from activation_study.files import write_text
from activation_study.location import command


def inspect_or_propose(config: Inspect) -> None:
    """Writes the page of the data set, or with `write_classes` the classes that its labels have.

    Raises:
        BadInput: the data set cannot be used, or a file that would be written is there.
    """
    if config.write_classes is not None:
        _write_classes(config, config.write_classes)
        return
    from activation_study.report.inspection.report import inspect_data

    print(f"Page:  {inspect_data(config)}")
    print(f"Train: {command('train')} {_arguments_except('write_groups', 'same_scene')}")


def _write_classes(config: Inspect, file: str) -> None:
    from activation_study.data.folders.find_files import find_files
    from activation_study.data.folders.size_check import size_problems
    from activation_study.data.labels.class_proposal import propose_classes
    from activation_study.data.source import naming_of

    if Path(file).exists():
        raise BadInput(f"write_classes={file}: exists already and is not overwritten; choose another file")
    images, labels = Path(str(config.data.images)), Path(str(config.data.labels))
    found = find_files(images, labels, naming_of(config.data))
    problems = summed_up([*found.problems, *size_problems(found.tree, found.pairing)])
    if problems:
        listed = "; ".join(problems[:FEW])
        read = f"the {counted(len(found.label_paths), 'label')} that have an image are read"
        more = "; …" if len(problems) > FEW else ""
        outcome.warn(f"{read}; the data set cannot be used yet: {listed}{more}")
    proposal = propose_classes(labels, found.label_paths, command("inspect"))
    write_text(Path(file), proposal.text)
    outcome.deliver("classes", {"file": file, **{key: value for key, value in vars(proposal).items() if key != "text"}})
    print(proposal.text)
    again = f"{_arguments_except('write_classes', 'data.classes')} {shlex.quote(f'data.classes={file}')}"
    print(f"Wrote {file}: {proposal.classes} classes. Check their names, then look at the data:")
    print(f"  {command('inspect')} {again}")


def _arguments_except(*keys: str) -> str:
    """The arguments of this command without some keys, for another command line."""
    hydra = HydraConfig.get()
    folders = [each.path for each in hydra.runtime.config_sources if each.provider == "command-line"]
    given = (override for override in hydra.overrides.task if override.partition("=")[0] not in keys)
    typed = (re.sub("^([^=]+)='([^']*)'$", r"\1=\2", override) for override in given)  # see `as_typed`
    return shlex.join([*(f"--config-dir={_from_here(folder)}" for folder in folders), *typed])


def _from_here(folder: str) -> str:
    here = Path.cwd()
    return str(Path(folder).relative_to(here)) if Path(folder).is_relative_to(here) else folder

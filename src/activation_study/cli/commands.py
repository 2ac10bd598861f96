"""What each command does with its configuration."""

import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from activation_study import outcome, plugins
from activation_study.cli.inspection import inspect_or_propose
from activation_study.cli.refusal import file_errors_as_bad_input, refusals, refuse
from activation_study.config.command_line.arguments import foreign_sweeper
from activation_study.config.command_line.overrides import override_key
from activation_study.config.command_options import Compare, Evaluate, Export, Inspect, Predict, Reproduce, Watch
from activation_study.config.contrasts import as_pairs, contrast_problems
from activation_study.config.fields import declared
from activation_study.config.places import empty_places, expand_home, study_folder
from activation_study.config.registration import register
from activation_study.config.schema import Config
from activation_study.config.tracking_uri import ignore_empty_variable, uri_error
from activation_study.errors import BadInput, counted, problems_message
from activation_study.signals import EXIT_CODE_TERMINATED
from activation_study.validation import from_hydra

Task = Callable[[DictConfig], Any]


@dataclass(frozen=True)
class Command:
    """A command.

    Args:
        config: the file in `conf/` that it composes, without its suffix.
        schema: what that file's `schema` stands for.
        task: what it does; a SystemExit has its exit code where that is not 0.
    """

    config: str
    schema: type
    task: Task


def _train(composed: DictConfig, name: str = "train") -> list[str]:
    """One run; in a sweep, this is called once for each job, perhaps in another process, whose warnings it returns.

    Args:
        composed: by Hydra.
        name: of the command, for its messages.
    """
    hydra_config = HydraConfig.get()
    given = OmegaConf.to_container(hydra_config.overrides.task)  # unresolved, as typed
    assert isinstance(given, list)
    overrides = [override for override in map(str, given) if not override.startswith(("sweep.", "seeds="))]
    alone = hydra_config.mode == RunMode.RUN
    if not alone and composed.sweep.code is None and (reason := _unheeded(composed, hydra_config, overrides)):
        with suppress(OSError):  # what Hydra's sweepers write first
            (Path(hydra_config.sweep.dir) / "multirun.yaml").unlink()
            Path(hydra_config.sweep.dir).rmdir()
        raise SystemExit(refuse(reason))
    with refusals(name, "config") if alone else file_errors_as_bad_input(name, "config"):
        success = _train_one(from_hydra(composed, name), overrides, alone)
    if alone and not success:
        raise SystemExit(1)
    return outcome.kept_warnings()


def _unheeded(composed: DictConfig, hydra_config: HydraConf, overrides: list[str]) -> str | None:
    """What a sweeper that is not ours would not do in a job of it, as a message; None if nothing."""
    sweeper = hydra_config.sweeper
    for key in ("dry_run", "sync", "seeds"):
        if composed[key]:
            return foreign_sweeper(f"{key}={str(composed[key]).lower()}", sweeper._target_, "train")
    if composed.tuning.space:
        return foreign_sweeper("tuning.space", sweeper._target_, "train")
    given = {override_key(override) for override in overrides}
    if not given.issuperset(sweeper.get("params") or ()):  # those of one experiment among several
        return foreign_sweeper("a sweep over experiments", sweeper._target_, "leave out what each of them sweeps over")
    return None


def _sync(composed: DictConfig) -> list[str]:
    return _train(composed, "sync")


def _train_one(config: Config, overrides: list[str], alone: bool) -> bool:
    """Does what the configuration says; returns whether it succeeded."""
    if alone and (config.dry_run or config.sync):
        from activation_study.runs.messages import check_alone
        from activation_study.sweep.before_start import check_start
        from activation_study.sweep.describe import describe_plan
        from activation_study.sweep.plan import make_job
        from activation_study.sweep.plan_table import show_plan
        from activation_study.sweep.run_sweep import DRY_RUN, sync_jobs

        check_alone(config)
        job = make_job(overrides, config)
        if config.sync:
            return sync_jobs([job]) == 0
        show_plan([job])
        check_start([job])
        print(DRY_RUN)
        outcome.deliver("plan", describe_plan([job]))
        return True
    from activation_study.records.lock import RunLocked
    from activation_study.runs.describe import describe_run
    from activation_study.runs.execute import run
    from activation_study.runs.messages import print_next_steps
    from activation_study.tracking.store.viewing import how_to_view

    try:
        record = run(config, overrides)
        if alone and record.status == "FINISHED":
            print_next_steps(config.run_folder)
        if alone and (line := how_to_view(config.tracking.uri)):
            print(line)
    except RunLocked as error:
        if alone:
            raise
        print(error)
        return True  # the sweep continues with its next run
    if alone:
        outcome.deliver("run", describe_run(record, config.run_folder))
        if record.status == "KILLED":  # stopped in MLflow, as by SIGTERM
            raise SystemExit(EXIT_CODE_TERMINATED)
    return record.status == "FINISHED"


def _compare(options: Compare) -> None:
    from activation_study.report.study_report import ReportOptions, make_report

    problems = list(contrast_problems(options.contrasts, "contrasts"))
    if problems:
        raise BadInput(problems_message("The contrasts cannot be used", problems, "Write contrasts=[[a,b],…]."))
    if options.pack is not None and options.unpack is not None:
        raise BadInput("pack and unpack are both given; expected one of them")
    if options.unpack is not None:
        _unpack(options.unpack, options)
        return
    study = study_folder(options.folder, options.study)
    if options.pack is not None:
        _pack(study, options.pack)
        return
    report_options = ReportOptions(
        as_pairs(options.contrasts), options.allow_incomplete, options.pictures, options.ranks, options.tracking.uri
    )
    folder = make_report(study, report_options)
    if options.contrasts:
        print("The report now has these contrasts; the study's later reports have them, too, and correct for them.")
    print(f"Report: {folder / 'index.html'}")


def _pack(study: Path, folder: str) -> None:
    from activation_study.analysis.packed.pack import pack_study

    file, packed = pack_study(study, Path(folder))
    names = [record.name for record in (*(run.record for run in packed.runs), *packed.trials)]
    outcome.deliver("packed", {"study": study.name, "file": file, "runs": names, "unfinished": packed.unfinished})
    left_out = f"; {counted(len(packed.unfinished), 'unfinished run')} left out" if packed.unfinished else ""
    print(f"Packed: {file} has {counted(len(names), 'run')}{left_out}")


def _unpack(packed: str, options: Compare) -> None:
    from activation_study.analysis.packed.unpack import unpack_study

    study = Path(options.folder) / options.study
    written, there = unpack_study(Path(packed), Path(options.folder), options.study.rstrip("/"))
    outcome.deliver("unpacked", {"study": options.study, "folder": study, "runs": written, "already_there": there})
    already = f"; {counted(len(there), 'run')} had a folder there and stayed as they were" if there else ""
    print(f"Unpacked: {counted(len(written), 'run')} into {study}, without weights{already}")
    print("Repeat the study's command to train the runs that are missing.")


def _reproduce(options: Reproduce) -> None:
    from activation_study.runs.reproduce import reproduce

    try:
        identical = reproduce(options)
    except (BadInput, OSError):
        raise
    except Exception as error:  # exit code 1 would mean "different"
        traceback.print_exc()
        outcome.fail(f"{type(error).__name__}: {error}")
        raise SystemExit(2) from error
    if not identical:
        raise SystemExit(1)


def _evaluate(options: Evaluate) -> None:
    from activation_study.inference.evaluate_run import evaluate_run

    evaluate_run(options)


def _predict(options: Predict) -> None:
    from activation_study.inference.predict import predict_images

    prediction = predict_images(options)
    outcome.deliver("prediction", vars(prediction))
    for folder in prediction.runs.values():
        print(f"Predictions: {folder} ({counted(len(prediction.images), 'image')})")
    if prediction.side_by_side is not None:
        print(f"Side by side: {prediction.side_by_side}")


def _export(options: Export) -> None:
    from activation_study.inference.export_onnx import export_onnx

    export = export_onnx(options)
    outcome.deliver("export", vars(export))
    print(f"Exported: {export.file}")


def _watch(options: Watch) -> None:
    from activation_study.sweep.watching.watch import watch

    watch(options)


# Keys of the data that a proposal of classes, from the labels alone, does not need.
_NOT_PROPOSED_FROM = ("classes", "split_files", "split_digest", "groups", "groups_file", "groups_digest")


def _inspect(composed: DictConfig) -> None:
    with refusals("inspect", "inspect"):
        if composed.write_classes is not None:
            if composed.data.format != "folder":
                raise BadInput("write_classes proposes the classes of label images: expected data=folder")
            for key in _NOT_PROPOSED_FROM:  # may be missing; the classes may be named already
                composed.data[key] = None
            composed.data.split = "shuffled"
        config = from_hydra(composed, "inspect")
        assert isinstance(config, Inspect)
        inspect_or_propose(config)


def _with_options(name: str, schema: type, act: Callable[[Any], None]) -> Task:
    """A task that checks the composed configuration, makes plain options of it and acts on them."""

    def task(composed: DictConfig) -> None:
        with refusals(name, name):
            act(_options(composed, schema))

    return task


def _options(composed: DictConfig, schema: type) -> Any:
    """The plain options of a command.

    Raises:
        BadInput: a value is missing, too small, or no address of a store.
    """
    for key, field in declared(schema).items():
        if "required" in field.metadata and (OmegaConf.is_missing(composed, key) or not composed[key].strip()):
            raise BadInput(field.metadata["required"])
        smallest = field.metadata.get("at_least")
        if smallest is not None and composed[key] is not None and composed[key] < smallest:
            raise BadInput(f"{key}={composed[key]}: expected {smallest} or more")
    ignore_empty_variable()
    options: Any = OmegaConf.to_object(composed)
    expand_home(options)
    for problem in empty_places(options):
        raise BadInput(problem)
    plugins.allow(getattr(options, "plugins", ()))
    if "tracking" in composed and (error := uri_error(options.tracking.uri)):
        raise BadInput(error)
    return options


COMMANDS = {
    "train": Command("config", Config, _train),
    "sync": Command("config", Config, _sync),
    "compare": Command("compare", Compare, _with_options("compare", Compare, _compare)),
    "reproduce": Command("reproduce", Reproduce, _with_options("reproduce", Reproduce, _reproduce)),
    "evaluate": Command("evaluate", Evaluate, _with_options("evaluate", Evaluate, _evaluate)),
    "predict": Command("predict", Predict, _with_options("predict", Predict, _predict)),
    "export": Command("export", Export, _with_options("export", Export, _export)),
    "watch": Command("watch", Watch, _with_options("watch", Watch, _watch)),
    "inspect": Command("inspect", Inspect, _inspect),
}


def register_schema(command: Command) -> None:
    """Makes a command's schema known to Hydra, by the name that its file in `conf/` has for it."""
    name = "schema" if issubclass(command.schema, Config) else f"{command.config}_schema"
    register(name, command.schema)

"""From the command line to a checked configuration; exit codes and messages for whatever goes wrong.

0 all well; 1 a run failed; 2 bad input; 130 interrupted, 143 by SIGTERM.
"""

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from activation_study.config.commands import Compare, Evaluate, Export, Predict, Reproduce
from activation_study.config.schema import Config
from activation_study.console import ignore_broken_pipes
from activation_study.errors import BadInput, problems_message
from activation_study.hydra_errors import explain
from activation_study.signals import Interrupted
from activation_study.validation import contrast_problems, from_hydra

SCHEMAS = {
    "schema": Config,
    "reproduce_schema": Reproduce,
    "compare_schema": Compare,
    "evaluate_schema": Evaluate,
    "export_schema": Export,
    "predict_schema": Predict,
}


def train(conf: Path) -> int:
    """`train.py`: composes the configuration in `conf` and runs it, or sweeps over it. Returns the exit code."""
    # -m goes first: argparse takes no overrides on both its sides.
    sys.argv[1:] = sorted(sys.argv[1:], key=lambda argument: argument not in ("-m", "--multirun"))
    return _guarded(conf, "config", _train_one)


def reproduce(conf: Path) -> int:
    """`reproduce.py`: a tracked run again, and a verdict. Returns the exit code."""
    return _guarded(conf, "reproduce", _reproduce_one)


def _typed(key: str) -> str:
    """A value as it was typed, without quotes: an id such as 12e45 would be taken for a number. Empty if it was not."""
    typed = [text.partition("=")[2] for text in HydraConfig.get().overrides.task if text.startswith(f"{key}=")]
    return typed[-1].strip("'\"") if typed else ""


def _typed_run() -> str:
    """BadInput where no run is given."""
    run = _typed("run")
    if not run:
        raise BadInput("run=RUN is needed: an MLflow run id, a unique beginning of one, or a run's folder")
    return run


def _reproduce_one(composed: DictConfig) -> None:
    from activation_study.runs.reproduce import reproduce

    with _refusals():
        composed.run = _typed_run()
        options = OmegaConf.to_object(composed)
        assert isinstance(options, Reproduce)
        try:
            identical = reproduce(options)
        except BadInput:
            raise
        except Exception as error:  # 1 would mean "different"
            traceback.print_exc()
            raise SystemExit(2) from error
    if not identical:
        raise SystemExit(1)


def evaluate(conf: Path) -> int:
    """`evaluate.py`: a tracked run scored elsewhere. Returns the exit code."""
    return _guarded(conf, "evaluate", _evaluate_one)


def _evaluate_one(composed: DictConfig) -> None:
    from activation_study.inference.evaluate_run import evaluate_run

    with _refusals():
        composed.run = _typed_run()
        options = OmegaConf.to_object(composed)
        assert isinstance(options, Evaluate)
        evaluate_run(options)


def export(conf: Path) -> int:
    """`export.py`: a tracked run's network as one ONNX file. Returns the exit code."""
    return _guarded(conf, "export", _export_one)


def _export_one(composed: DictConfig) -> None:
    from activation_study.inference.export_onnx import export_onnx

    with _refusals():
        composed.run = _typed_run()
        options = OmegaConf.to_object(composed)
        assert isinstance(options, Export)
        output = export_onnx(options)
    print(f"Exported: {output}")


def inspect_data(conf: Path) -> int:
    """`inspect_data.py`: a data set looked at before training. Returns the exit code."""
    return _guarded(conf, "inspect", _inspect_one)


def _inspect_one(composed: DictConfig) -> None:
    with _refusals():
        config = from_hydra(composed)
        from activation_study.report.dataset_report import inspect_data

        print(f"Page: {inspect_data(config)}")


def predict(conf: Path) -> int:
    """`predict.py`: what tracked runs see in pictures. Returns the exit code."""
    return _guarded(conf, "predict", _predict_one)


def _predict_one(composed: DictConfig) -> None:
    from activation_study.inference.predict import predict_images

    with _refusals():
        if OmegaConf.is_missing(composed, "images"):
            raise BadInput("images=FOLDER_OR_FILE is needed: the pictures")
        composed.run = _typed("run") or None
        composed.runs = [name.strip(" '\"") for name in _typed("runs").strip("[]").split(",") if name.strip(" '\"")]
        options = OmegaConf.to_object(composed)
        assert isinstance(options, Predict)
        if options.batch_size < 1:
            raise BadInput(f"batch_size={options.batch_size}: expected 1 or more")
        output = predict_images(options)
    print(f"Predictions: {output}")


def compare(conf: Path) -> int:
    """`compare.py`: the finished runs of a study, compared. Returns the exit code."""
    return _guarded(conf, "compare", _compare_one)


def _compare_one(composed: DictConfig) -> None:
    from activation_study.analysis.finished_runs import export_study
    from activation_study.report.study_report import ReportOptions, make_report

    with _refusals():
        if OmegaConf.is_missing(composed, "study"):
            raise BadInput("study=NAME is needed: a folder below multirun/")
        options = OmegaConf.to_object(composed)
        assert isinstance(options, Compare)
        problems = list(contrast_problems(options.contrasts))
        if problems:
            raise BadInput(problems_message("The contrasts cannot be used", problems, "contrasts=[[a,b],…]"))
        study = Path(options.folder) / options.study
        report_options = ReportOptions(options.contrasts, options.seed, options.allow_incomplete, options.pictures)
        folder = make_report(study, report_options)
        if options.contrasts:
            print(f"The report now asks about these contrasts; `compare.py study={options.study}` asks as declared.")
        if options.pack is not None:
            print(f"Packed: {export_study(study, Path(options.pack))}")
    print(f"Report: {folder / 'index.html'}")


def _train_one(composed: DictConfig) -> None:
    """One run; in a sweep, this is called once for each job, perhaps in another process."""
    hydra_config = HydraConfig.get()
    overrides = [override for override in hydra_config.overrides.task if not override.startswith("sweep.")]
    alone = hydra_config.mode == RunMode.RUN
    with _refusals() if alone else nullcontext():  # a sweep reports them itself
        well = _done(from_hydra(composed), overrides, alone)
    if alone and not well:
        raise SystemExit(1)


def _done(config: Config, overrides: list[str], alone: bool) -> bool:
    """Does what the configuration says; whether it went well."""
    if alone and (config.dry_run or config.sync):
        from activation_study.sweep.plan import make_job, show_plan
        from activation_study.sweep.run_sweep import sync_jobs

        job = make_job(overrides, config)
        if config.sync:
            return sync_jobs([job]) == 0
        show_plan([job])
        return True
    from activation_study.records.lock import RunLocked
    from activation_study.runs.execute import run

    try:
        return run(config, overrides).status == "FINISHED"
    except RunLocked as error:
        if alone:
            raise
        print(error)
        return True  # and on with the next


def _guarded(conf: Path, name: str, task: Callable[[DictConfig], None]) -> int:
    """Composes `conf/<name>.yaml`, does the task and returns the exit code; what the user can mend is said in one
    message, without a traceback.
    """
    ignore_broken_pipes()
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra then hands us its errors instead of printing them
    for schema, options in SCHEMAS.items():
        ConfigStore.instance().store(schema, options)
    try:
        hydra.main(config_path=str(conf), config_name=name, version_base="1.3")(task)()
    except BadInput as error:
        return _refuse(str(error))
    except (HydraException, OmegaConfBaseException) as error:
        return _refuse(explain(error))
    except KeyboardInterrupt:
        print("interrupted; the same command goes on", file=sys.stderr)
        return 130
    except Interrupted as error:
        return error.exit_code
    return 0


@contextmanager
def _refusals() -> Iterator[None]:
    """Ends the process on bad input before Hydra sees the exception, which it would announce in its own words."""
    try:
        yield
    except BadInput as error:
        raise SystemExit(_refuse(str(error))) from error


def _refuse(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2

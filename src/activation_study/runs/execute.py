"""Executes one run, step by step: data, network, record, training, evaluation."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study import plugins
from activation_study.config.run_names import keep_existing_name
from activation_study.config.schema import Config
from activation_study.config.scored_weights import WEIGHTS
from activation_study.data.augmentation import make_steps
from activation_study.data.dataset import Dataset
from activation_study.data.name_check import check_names
from activation_study.energy import EnergyMeter, open_meter
from activation_study.errors import BadInput
from activation_study.evaluation.score import confusions_of, score
from activation_study.hardware import peak_memory
from activation_study.image_metrics.registry import image_metrics
from activation_study.metrics import pooled_iou
from activation_study.model.build import build_network
from activation_study.out_of_memory import is_out_of_memory, out_of_memory
from activation_study.outcome import warn
from activation_study.records.consistency import read_own_record
from activation_study.records.heartbeat import Heartbeat
from activation_study.records.lock import run_lock
from activation_study.records.record import Record
from activation_study.records.run import read_evaluated_run
from activation_study.records.source_code import code_digest, same_code
from activation_study.runs.early_end import check_early_end, early_end
from activation_study.runs.finalize import finalize
from activation_study.runs.messages import (
    check_alone,
    memory_remedies,
    print_header,
    print_notes,
    print_scores,
    try_again,
)
from activation_study.runs.other_data import reject_other_data
from activation_study.runs.restore_state import record_epoch, restore_state
from activation_study.runs.run_context import RunContext
from activation_study.runs.save_weights import save_weights
from activation_study.runs.start import code_changes_until_now, reject_unplanned, start_or_resume, training_record
from activation_study.runs.start_warnings import start_warnings
from activation_study.runs.unscored_metrics import warn_of_unscored_metrics
from activation_study.signals import GracefulShutdown
from activation_study.tracking.mirror import Mirror
from activation_study.tracking.registry import register_after
from activation_study.tracking.synced import sync_runs
from activation_study.tracking.system_metrics import sampled
from activation_study.training.checkpoint import Checkpoints, remove_saves
from activation_study.training.loop import (
    TrainingSetup,
    TrainState,
    initial_state,
    steps_per_epoch,
    train,
    validate,
)
from activation_study.training.progress import TrainingProgress
from activation_study.training.schedule import make_schedule
from activation_study.user import provide_user

if TYPE_CHECKING:
    pass

JOULES_PER_KWH = 3.6e6


def run(config: Config, overrides: list[str], announce: Callable[[Record], None] = lambda record: None) -> Record:
    """Trains, evaluates and records one run; resumes it if it was interrupted, and skips it if it has finished.

    Args:
        config: the validated configuration.
        overrides: the command line's overrides, for the record.
        announce: called with the record as it would start now, before anything is written; may add to it.

    Returns:
        The record: FINISHED, FAILED with its error, or KILLED if it was stopped in MLflow.

    Raises:
        BadInput: before anything is written; `RunLocked` if another process is running this run, `Contradiction` if it
            has finished and its record was changed.
        Interrupted: on a signal, after the state is saved and the record says KILLED.
    """
    for key in ("dry_run", "sync"):
        if getattr(config, key):  # a plan and a copy are made before this is called
            raise BadInput(f"{key}=true: a run was started all the same, by another sweeper or program; leave it out")
    if not (config.sweep.position or config.suffix):
        check_alone(config)
    plugins.require(config.plugins, config.run_name)
    provide_user()  # again: this may be the process of a worker, or a notebook
    with run_lock(config.run_folder):
        keep_existing_name(config)
        folder = config.run_folder
        before = read_own_record(config)
        if before is not None and before.status == "RUNNING":  # although nobody held its lock
            print(f"{before.name}: {before.how_it_died}; it is resumed from its last checkpoint if it has one")
        rerun = "none" if _ended_since_planned(config, before) else config.rerun
        if before is not None and before.status == "FINISHED" and rerun != "all":
            read_evaluated_run(folder, before)
            _reject_other_data(config)
            print(f"{before.name}: already finished")
            warn_of_unscored_metrics([(config, before)])
            print_scores(config, before, folder)
            remove_saves(folder)
            synced = sync_runs([folder], config.tracking.uri, config.tracking.weights, locked=True)
            print_notes(synced.messages(config.tracking.uri))
            register_after(config)
            return before
        if before is not None and before.status == "PRUNED" and config.tuning.trial is not None and rerun != "all":
            print(f"{before.name}: already {before.error}")
            return before
        if before is not None and before.status == "FAILED" and rerun == "none":
            when = "earlier" if config.rerun == "none" else "in another process"
            print(f"{before.name}: failed {when} ({before.error}); {try_again(config.rerun)}")
            return before
        if not (config.sweep.position or config.suffix):  # a sweep was checked; a reproduction repeats what was done
            check_names([config.data])
        try:
            return _execute(config, overrides, before, announce)
        except Exception as error:  # a failure during training or evaluation is in the record
            if isinstance(error, BadInput) or not is_out_of_memory(error):
                raise
            remedies = memory_remedies(config, "training")
            raise BadInput(f"{config.run_name}: {out_of_memory('before its first step', remedies, error)}") from error


def _ended_since_planned(config: Config, before: Record | None) -> bool:
    """Whether another process has ended the run since the sweep that starts it was planned."""
    if before is None or not config.sweep.position:
        return False
    return before.status in ("FINISHED", "FAILED", "PRUNED") and before.ended != config.sweep.ended


def _execute(config: Config, overrides: list[str], before: Record | None, announce: Callable[[Record], None]) -> Record:
    changes = code_changes_until_now(config)
    reject_unplanned(config)
    meter = open_meter(config.tracking.energy)
    dataset = Dataset(config)
    warnings = list(start_warnings(config, dataset))  # before the network is built: data may not allow the split
    _reject_other_data(config)
    with GracefulShutdown() as shutdown:  # before Keras is imported: an exception during its import may get lost
        class_pixels = list(dataset.training_pixels.values())
        network = build_network(config, len(dataset.label_type.classes), class_pixels=class_pixels)
        network.check_resumable()
        if config.plugins:
            network.check_saveable()
        if config.model.get("encoder_weights"):
            from activation_study.model.encoder_weights import load_encoder_weights

            for name in config.plugins:  # whose layers the file may have
                plugins.contents(plugins.module_of(name))
            load_encoder_weights(
                network.unet, Path(config.model["encoder_weights"]), config.model["encoder_weights_digest"]
            )
        steps = steps_per_epoch(len(dataset.split.train), config.training)
        epochs = config.schedule_epochs or config.training.epochs
        schedule = make_schedule(config.schedule, config.optimizer["learning_rate"], epochs, steps)
        initial = initial_state(schedule, config.training.early_stopping)
        augmentation = make_steps(config.augmentation.steps)
        image_metrics(config.evaluation.metrics)  # now rather than after the training
        _stop_if_requested(config, shutdown)
        now = training_record(config, overrides, dataset, network)
        code_at_start = dict(now.digests)
        if meter:
            now.environment["energy"] = meter.source
        announce(now)
        record, resumed = start_or_resume(config, now, before)
        checkpoints = Checkpoints(config.run_folder, str(record.started))
        state = restore_state(config, record, resumed, network, checkpoints, initial)
        record.changes = list(dict.fromkeys([*record.changes, *changes]))
        record.write(config.run_folder)
        mirror = Mirror(config.run_folder, config.tracking.uri, config.tracking.weights)
        heartbeat, meter = Heartbeat(config.run_folder), _meter_from_start(meter, record)
        context = RunContext(
            config, dataset, network, augmentation, record, state, mirror, checkpoints, shutdown, heartbeat, meter
        )
        print_header(config, record, dataset, state)
        if not (config.sweep.position or state.done):  # a sweep has said it once for all of its runs
            for warning in warnings:
                warn(warning)
        mirror.update()  # so that MLflow shows the run from its first step
        with finalize(context):
            context.beat("training")
            with sampled(config.run_folder, config.tracking.system_metrics):
                _train(context)
            if record.training_joules is not None:
                record.results["energy_kwh"] = record.training_joules / JOULES_PER_KWH
            _evaluate(context, save_weights(context))
            if not same_code(code_at_start, code_digest(), config.plugins):
                record.changes.append("the code changed during the run")
    shutdown.check()  # a signal may have arrived while the record was closed
    return record


def _reject_other_data(config: Config) -> None:
    """A reproduction names other data itself; a sweep that trains finished runs again has compared them."""
    if not config.suffix and not (config.rerun == "all" and config.sweep.code):
        reject_other_data([config], {config.run_folder} if config.rerun == "all" else set())


def _stop_if_requested(config: Config, shutdown: GracefulShutdown) -> None:
    if shutdown.requested is not None:
        print(f"{config.run_name}: interrupted before its first step; run the same command again to start it")
    shutdown.check()


def _meter_from_start(meter: EnergyMeter | None, record: Record) -> EnergyMeter | None:
    """The meter, if the run was measured by the same counters from its start; otherwise the rest says nothing."""
    before = record.environment.get("energy")
    if meter and before != meter.source:
        reason = f"measured {before} until now" if before else "started without tracking.energy"
        print(f"note: {record.name}: its energy is not measured, because it {reason}")
        return None
    return meter


def _train(context: RunContext) -> None:
    config, record = context.config, context.record
    options, images = config.training, len(context.dataset.split.train)
    rule = early_end(config)
    progress_bar = TrainingProgress(record.name, config.sweep.position, options.epochs, images, context.state)
    with progress_bar as progress:

        def on_step(state: TrainState, images: int) -> None:
            context.check_stop()
            context.beat("training" if images else "validation")
            if images:
                progress.step(state, images)

        def on_epoch(state: TrainState) -> None:
            record_epoch(record, state)
            record.write(context.folder)
            context.mirror.update()
            progress.epoch(len(state.history), state.history[-1])
            if not state.done:
                check_early_end(rule, record.epochs)
            context.check_stop()
            if context.checkpoints.due(options.checkpoint_minutes):
                context.save()

        train(_setup(context), context.state, on_step, on_epoch)


def _setup(context: RunContext) -> TrainingSetup:
    config, data = context.config, context.dataset
    return TrainingSetup(
        context.network,
        data.preprocessed,
        data.split,
        config.training,
        context.augmentation,
        config.seeding,
        context.meter,
    )


def _evaluate(context: RunContext, weights: Mapping[str, list[NDArray[Any]]]) -> None:
    """Scores all weights, by name, on the test split, and writes scores, confusion matrices and plots."""

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        context.check_stop()
        context.beat("evaluation")
        return context.network.predict(images)

    record, dataset, state, network = context.record, context.dataset, context.state, context.network
    test, scored = dataset.split.test, context.config.evaluation.weights
    record.results["best_epoch"] = float(state.best_epoch)
    record.results.pop("evaluation_seconds", None)  # of an evaluation that failed
    others = {}
    for name in [name for name in WEIGHTS if name != scored]:
        network.set_weights(weights[name])
        others[name] = confusions_of(predict, dataset, test, record)
    network.set_weights(weights["ema"])
    validation = validate(_setup(context), state, lambda state, images: context.check_stop())
    record.results["val/ema/mean_iou"] = float(np.nanmean(pooled_iou(validation.confusion)))
    network.set_weights(weights[scored])
    score(predict, dataset, test, record, context.folder, others=others, trained_on=dataset.split.train)
    dataset.reject_changed_files()
    record.results["peak_memory_bytes"] = peak_memory()

"""One run from its configuration to its folder and mirror: the only module that wires the parts together."""

import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from activation_study.config.schema import Config
from activation_study.console import format_duration
from activation_study.data.dataset import Dataset
from activation_study.errors import BadInput
from activation_study.evaluation.score import score
from activation_study.files import write_text
from activation_study.hardware import peak_memory
from activation_study.model.build import build_network
from activation_study.records import artifacts
from activation_study.records.lock import run_lock
from activation_study.records.record import Record, read_record
from activation_study.records.source_code import changed_files, code_digest
from activation_study.runs.reuse_weights import LINK, reuse_weights
from activation_study.runs.start import ResumeError, create_run_folder, new_record, resume
from activation_study.signals import GracefulShutdown, Interrupted
from activation_study.tracking.mirror import Mirror
from activation_study.training.checkpoint import Checkpoints, remove_saves
from activation_study.training.loop import TIMING_METRICS, TrainingSetup, TrainState, initial_state, train
from activation_study.training.progress import TrainingProgress

if TYPE_CHECKING:
    from activation_study.model.network import Network


def run(config: Config, overrides: list[str], announce: Callable[[Record], None] = lambda record: None) -> Record:
    """Trains, evaluates and records one run; a finished one is read, an interrupted one goes on.

    Args:
        config: checked.
        overrides: of the command line, for the record.
        announce: called with the record as it would begin now, before anything is written; may add to it.

    Returns:
        The record: FINISHED, or FAILED with its error.

    Raises:
        BadInput: before anything is written; as `RunLocked` when another process works on the run.
        Interrupted: after the state is saved and the record says KILLED.
    """
    folder = config.run_folder
    with run_lock(folder):
        before = read_record(folder)
        if before is not None and before.status == "FINISHED" and config.rerun != "all":
            print(f"{before.name}: finished already, mean IoU {before.results['test/mean_iou']:.3f}, {folder}")
            remove_saves(folder)
            Mirror(folder, config.tracking.uri, config.tracking.weights).ensure_synced()
            return before
        if before is not None and before.status == "FAILED" and config.rerun == "none":
            print(f"{before.name}: failed before ({before.error}); rerun=failed tries it again")
            return before
        return _execute(config, overrides, before, announce)


def _execute(config: Config, overrides: list[str], before: Record | None, announce: Callable[[Record], None]) -> Record:
    changes = _changes_under_the_sweep(config)
    dataset = Dataset(config)
    with GracefulShutdown() as interruption:  # an exception while Keras is imported may end the process, or be lost
        network = build_network(config, len(dataset.label_type.classes))
        if interruption.requested is not None:
            print(f"{config.run_name}: stopped before its first step; the same command goes on from here")
            interruption.check()
        record = new_record(config, overrides, dataset, network)
        announce(record)
        folder, state, code = (
            config.run_folder,
            initial_state(config.schedule, config.training.early_stopping),
            record.digests["code"],
        )
        record, goes_on = _start_or_resume(config, record, before)
        checkpoints = Checkpoints(folder, str(record.started))
        saved = checkpoints.restore(network) if goes_on else None
        if saved is None and config.rerun != "all" and not config.suffix:  # a reproduction is trained
            saved = reuse_weights(record, folder, network, state)
        state = saved or state
        if goes_on:
            record.resumed.append({"time": time.time(), "epoch": state.epoch, "step": state.step})
            record.epochs += state.history[len(record.epochs) :]
        record.changes = list(dict.fromkeys([*record.changes, *changes]))
        record.write(folder)
        mirror = Mirror(folder, config.tracking.uri, config.tracking.weights)
        work = _RunContext(config, dataset, network, record, state, mirror, checkpoints, interruption)
        _print_header(work)
        with _finalize(work):
            _train(work)
            network.set_weights(state.best_weights)
            network.save(folder / artifacts.WEIGHTS_FILE)
            _evaluate(work)
            if code_digest() != code:
                record.changes.append("the code changed while the run was under way")
    interruption.check()  # a signal that came while the record was closed
    return record


def _start_or_resume(config: Config, now: Record, before: Record | None) -> tuple[Record, bool]:
    """The record that the run is written to, and whether it goes on from what was there before."""
    folder, again = config.run_folder, config.rerun == "all"
    if before is not None:
        ended = before.status == "FINISHED" or (before.status == "FAILED" and again)
        try:
            if not ended:
                return resume(before, now, folder, config.allow_changes), True
        except ResumeError:
            if before.status != "FAILED" and not again:
                raise
        before.close_dead(folder)
        # MLflow keeps what the folder had.
        Mirror(folder, config.tracking.uri, config.tracking.weights).ensure_synced()
    create_run_folder(now, folder)
    return now, False


@dataclass(frozen=True)
class _RunContext:
    """Everything that one run is made of."""

    config: Config
    dataset: Dataset
    network: "Network"
    record: Record
    state: TrainState
    mirror: Mirror
    checkpoints: Checkpoints
    interruption: GracefulShutdown

    @property
    def folder(self) -> Path:
        return self.config.run_folder

    def save(self) -> None:
        """Saves the state; a failure costs that save only."""
        try:
            self.checkpoints.save(self.network, self.state)
        except OSError as error:
            print(f"warning: {self.folder}: the state could not be saved: {error}", file=sys.stderr)


def _changes_under_the_sweep(config: Config) -> list[str]:
    """BadInput when the code is not what it was when the sweep began; the files where that is allowed."""
    if config.sweep.code is None:
        return []
    files = changed_files(config.run_folder.parent, config.sweep.code)
    if files and not config.allow_changes:
        raise BadInput(
            f"{config.run_name}: changed since the sweep began: {', '.join(files)}. Start the sweep again, so that "
            f"it plans with the code as it is, or accept it (allow_changes=true, recorded)."
        )
    return [f"changed under the sweep: {name}" for name in files]


def _print_header(work: _RunContext) -> None:
    config, record, split = work.config, work.record, work.dataset.split
    position = f" ({config.sweep.position})" if config.sweep.position else ""
    sizes = " + ".join(str(len(part)) for part in (split.train, split.validation, split.test))
    count = record.environment["threads"]
    threads = "1 thread" if count == 1 else f"{count} threads"
    print(
        f"{record.name}{position}: {record.environment['device']}, {threads}, "
        f"{config.training.precision}, {record.results['parameters']:,.0f} parameters, "
        f"{sizes} pictures of {work.dataset.source.name}"
    )
    if record.resumed:
        where = "its evaluation" if work.state.done else f"epoch {work.state.epoch}, step {work.state.step + 1}"
        print(f"  did not finish before; goes on at {where}")
    if LINK in record.links:
        print(f"  was trained as {record.links[LINK]}; only its evaluation differs")
    for change in record.changes:
        print(f"  allowed: {change}")


@contextmanager
def _finalize(work: _RunContext) -> Iterator[None]:
    """Whatever happens inside, the record and its mirror say how it ended."""
    record, folder = work.record, work.folder
    try:
        yield
        record.end(folder, "FINISHED")
        remove_saves(folder)
    except Interrupted:
        try:
            work.save()
            record.end(folder, "KILLED")
            work.mirror.update(final=True)
        except OSError as error:  # the last save is still there
            print(f"warning: {folder}: {error}", file=sys.stderr)
        without = ", without rerun=all: that would begin the finished ones again" if work.config.rerun == "all" else ""
        print(f"{record.name}: stopped; the same command goes on from here{without}")
        raise
    except Exception as error:
        if work.state.done:
            work.save()  # the training need not be done again
        write_text(folder / "traceback.txt", traceback.format_exc())
        first_line = f"{type(error).__name__}: {error}".split("\n")[0]
        record.end(folder, "FAILED", first_line)
        print(f"{record.name} failed: {first_line} ({folder / 'traceback.txt'})")
    work.mirror.update(final=True)
    if record.status == "FINISHED":
        seconds = record.training_seconds + record.results["evaluation_seconds"]
        epochs, most = len(record.epochs), work.config.training.epochs
        early = f" of at most {most}: it stopped early" if epochs < most else ""
        print(
            f"  test mean IoU {record.results['test/mean_iou']:.3f} pooled, "
            f"{record.results['test/article/mean_iou']:.3f} as in the article; "
            f"{epochs} {'epoch' if epochs == 1 else 'epochs'}{early}, {format_duration(seconds)}; {folder}"
        )


def _train(work: _RunContext) -> None:
    record, options, split = work.record, work.config.training, work.dataset.split
    setup = TrainingSetup(
        work.network, work.dataset.preprocessed, split, options, work.config.augmentation.name, work.config.seeding
    )
    bar = TrainingProgress(record.name, work.config.sweep.position, options.epochs, len(split.train), work.state)
    with bar as progress:

        def on_step(state: TrainState, pictures: int) -> None:
            work.interruption.check()
            if pictures:
                progress.step(state, pictures)

        def on_epoch(state: TrainState) -> None:
            _enter_epoch(record, state)
            record.write(work.folder)
            work.mirror.update()
            progress.epoch(len(state.history), state.history[-1])
            work.interruption.check()
            if work.checkpoints.due(options.checkpoint_minutes):
                work.save()

        train(setup, work.state, on_step, on_epoch)


class NondeterminismError(ArithmeticError):
    """An epoch that was trained again after an interruption came out otherwise."""


def _enter_epoch(record: Record, state: TrainState) -> None:
    """Adds the last epoch to the record; one that the record has from before an interruption has to be equal."""
    number, metrics = len(state.history), state.history[-1]
    if number > len(record.epochs):
        record.epochs.append(metrics)
        return
    before = record.epochs[number - 1]
    for key in () if record.changes else metrics.keys() - TIMING_METRICS:
        if before[key] != metrics[key]:
            raise NondeterminismError(
                f"epoch {number} was trained again after an interruption, and {key} is {metrics[key]!r} instead of "
                f"{before[key]!r}: the record was changed, or this machine's arithmetic is not deterministic "
                f"(rerun=all starts anew)"
            )
    state.history[-1] = before


def _evaluate(work: _RunContext) -> None:
    """Scores the best weights on the test split and writes all that is known about them."""
    from activation_study.model.network import weights_digest

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        work.interruption.check()
        return work.network.predict(images)

    record = work.record
    record.results["best_epoch"] = float(work.state.best_epoch)
    record.digests["weights"] = weights_digest(work.state.best_weights)
    score(predict, work.dataset, work.dataset.split.test, record, work.folder)
    record.results["peak_memory_bytes"] = peak_memory()

"""How a run ends: finished, failed, interrupted by a signal, or stopped in MLflow."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from activation_study.config.schema import Config
from activation_study.credentials import without_credentials
from activation_study.files import write_text
from activation_study.out_of_memory import first_line, is_out_of_memory, out_of_memory
from activation_study.outcome import warn
from activation_study.runs.early_end import Pruned
from activation_study.runs.messages import STOPPED, memory_remedies, print_interrupted, print_scores
from activation_study.runs.run_context import RunContext, StopRequested
from activation_study.signals import Interrupted
from activation_study.tracking.registry import register_after
from activation_study.training.checkpoint import remove_saves
from activation_study.training.loop import TrainState


@contextmanager
def finalize(context: RunContext) -> Iterator[None]:
    """Records in the run folder and in MLflow how the block ended; an exception other than a signal is a failed run."""
    record, folder = context.record, context.folder
    try:
        yield
        record.end(folder, "FINISHED")
        remove_saves(folder)
    except Pruned as pruned:
        record.end(folder, "PRUNED", str(pruned))
        remove_saves(folder)
        print(f"  {pruned}")
    except Interrupted:
        _record_interruption(context)
        print_interrupted(context.config)
        raise
    except StopRequested:
        _record_interruption(context, STOPPED)
        print_interrupted(context.config, STOPPED)
        return
    except Exception as error:
        if context.state.done:
            context.save()  # so that only the evaluation is repeated
        write_text(folder / "traceback.txt", without_credentials(traceback.format_exc()))
        reason = without_credentials(_reason(context.config, context.state, error))
        record.end(folder, "FAILED", reason)
        print(f"{record.name} failed: {reason} (traceback in {folder / 'traceback.txt'})")
    finally:
        context.heartbeat.remove()
    context.mirror.update(final=True)
    if record.status == "FINISHED":
        print_scores(context.config, record, folder)
        register_after(context.config)


def _reason(config: Config, state: TrainState, error: Exception) -> str:
    """Why a run failed, in one line."""
    if not is_out_of_memory(error):
        return first_line(error)
    if state.done:
        return out_of_memory("in the evaluation", memory_remedies(config, "evaluation"), error)
    return out_of_memory(f"in epoch {state.epoch}", memory_remedies(config, "training"), error)


def _record_interruption(context: RunContext, reason: str | None = None) -> None:
    try:
        context.save()
        context.record.end(context.folder, "KILLED", reason)
        context.mirror.update(final=True)
    except OSError as error:  # the previous checkpoint is intact
        warn(f"{context.folder}: {error}")

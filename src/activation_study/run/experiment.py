"""One run from its configuration to its folder and mirror: the only module that wires the parts together."""

import shutil
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from activation_study.config import Config, identity, resolved
from activation_study.data.batches import order_digest
from activation_study.data.labels import LABEL_TYPES, LabelResize, LabelType
from activation_study.data.prepared import Prepared, prepare
from activation_study.data.sources import Source, open_source
from activation_study.data.splits import Split, split
from activation_study.errors import BadInput
from activation_study.files import write_json, write_text
from activation_study.run.metrics import summary
from activation_study.run.progress import TrainingProgress, duration
from activation_study.run.record import Record, read_record

if TYPE_CHECKING:
    from activation_study.run.network import Network
    from activation_study.run.tracking import Mirror
    from activation_study.run.training import LoopState


class Data:
    """All data of a run: the source, its prepared arrays and their split.

    Raises:
        BadInput: the data set cannot be had or used.
    """

    def __init__(self, config: Config) -> None:
        options = config.data
        resize: LabelResize = "nearest" if options.label_resize == "nearest" else "bilinear"
        self.label_type = label_type_of(config)
        self.source: Source = open_source(options)
        self.prepared: Prepared = prepare(
            self.source, self.label_type, config.image_size, options.color, resize, Path(options.cache)
        )
        try:
            self.split: Split = split(
                len(self.source.names), options.split, options.split_seed, options.folds, options.fold
            )
        except ValueError as error:
            raise BadInput(f"{options.name}: {error}") from error
        for part, indices in vars(self.split).items():
            if not (self.prepared.labels[indices] >= 0).any():
                raise BadInput(f"{options.name}: no pixel of the {part} split has a class; nothing to learn or score")


def label_type_of(config: Config) -> LabelType:
    """The configured label type."""
    known = LABEL_TYPES[config.label_type.name]
    return LabelType(known.name, known.classes, config.label_type.border_width)


def run(config: Config, overrides: list[str]) -> Record:
    """Trains, evaluates and records one run; a finished one is read and not trained again.

    Args:
        config: checked.
        overrides: of the command line, for the record.

    Returns:
        The record: FINISHED, or FAILED with its error.

    Raises:
        BadInput: before anything is written.
        KeyboardInterrupt: after the record says KILLED.
    """
    folder = config.run_folder
    before = read_record(folder)
    if before is not None and before.status == "FINISHED":
        print(f"{before.name}: finished already, mean IoU {before.results['test/mean_iou']:.3f}, {folder}")
        catch_up(config)
        return before
    data = Data(config)
    network = _build(config, data)
    record = _start(config, overrides, data, network, folder)
    from activation_study.run.tracking import Mirror

    mirror = Mirror(folder, config.tracking.uri, config.tracking.weights)
    with _closing(record, folder, mirror):
        state = _train(config, data, network, record, folder, mirror)
        network.set_weights(state.best_weights)
        network.save(folder / "best.keras")
        _evaluate(config, data, network, record, folder, state)
    return record


def catch_up(config: Config) -> None:
    """Brings a finished run into its store if that could not be reached when the run ended."""
    from activation_study.run.tracking import Mirror

    Mirror(config.run_folder, config.tracking.uri, config.tracking.weights).catch_up()


def _build(config: Config, data: Data) -> "Network":
    """The untrained network. Imports Keras: the first expensive moment of a run."""
    from activation_study.run import backend

    backend.set_up(config.threads, config.training.precision)
    from activation_study.model.activations import activation_maker
    from activation_study.model.losses import SegmentationLoss
    from activation_study.model.unet import build_unet
    from activation_study.run.network import Network

    arguments = {key: value for key, value in config.activation.layer.items() if key != "_target_"}
    try:
        make = activation_maker(config.activation.layer["_target_"], arguments, config.activation.places)
    except ValueError as error:
        raise BadInput(str(error)) from error
    model = config.model
    unet = build_unet(
        config.image_size,
        len(data.label_type.classes),
        make,
        model.widths,
        model.encoder_blocks,
        model.decoder_blocks,
        config.seeding.weights,
        model.norm_momentum,
    )
    loss = SegmentationLoss(config.training.unknown_pixels, config.training.loss_over)
    return Network(unet, loss, config.training.learning_rate)


def _start(config: Config, overrides: list[str], data: Data, network: "Network", folder: Path) -> Record:
    """The record of a run that begins, written together with its configuration and environment."""
    from omegaconf import OmegaConf

    from activation_study.run import environment
    from activation_study.run.network import shared_weights_digest

    record = Record(
        name=config.run_name,
        study=config.study,
        identity=identity(config),
        config=resolved(config),
        overrides=overrides,
        classes=list(data.label_type.classes),
        environment=environment.describe(config.threads),
        digests={
            "data": data.source.digest,
            "code": environment.code_digest(),
            "initial_weights": shared_weights_digest(network.unet),
            "order": order_digest(data.split, config.seeding.order, config.training.epochs),
        },
    )
    record.results["parameters"] = float(network.unet.count_params())
    if folder.exists():
        shutil.rmtree(folder)  # an attempt that did not finish; MLflow keeps its record
    write_text(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(record.config)))
    write_text(folder / "overrides.yaml", OmegaConf.to_yaml(OmegaConf.create(overrides)))
    write_json(folder / "environment.json", record.environment)
    record.write(folder)
    print(
        f"{record.name}{f' ({config.position})' if config.position else ''}: {record.environment['device']}, "
        f"{record.environment['threads']} threads, {config.training.precision}, "
        f"{network.unet.count_params():,} parameters, {len(data.split.train)} + {len(data.split.validation)} + "
        f"{len(data.split.test)} pictures of {data.source.name}"
    )
    return record


@contextmanager
def _closing(record: Record, folder: Path, mirror: "Mirror") -> Iterator[None]:
    """Whatever happens inside, the record and its mirror say how it ended."""
    try:
        yield
        record.end(folder, "FINISHED")
    except KeyboardInterrupt:
        record.end(folder, "KILLED")
        mirror.update(final=True)
        raise
    except Exception as error:
        write_text(folder / "traceback.txt", traceback.format_exc())
        first_line = f"{type(error).__name__}: {error}".split("\n")[0]
        record.end(folder, "FAILED", first_line)
        print(f"{record.name} failed: {first_line} ({folder / 'traceback.txt'})")
    mirror.update(final=True)
    if record.status == "FINISHED":
        assert record.ended is not None
        print(
            f"  test mean IoU {record.results['test/mean_iou']:.3f} pooled, "
            f"{record.results['test/article/mean_iou']:.3f} as in the article; "
            f"{len(record.epochs)} epochs in {duration(record.ended - record.started)}; {folder}"
        )


def _train(
    config: Config, data: Data, network: "Network", record: Record, folder: Path, mirror: "Mirror"
) -> "LoopState":
    from activation_study.run.training import train

    options = config.training
    with TrainingProgress(record.name, config.position, options.epochs, len(data.split.train)) as progress:

        def on_epoch(metrics: dict[str, float]) -> None:
            record.epochs.append({**metrics, "time": time.time()})
            record.write(folder)
            mirror.update()
            progress.epoch(len(record.epochs), metrics)

        return train(network, data.prepared, data.split, options, config.seeding.order, progress.step, on_epoch)


def _evaluate(config: Config, data: Data, network: "Network", record: Record, folder: Path, state: "LoopState") -> None:
    """Scores the best weights on the test split and writes all that is known about them."""
    from activation_study.run import artifacts
    from activation_study.run.evaluation import evaluate
    from activation_study.run.network import weights_digest

    options, classes = config.evaluation, data.label_type.classes
    started = time.perf_counter()
    confusions = evaluate(
        network.predict,
        data.prepared.images,
        data.source,
        data.label_type,
        data.split.test,
        options.resize,
        options.batch_size,
    )
    record.results["evaluation_seconds"] = time.perf_counter() - started
    record.results.update(summary(confusions, classes))
    record.results["best_epoch"] = float(state.best_epoch)
    record.results["peak_memory_bytes"] = artifacts.peak_memory()
    record.digests["weights"] = weights_digest(state.best_weights)
    names = [data.source.names[index] for index in data.split.test]
    artifacts.write_confusions(folder, confusions, names, classes)
    artifacts.draw(
        folder,
        record,
        data.source,
        data.label_type,
        data.prepared.images,
        data.split.test,
        network.predict,
        confusions,
    )

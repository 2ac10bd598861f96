"""Builds the untrained network of a configuration."""

from typing import TYPE_CHECKING

from activation_study.config.schema import Config
from activation_study.errors import BadInput

if TYPE_CHECKING:
    import keras

    from activation_study.model.network import Network


def build_network(config: Config, classes: int, backend: str | None = None) -> "Network":
    """The untrained network for this number of classes. Imports Keras, the first expensive step of a run.

    Args:
        config: of the run.
        classes: number of classes.
        backend: as of `import_keras`.

    Raises:
        BadInput: a class or its arguments cannot be used, or the backend cannot.
    """
    from activation_study.backend import compiles_steps, configure_backend

    configure_backend(config.threads, config.training.precision, backend)
    compiled = compiles_steps(config.training.jit_compile)
    from activation_study.model.losses.cross_entropy import SegmentationLoss
    from activation_study.model.network import Network
    from activation_study.model.optimizers import make_optimizer

    unet = untrained_unet(config, classes)
    loss = SegmentationLoss(config.loss.unlabeled, config.loss.average_over)
    try:
        optimizer = make_optimizer(config.optimizer)
    except ValueError as error:
        raise BadInput(str(error)) from error
    return Network(unet, loss, optimizer, compiled)


def untrained_unet(config: Config, classes: int) -> "keras.Model":
    """The network without what training needs, in a process that has imported Keras.

    Raises:
        BadInput: the activation's class or arguments cannot be used.
    """
    from activation_study.model.activation_factory import activation_factory
    from activation_study.model.networks.unet import build_unet
    from activation_study.model.random_state import seed_generators

    arguments = {key: value for key, value in config.activation.layer.items() if key != "_target_"}
    try:
        make = activation_factory(config.activation.layer["_target_"], arguments, config.activation.scope)
    except ValueError as error:
        raise BadInput(str(error)) from error
    model = config.model
    unet = build_unet(
        config.image_size,
        classes,
        make,
        model.widths,
        model.encoder_blocks,
        model.decoder_blocks,
        config.seeding.weights,
        config.normalization.momentum,
        config.data.channels,
    )
    seed_generators(unet, config.seeding.weights)
    return unet

"""Builds the untrained network of a configuration."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from activation_study import plugins
from activation_study.config.components import arguments_of, make_component
from activation_study.config.schema import Config
from activation_study.seeding import integer_seed

if TYPE_CHECKING:
    import keras

    from activation_study.model.network import Network


def build_network(
    config: Config, classes: int, backend: str | None = None, class_pixels: Sequence[int] = ()
) -> "Network":
    """The untrained network for this number of classes. Imports Keras, the first expensive step of a run.

    Args:
        config: of the run.
        classes: number of classes.
        backend: as of `import_keras`.
        class_pixels: the number of training pixels of each class, which a loss may need.

    Raises:
        BadInput: a class or its arguments cannot be used, or the backend cannot.
    """
    from activation_study.backend import compiles_steps, configure_backend

    configure_backend(config.threads, config.training.precision, backend)
    compiled = compiles_steps(config.training.jit_compile)
    from activation_study.model.losses.make import make_loss
    from activation_study.model.network import Network
    from activation_study.model.optimizers import make_optimizer

    loss, optimizer = make_loss(config.loss, class_pixels), make_optimizer(config.optimizer)
    return Network(untrained_network(config, classes), loss, optimizer, compiled)


def untrained_network(config: Config, classes: int) -> "keras.Model":
    """The network without what training needs, in a process that has imported Keras.

    Raises:
        BadInput: one of its classes or their arguments cannot be used.
    """
    import keras

    from activation_study.model.activation_factory import activation_factory
    from activation_study.model.layer_factories import (
        initializer_factory,
        normalization_factory,
        upsampling_factory,
    )
    from activation_study.model.network_parts import NetworkParts
    from activation_study.model.networks import MODULES
    from activation_study.model.random_state import seed_generators

    layer = config.activation.layer
    targets = [layer, *(getattr(config, group) for group in ("model", "normalization", "upsampling", "initializer"))]
    modules = {str(each.get("_target_")).rpartition(".")[0] for each in targets}
    plugins.require([name for name in config.plugins if plugins.module_of(name) in modules], "the network")
    parts = NetworkParts(
        config.image_size,
        classes,
        activation_factory(layer["_target_"], arguments_of(layer), config.activation.scope),
        config.seeding.weights,
        config.data.channels,
        normalization_factory(config.normalization),
        upsampling_factory(config.upsampling),
        initializer_factory(config.initializer),
    )
    options = {key: value for key, value in config.model.items() if not key.startswith("encoder_weights")}
    keras.utils.set_random_seed(integer_seed(config.seeding.weights, "weights", "network"))  # of layers outside parts
    network: keras.Model = make_component("model", options, None, MODULES, parts=parts)
    seed_generators(network, config.seeding.weights)
    return network

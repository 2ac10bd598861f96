"""Random numbers inside a network: the state of its seed generators, e.g. those of Dropout, and what has no such state.

A layer that draws random numbers has state outside of its weights. A run that is killed and resumed ends with the same
bits only if all of it is saved.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import keras

from activation_study.backend import unsaved_state
from activation_study.errors import BadInput, problems_message
from activation_study.seeding import stream

_STATEFUL = (keras.random.SeedGenerator, keras.Variable)


def random_states(model: keras.Model) -> list[Any]:
    """The variables that are neither weights nor metrics: the states of seed generators, in the order of the layers."""
    return [variable for layer in model.layers for variable in _states(layer)]


def seed_generators(model: keras.Model, seed: int) -> None:
    """Starts the seed generators of layers that were given no seed from the seed and the layer's name.

    Keras would start them from one sequence for the whole process, in the order in which layers are made.
    """
    for layer in model.layers:
        states = _states(layer)
        if states and layer.get_config().get("seed") is None:
            for number, state in enumerate(states):
                start = stream(seed, "seed generator", layer.name, number)
                state.assign(start.integers(0, 2**31, state.shape))


def reject_unsaved_state(model: keras.Model) -> None:
    """Checks that a checkpoint has everything that changes from step to step.

    Raises:
        BadInput: names the layers with other state, e.g. that of `tf.random` or of Keras' global seed generator.
    """
    found = unsaved_state(model, model.input)
    if not found:
        return
    problems = [f"{layer.name}: {what}" for layer in _layers_inside(model) for what in _unsaved_state_alone(layer)]
    raise BadInput(
        problems_message(
            "Layers with state that a checkpoint cannot save, so that a resumed run would differ",
            problems or [f"{model.name}: {what}" for what in found],
            "Random numbers must come from a keras.random.SeedGenerator that is an attribute of the layer.",
        )
    )


def reject_state_of_loss(loss: keras.losses.Loss, logits: Any) -> None:
    """Checks that a loss has no state: no checkpoint has any.

    Args:
        loss: of labels [N, height, width] and logits.
        logits: the symbolic output of the network, [N, height, width, C].

    Raises:
        BadInput: it has seed generators or variables, or other state, as of `reject_unsaved_state`.
    """
    _reject(loss, "loss", [name for name, value in _parts(loss) if isinstance(value, _STATEFUL)])
    _reject(loss, "loss", unsaved_state(_OfLoss(loss), [keras.KerasTensor(logits.shape[:3]), logits]))


def reject_state_of_optimizer(optimizer: keras.Optimizer, weights: Sequence[keras.Variable]) -> None:
    """Raises BadInput if an optimizer has seed generators, or variables beside its own and the network's weights."""
    saved = {id(variable) for variable in (*optimizer.variables, *weights)}
    found = [name for name, value in _parts(optimizer) if isinstance(value, _STATEFUL) and id(value) not in saved]
    _reject(optimizer, "optimizer", found)


def _reject(part: Any, what: str, found: Sequence[str]) -> None:
    if found:
        raise BadInput(
            f"{what}: {type(part).__name__} has {', '.join(found)}, which a checkpoint cannot save, so that a resumed "
            "run would differ; expected state in the optimizer's variables alone"
        )


def _parts(whole: Any, prefix: str = "", depth: int = 3) -> Iterator[tuple[str, Any]]:
    """The attributes of an object with their names, and those in its lists, dicts, losses and optimizers."""
    for name, value in vars(whole).items():
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        for each in inside:
            yield f"{prefix}{name}", each
            if isinstance(each, keras.losses.Loss | keras.Optimizer) and depth:
                yield from _parts(each, f"{prefix}{name}.", depth - 1)


def _layers_inside(model: keras.Model) -> Iterator[keras.Layer]:
    """The layers of a network, and of the networks inside it."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers_inside(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def _unsaved_state_alone(layer: keras.Layer) -> list[str]:
    """What the layer is found to have; nothing if it cannot be called without its network."""
    try:
        return unsaved_state(_Alone(layer), layer.input)
    except (AttributeError, TypeError, ValueError):
        return []


class _OfLoss(keras.Layer):
    """The loss of any numbers."""

    def __init__(self, loss: keras.losses.Loss) -> None:
        super().__init__(name="loss")
        self.loss = loss

    def call(self, x: Any, training: bool = False) -> Any:
        """The loss of labels, whose values become class ids, and logits."""
        labels, logits = x
        return self.loss(keras.ops.clip(keras.ops.cast(labels, "int32"), -1, logits.shape[-1] - 1), logits)


class _Alone(keras.Layer):
    """Calls a layer as a network does: whether it is training is known to the layers inside, too."""

    def __init__(self, layer: keras.Layer) -> None:
        super().__init__(name="alone")
        self.layer = layer

    def call(self, x: Any, training: bool = False) -> Any:
        """The layer's output."""
        return self.layer(x)


def _states(layer: keras.Layer) -> list[Any]:
    known = {id(variable) for variable in (*layer.weights, *layer.metrics_variables)}
    return [variable for variable in layer.variables if id(variable) not in known]

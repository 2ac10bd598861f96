"""A trained network as a file that Keras loads without this project, as far as Keras has its layers."""

import keras

from activation_study.model.activations import Mish
from activation_study.model.normalization import BatchNormalization


def portable(unet: keras.Model) -> keras.Model:
    """A copy of the network with the same weights, whose faster layers are Keras' own equivalents.

    Normalisation and Mish of this project differ from Keras' layers in how they are computed during training only.
    """
    copy = keras.models.clone_model(unet, clone_function=_portable_layer)
    copy.set_weights(unet.get_weights())
    return copy


def _portable_layer(layer: keras.Layer) -> keras.Layer:
    if type(layer) is BatchNormalization:
        return keras.layers.BatchNormalization.from_config(layer.get_config())
    if type(layer) is Mish:
        return keras.layers.Activation("mish", name=layer.name, dtype=layer.dtype_policy)
    return type(layer).from_config(layer.get_config())

"""The networks: functions from the parts of a network to a Keras model."""

from activation_study.model.networks import deeplab, residual_unet, segnet, unet

MODULES = {module.__name__: vars(module) for module in (deeplab, residual_unet, segnet, unet)}

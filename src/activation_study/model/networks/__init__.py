"""The networks: functions from the parts of a network to a Keras model."""

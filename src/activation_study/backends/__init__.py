"""What each backend of Keras does in its own way. `backend.py` chooses the module of the one that is imported.

Each module has the same functions:

    set_up(threads, tensor_float_32)    makes results depend on seeds and threads only
    devices()                           the names of the GPUs, or of the CPU, that networks run on
    steps(model)                        the training and the validation step of a compiled Keras model
    unsaved_state(layer, inputs)        what a training step of a layer reads or changes besides the layer's variables
    prediction(model)                   the forward pass
"""

"""The network, its layers and its loss."""

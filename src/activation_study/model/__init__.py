"""The network under study: activations, the U-Net that holds them, the loss."""

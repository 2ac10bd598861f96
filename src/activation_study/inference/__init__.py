"""Uses trained networks: predict, evaluate, export."""

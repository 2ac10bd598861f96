"""Sweeps whose further runs depend on the results of earlier ones: planned looks and searches."""

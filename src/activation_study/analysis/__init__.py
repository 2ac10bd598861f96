"""Finished runs as arrays, and the statistics, contrasts and conclusions computed from them."""

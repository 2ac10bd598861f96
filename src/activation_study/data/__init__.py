"""Photographs and labels: where they come from, how they are prepared, split and batched."""

"""Data sets: sources, labels, preprocessing, splits and batches."""

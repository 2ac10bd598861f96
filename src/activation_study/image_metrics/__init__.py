"""Metrics that a confusion matrix cannot tell, from counts of each image."""

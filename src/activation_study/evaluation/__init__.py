"""Scores and plots of one network on one part of the data."""

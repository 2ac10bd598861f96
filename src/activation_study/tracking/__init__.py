"""Mirrors run folders to MLflow, and looks up runs."""

"""The mirror of run folders in MLflow, and runs looked up there."""

"""One run: training, evaluation, its record and the mirror in MLflow."""

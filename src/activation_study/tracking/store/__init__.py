"""An MLflow store: whether it answers, what it holds, and how it is read and written."""

"""What a run's page in MLflow shows: parameters, tags, description, data sets, metrics and the model."""

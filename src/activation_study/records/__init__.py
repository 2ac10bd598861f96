"""What a run's folder holds: record, environment, source code, lock, artifacts."""

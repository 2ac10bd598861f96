"""Contents of a run folder: record, environment, source code, lock, heartbeat, artifacts."""

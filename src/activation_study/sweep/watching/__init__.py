"""What the runs of a study are doing."""

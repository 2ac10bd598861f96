"""The statistics of a study as pure functions: arrays in, numbers out."""

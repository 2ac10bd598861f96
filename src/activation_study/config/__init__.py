"""The typed configuration: its schema, what of it identifies a run, its checks, and the options of each command."""

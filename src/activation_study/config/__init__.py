"""The typed configuration: its schema, what of it identifies a run, its checks, the options of each command, and what
is wrong with an override.
"""

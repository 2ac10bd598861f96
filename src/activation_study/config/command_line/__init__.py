"""The command line: its arguments, overrides and errors."""

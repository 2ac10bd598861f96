"""The split into training, validation and test, and the groups that it keeps whole."""

"""A whole study in one file: written, read, and turned into run folders again."""

"""Finished runs as arrays, and what follows from them: statistics, contrasts, conclusions.."""

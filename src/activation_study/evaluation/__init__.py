"""One network scored on one part of the data, and drawn."""

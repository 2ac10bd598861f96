"""Trained networks used: scored elsewhere, predicting, exported."""

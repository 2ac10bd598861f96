"""The drawn landscape scenes of `data=scenes`."""

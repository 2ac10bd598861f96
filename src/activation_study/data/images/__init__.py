"""Image files as a run takes them: decoding, channels, ranges of values, sizes."""

"""One run: start or resume it, train, evaluate, record; reproduce it."""

"""The cost of TensorFlow's deterministic operations: python benchmarks/determinism.py [KEY=VALUE …].

Processes with and without them take turns; the ratio is of the median durations of a training step.
"""

import statistics
import subprocess
import sys
import time

ROUNDS, WARM_UP, STEPS = 4, 3, 12
CHILD = "--child="


def child(mode: str, overrides: list[str]) -> None:
    """Prints the median seconds of a step in this process."""
    import tensorflow as tf

    from common import batch, configuration, network

    if mode == "without":
        tf.config.experimental.enable_op_determinism = lambda: None
    config = configuration(*overrides)
    model, (images, labels) = network(config), batch(config)
    seconds = []
    for _ in range(WARM_UP + STEPS):
        started = time.perf_counter()
        model.train_on(images, labels)
        seconds.append(time.perf_counter() - started)
    print(statistics.median(seconds[WARM_UP:]))


def main() -> None:
    """Prints both medians and their ratio."""
    overrides = sys.argv[1:]
    measured: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(ROUNDS):
        for mode, seconds in measured.items():
            command = [sys.executable, __file__, f"{CHILD}{mode}", *overrides]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds.append(float(done.stdout.split()[-1]))
    medians = {mode: statistics.median(seconds) for mode, seconds in measured.items()}
    ratio = medians["with"] / medians["without"]
    print(f"with {medians['with']:.3f} s, without {medians['without']:.3f} s per step: ratio {ratio:.3f}")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].startswith(CHILD):
        child(sys.argv[1].removeprefix(CHILD), sys.argv[2:])
    else:
        main()

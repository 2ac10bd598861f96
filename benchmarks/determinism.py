"""What TensorFlow's deterministic operations cost: python benchmarks/determinism.py [KEY=VALUE …].

Processes with and without them take turns; the ratio is that of the medians of a training step.
"""

import statistics
import subprocess
import sys
import time

ROUNDS, WARM_UP, STEPS = 4, 3, 12
CHILD = "--child="


def child(how: str, overrides: list[str]) -> None:
    """Prints the median seconds of a step in this process."""
    import tensorflow as tf

    from common import batch, configuration, network

    if how == "without":
        tf.config.experimental.enable_op_determinism = lambda: None
    config = configuration(*overrides)
    own, (images, labels) = network(config), batch(config)
    seconds = []
    for _ in range(WARM_UP + STEPS):
        started = time.perf_counter()
        own.train_on(images, labels)
        seconds.append(time.perf_counter() - started)
    print(statistics.median(seconds[WARM_UP:]))


def main() -> None:
    """Prints both medians and their ratio."""
    overrides = sys.argv[1:]
    found: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(ROUNDS):
        for how, seconds in found.items():
            command = [sys.executable, __file__, f"{CHILD}{how}", *overrides]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds.append(float(done.stdout.split()[-1]))
    medians = {how: statistics.median(seconds) for how, seconds in found.items()}
    ratio = medians["with"] / medians["without"]
    print(f"with {medians['with']:.3f} s, without {medians['without']:.3f} s a step: ratio {ratio:.3f}")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].startswith(CHILD):
        child(sys.argv[1].removeprefix(CHILD), sys.argv[2:])
    else:
        main()

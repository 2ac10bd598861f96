"""Training with the code of the article, PyTorch and this project; the cost of activations; memory."""

from collections.abc import Sequence

from activation_study.hardware import processor_flags
from activation_study.records.environment import version_of
from common import table
from interleaved import BATCH, PRODUCT_SIDE, Candidate, measure, widths_from

ACTIVATIONS = ("relu", "mish", "frelu")
PRECISIONS = ("float32", "mixed_bfloat16")
NAMES = {"article": "code of the article", "torch": "PyTorch, channels last", "project": "this project"}
WITHOUT_AMX = {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}
IMPLEMENTATIONS = (
    ("article", "float32"),
    ("project", "float32"),
    ("torch", "mixed_bfloat16"),
    ("project", "mixed_bfloat16"),
)


def training(size: tuple[int, int], turns: int, names: Sequence[str] = ACTIVATIONS) -> str:
    """The section "Training": each implementation against the code of the article in float32."""
    speed = products(PRECISIONS, 4 * turns)
    work = gigaflops_of_an_image(*size)
    rows = []
    for activation in names:
        plan = [entry for entry in IMPLEMENTATIONS if entry[0] != "torch" or version_of("torch")]
        candidates = [Candidate(implementation, activation, precision, size) for implementation, precision in plan]
        measure(candidates, turns)
        for one in candidates:
            rate, speedup = BATCH / one.median, 1 / one.ratio_to(candidates[0])
            row = [activation, NAMES[one.implementation], one.precision, f"{rate:.2f}", f"{speedup:.2f}"]
            rows.append([*row, f"{100 * rate * work / speed[one.precision]:.0f} %", f"{one.peak:.2f}"])
    head = ["activation", "implementation", "precision", "images/s", "speedup", "of the machine", "peak memory, GB"]
    return (
        f"## Training\n\nThe U-Net at {size[0]}×{size[0]}, widths from {size[1]}, batches of {BATCH}: {work:.1f} GFLOP "
        f"per image. Each implementation runs in its own process; they take turns, {turns} steps each. Medians; 715 "
        "images. Speedup: over the code of the article. Of the machine: relative to the product of two "
        f"{PRODUCT_SIDE}×{PRODUCT_SIDE} matrices, {speed['float32']:.0f} GFLOP/s in float32 and "
        f"{speed['mixed_bfloat16']:.0f} in bf16. Peak memory: of the process.\n\n{table(head, rows)}"
    )


def memory(size: tuple[int, int]) -> str:
    """The section "Memory": with ten times as many images."""
    rows = []
    for implementation in ("article", "project"):
        for images in (715, 7150):
            one = Candidate(implementation, "relu", "float32", size, images)
            measure([one], 3)
            rows.append([NAMES[implementation], f"{images:,}", f"{one.peak - one.mapped:.2f}", f"{one.mapped:.2f}"])
    return (
        "## Memory\n\nMemory in GB of a process that trains ReLU in float32, after 5 steps. The system can drop "
        "mapped files at any time; an epoch would map all of them.\n\n"
        + table(["implementation", "images", "peak without mapped files", "mapped files"], rows)
    )


def activations(size: tuple[int, int], turns: int) -> str:
    """The section "Activations": a step with each activation against one with ReLU."""
    rows = []
    machines = [(precision, precision, dict[str, str]()) for precision in PRECISIONS]
    if "amx_bf16" in processor_flags():
        machines.append(("mixed_bfloat16 without AMX", "mixed_bfloat16", WITHOUT_AMX))
    for name, precision, environment in machines:
        candidates = [
            Candidate("project", activation, precision, size, environment=environment) for activation in ACTIVATIONS
        ]
        measure(candidates, turns)
        relu, *others = candidates
        rows.append([name, f"{relu.median:.3f}", *(f"{other.ratio_to(relu):.3f}" for other in others)])
    return (
        "## Activations\n\nThe duration of a training step of this project relative to ReLU, taking turns. AMX speeds "
        "up the convolutions but not the memory-bound activations, so activations take a larger fraction there.\n\n"
        + table(["precision", "ReLU, s per step", "Mish", "FReLU"], rows)
    )


def gigaflops_of_an_image(side: int, width: int) -> float:
    """Operations of training: convolutions forward, twice that backward, except the gradient of the image."""
    w = widths_from(width)
    levels = [
        [(3, w[0]), (w[1] + w[0], 2 * w[0])],
        [(w[0], w[1]), (w[2] + w[1], w[1])],
        [(w[1], w[2]), (w[3] + w[2], w[2])],
        [(w[2], w[3]), (w[4] + w[3], w[3])],
        [(w[3], w[4]), (w[4], w[4]), (w[5] + w[4], w[4]), (w[4], w[4])],
        [(w[4], w[5]), (w[5], w[5]), (w[5], w[5])],
    ]
    pixels = [side * side / 4**level for level in range(6)]
    forward = sum(2 * 9 * a * b * pixels[level] for level, pairs in enumerate(levels) for a, b in pairs)
    forward += 2 * 2 * w[0] * 3 * pixels[0]
    return (3 * forward - 2 * 9 * 3 * w[0] * pixels[0]) / 1e9


def products(precisions: Sequence[str], turns: int, side: int = PRODUCT_SIDE) -> dict[str, float]:
    """The speed of the machine's matrix product in GFLOP/s, by precision."""
    candidates = [Candidate("product", "none", precision, (side, 1)) for precision in precisions]
    measure(candidates, turns)
    return {one.precision: 2 * side**3 / one.median / 1e9 for one in candidates}

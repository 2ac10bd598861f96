"""Training: the article's code, PyTorch and this project; what the activations cost; memory."""

from activation_study.hardware import processor_flags
from activation_study.records.environment import version_of
from common import table
from race import BATCH, PRODUCT_SIDE, Contender, race, widths_from

ACTIVATIONS = ("relu", "mish", "frelu")
PRECISIONS = ("float32", "mixed_bfloat16")
NAMES = {"article": "the article's code", "torch": "PyTorch, channels last", "project": "this project"}
WITHOUT_AMX = {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}
WAYS = (("article", "float32"), ("project", "float32"), ("torch", "mixed_bfloat16"), ("project", "mixed_bfloat16"))


def training(size: tuple[int, int], turns: int) -> str:
    """Each way against the article's code in float32."""
    speed = _products(4 * turns, size)
    work = gigaflops_of_an_image(*size)
    rows = []
    for activation in ACTIVATIONS:
        plan = [each for each in WAYS if each[0] != "torch" or version_of("torch")]
        contenders = [Contender(way, activation, precision, size) for way, precision in plan]
        race(contenders, turns)
        for each in contenders:
            rate = BATCH / each.median
            row = [activation, NAMES[each.way], each.precision, f"{rate:.2f}", f"{1 / each.times(contenders[0]):.2f}"]
            rows.append([*row, f"{100 * rate * work / speed[each.precision]:.0f} %", f"{each.peak:.2f}"])
    head = ["activation", "way", "precision", "images/s", "times the article's code", "of the machine", "peak, GB"]
    return (
        f"## Training\n\nThe U-Net at {size[0]}×{size[0]}, widths from {size[1]}, batches of {BATCH}: {work:.1f} GFLOP "
        f"a picture. Each way in a process of its own, taking turns, {turns} steps each; medians; 715 pictures. "
        f"Machine: its product of two {PRODUCT_SIDE}×{PRODUCT_SIDE} matrices, {speed['float32']:.0f} GFLOP/s in "
        f"float32, {speed['mixed_bfloat16']:.0f} in bf16. Peak: of the process.\n\n{table(head, rows)}"
    )


def memory(size: tuple[int, int]) -> str:
    """Ten times the pictures."""
    rows = []
    for way in ("article", "project"):
        for pictures in (715, 7150):
            each = Contender(way, "relu", "float32", size, pictures)
            race([each], 3)
            rows.append([NAMES[way], f"{pictures:,}", f"{each.peak - each.mapped:.2f}", f"{each.mapped:.2f}"])
    return (
        "## Memory\n\nOf a process that trains ReLU in float32, GB, after 5 steps. Mapped files (an epoch would map "
        "all of them) can be dropped by the system at any time.\n\n"
        + table(["way", "pictures", "peak without mapped files", "mapped files"], rows)
    )


def activations(size: tuple[int, int], turns: int) -> str:
    """A step with each activation against ReLU's."""
    rows = []
    machines = [(precision, precision, dict[str, str]()) for precision in PRECISIONS]
    if "amx_bf16" in processor_flags():
        machines.append(("mixed_bfloat16, AMX switched off", "mixed_bfloat16", WITHOUT_AMX))
    for name, precision, environment in machines:
        contenders = [Contender("project", each, precision, size, environment=environment) for each in ACTIVATIONS]
        race(contenders, turns)
        relu, *others = contenders
        rows.append([name, f"{relu.median:.3f}", *(f"{each.times(relu):.3f}" for each in others)])
    return (
        "## Activations\n\nWhat an activation costs: this project's step, times ReLU's, taking turns. AMX makes the "
        "convolutions faster and an activation's passes over memory no faster, so there their share grows.\n\n"
        + table(["precision", "ReLU, s a step", "Mish", "FReLU"], rows)
    )


def gigaflops_of_an_image(side: int, width: int) -> float:
    """Of training: the convolutions forward, and twice that backward, but for the gradient of the picture."""
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


def _products(turns: int, size: tuple[int, int]) -> dict[str, float]:
    """The machine's matrix product in GFLOP/s, by precision."""
    contenders = [Contender("product", "none", precision, size) for precision in PRECISIONS]
    race(contenders, turns)
    return {each.precision: 2 * PRODUCT_SIDE**3 / each.median / 1e9 for each in contenders}

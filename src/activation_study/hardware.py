"""What this machine can do, found without TensorFlow, since it decides a run's identity."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

# Instructions that multiply bfloat16, as Linux names them.
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
# The first NVIDIA cards that multiply it: Ampere.
BFLOAT16_CAPABILITY = 8.0


def quick_precision() -> str:
    """`mixed_bfloat16` where the card, or without one the processor, has instructions for it; else `float32`."""
    capabilities = card_capabilities()
    has_it = min(capabilities) >= BFLOAT16_CAPABILITY if capabilities else bool(BFLOAT16_FLAGS & processor_flags())
    return "mixed_bfloat16" if has_it else "float32"


@cache
def card_capabilities() -> tuple[float, ...]:
    """The compute capability of each NVIDIA card, as its driver tells; empty without one."""
    if shutil.which("nvidia-smi") is None:
        return ()
    command = ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
        return tuple(float(line) for line in told.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


@cache
def processor_flags() -> frozenset[str]:
    """The processor's instruction sets; empty where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), ()))

"""What this machine is and can do, found without TensorFlow, since the precision it is quick in decides identities."""

import os
import platform
import resource
import shutil
import subprocess
import sys
from ctypes.util import find_library
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# Instructions that multiply bfloat16, as Linux names them.
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
# The compute capability of the first NVIDIA cards that multiply bfloat16 and TensorFloat-32.
AMPERE = 8.0


def fastest_precision() -> str:
    """`mixed_bfloat16` where the card, or without one the processor, has instructions for it; else `float32`."""
    capabilities = gpu_capabilities()
    has_it = min(capabilities) >= AMPERE if capabilities else bool(BFLOAT16_FLAGS & processor_flags())
    return "mixed_bfloat16" if has_it else "float32"


@cache
def gpu_capabilities() -> tuple[float, ...]:
    """The compute capability of each NVIDIA card that CUDA_VISIBLE_DEVICES leaves, as the driver tells; empty without
    one, or without CUDA's libraries.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if shutil.which("nvidia-smi") is None or visible in ("", "-1") or not _has_cuda():
        return ()
    command = ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]
    if visible is not None:
        command += ["-i", visible]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
        return tuple(float(line) for line in told.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


def _has_cuda() -> bool:
    """Whether a backend would find its libraries: as Python's packages, or the system's."""
    return find_spec("nvidia") is not None or find_library("cudnn") is not None


def available_threads() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor's name."""
    return _told("model name") or platform.processor() or platform.machine()


def processor_flags() -> frozenset[str]:
    """The processor's instruction sets; empty where the system does not tell."""
    return frozenset(_told("flags", "Features").split())  # x86, ARM


@cache
def _told(*names: str) -> str:
    """What Linux tells of the first processor under one of these names; empty where it tells nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(names)), "")


def peak_memory() -> float:
    """Largest resident memory of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)

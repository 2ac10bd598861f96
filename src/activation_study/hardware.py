"""The hardware of this machine, queried without TensorFlow, because run identities depend on `fastest_precision`."""

import os
import platform
import resource
import shutil
import subprocess
import sys
from ctypes.util import find_library
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# Processor flags in Linux for instructions that multiply bfloat16.
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
# Processor flags of vector and matrix instructions, by which libraries choose their kernels: x86, ARM.
INSTRUCTION_SETS = (
    *("sse4*", "ssse3", "avx*", "amx*", "fma*", "f16c"),
    *("asimd*", "sve*", "sme[2befi]*", "i8mm", "bf16", "fphp", "fcma"),  # "sme" and "smep" of x86 protect memory
)
# The lowest compute capability of NVIDIA GPUs that multiply bfloat16 and TensorFloat-32.
AMPERE = 8.0


def fastest_precision() -> str:
    """`mixed_bfloat16` if the GPU, or without one the processor, has instructions for it, otherwise `float32`."""
    capabilities = gpu_capabilities()
    has_bfloat16 = min(capabilities) >= AMPERE if capabilities else bool(BFLOAT16_FLAGS & processor_flags())
    return "mixed_bfloat16" if has_bfloat16 else "float32"


@cache
def gpu_capabilities() -> tuple[float, ...]:
    """The compute capability of each NVIDIA GPU that CUDA_VISIBLE_DEVICES allows, according to the driver.

    Empty without a GPU or without CUDA's libraries.
    """
    try:
        return tuple(map(float, _nvidia_smi("compute_cap")))
    except ValueError:
        return ()


def gpu_names() -> list[str]:
    """The names of these GPUs."""
    return _nvidia_smi("name")


def _nvidia_smi(query: str) -> list[str]:
    """What the driver answers for each GPU."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if shutil.which("nvidia-smi") is None or visible in ("", "-1") or not _has_cuda():
        return []
    command = ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"]
    if visible is not None:
        command += ["-i", visible]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return []


def _has_cuda() -> bool:
    """Whether CUDA's libraries are installed, as Python packages or in the system."""
    return find_spec("nvidia") is not None or find_library("cudnn") is not None


def available_threads() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor's name."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def processor_flags() -> frozenset[str]:
    """The processor's instruction sets; empty if the system does not list them."""
    return frozenset(_cpuinfo("flags", "Features").split())  # x86, ARM


def instruction_sets() -> list[str]:
    """The processor's vector and matrix instructions, sorted; two processors of one name may have different ones."""
    return sorted(flag for flag in processor_flags() if any(fnmatchcase(flag, name) for name in INSTRUCTION_SETS))


@cache
def _cpuinfo(*names: str) -> str:
    """The value that /proc/cpuinfo has for the first processor under one of these names; empty if there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(names)), "")


def peak_memory() -> float:
    """The peak resident memory of this process, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)  # macOS counts bytes, Linux KiB

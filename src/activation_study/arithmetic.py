"""Which environment variables decide the bits of a result, and what Keras' own settings have to be.

TensorFlow, oneDNN, XLA, JAX, PyTorch, NumPy, OpenCV and CUDA choose their kernels by environment variables too: with
`TF_ENABLE_ONEDNN_OPTS=0`, `ONEDNN_MAX_CPU_ISA=AVX2` or other `XLA_FLAGS` the same run ends with other weights. Which
variable has an effect depends on version and processor, so every variable whose name begins like those of one of these
libraries counts, also an unknown one, except those that are listed here.
"""

import os
import shlex
from collections.abc import Mapping
from fnmatch import fnmatchcase

FAMILIES = (
    *("TF_*", "TENSORFLOW_*", "KERAS_*", "JAX_*", "XLA_*", "ONEDNN_*", "DNNL_*", "ZENDNN_*", "EIGEN_*", "ACL_*"),
    *("TORCH_*", "PYTORCH_*", "ATEN_*"),
    *("MKL_*", "OPENBLAS_*", "BLIS_*", "OMP_*", "GOMP_*", "KMP_*", "NPY_*", "OPENCV_*", "GLIBC_TUNABLES"),
    "NPROC",  # by which XLA divides work on the CPU
    *("CUDA_*", "CUDNN_*", "CUBLAS_*", "CUBLASLT_*", "NVIDIA_TF32_OVERRIDE", "ROCM_*", "HIP_*", "MIOPEN_*"),
)
# Variables of these families that do not decide arithmetic.
EXCLUDED = (
    # logs, traces and dumps
    *("TF_CPP_*", "*LOG", "*_LOG_*", "*LOGGING*", "*LOGINFO*", "*LOGDEST*", "*LOGERR*", "*LOGWARN*", "*VERBOS*"),
    *("TORCH_LOGS*", "TORCH_*TRACE"),
    *("*DUMP*", "*DEBUG*", "*PROFIL*", "*TRACEBACK*", "KMP_WARNINGS", "KMP_SETTINGS", "*DISPLAY_ENV"),
    # where files and libraries are
    *("*CACHE*", "*_DIR", "*_PATH", "*_HOME", "*_ROOT", "*_FILE", "*_VERSION", "OPENCV_IO_*", "JAX_COMPILATION_*"),
    "*_FILENAME",
    # the device and the number of threads, which are recorded themselves, and where threads run
    *("*VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "JAX_PLATFORMS", "JAX_PLATFORM_NAME", "KERAS_BACKEND"),
    *("*_THREADS", "*_THREADS_NUM", "*THREAD_LIMIT", "TF_GPU_THREAD_*", "OMP_DYNAMIC", "OMP_PROC_BIND", "OMP_PLACES"),
    *("*AFFINITY*", "*BLOCKTIME", "*WAIT_POLICY", "*STACKSIZE", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"),
    # how videos are read and written
    *("OPENCV_FFMPEG_*", "OPENCV_VIDEOIO_*"),
    # how memory is reserved, and when the host waits
    *("*ALLOW_GROWTH", "*ALLOCATOR*", "*PREALLOC*", "*MEM_FRACTION", "*UNIFIED_MEMORY", "CUDA_LAUNCH_BLOCKING"),
    "*ALLOC_CONF",
    *("CUDA_MODULE_LOADING", "CUDA_MPS_*", "TF_CONFIG", "TF_USE_LEGACY_KERAS", "JAX_COORDINATOR_*"),
    # Terraform's, which begin alike
    *("TF_VAR_*", "TF_CLI_*", "TF_DATA_DIR", "TF_WORKSPACE", "TF_INPUT", "TF_IN_AUTOMATION", "TF_CLOUD_*", "TF_HTTP_*"),
    *("TF_REGISTRY_*", "TF_REATTACH_*", "TF_STATE_*", "TF_IGNORE", "TF_APPEND_USER_AGENT"),
)
# Values of variables whose names contain one of these may be secrets, which must not get into a record.
SECRET = ("KEY", "TOKEN", "SECRET", "PASSW", "CREDENTIAL", "AUTH")
# Flags within a variable that do not decide arithmetic, or that `backend` adds itself.
FLAG_VARIABLES = ("XLA_FLAGS", "TF_XLA_FLAGS")
DETERMINISTIC_FLAG = "--xla_gpu_deterministic_ops=true"
EXCLUDED_FLAGS = ("--xla_dump_*", "--tf_xla_clustering_debug*", DETERMINISTIC_FLAG)
# Keras' settings, for which ~/.keras/keras.json may have other defaults.
KERAS_SETTINGS: Mapping[str, str | float] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
}


def decides_arithmetic(name: str) -> bool:
    """Whether an environment variable of this name may decide bits, and cannot hold a secret."""
    if any(part in name.upper() for part in SECRET):
        return False
    return _matches(name, FAMILIES) and not _matches(name, EXCLUDED)


def arithmetic_variables(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment variables that may decide bits, by name, without flags that do not; empty ones count as not set.

    Args:
        environ: names and values; None: those of this process.
    """
    values = {
        name: _without_excluded_flags(name, value)
        for name, value in sorted((os.environ if environ is None else environ).items())
        if decides_arithmetic(name)
    }
    return {name: value for name, value in values.items() if value}


def _without_excluded_flags(name: str, value: str) -> str:
    if name not in FLAG_VARIABLES:
        return value
    return " ".join(flag for flag in value.split() if not _matches(flag, EXCLUDED_FLAGS))


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def restore_commands(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The shell commands that turn the variables of `now` into those of `then`."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in then.items() if now.get(name) != value]
    return [*exports, *(f"unset {name}" for name in now if name not in then)]

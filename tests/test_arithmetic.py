"""Which environment variables count as deciding arithmetic, and which may be recorded."""

import pytest

from activation_study import backend
from activation_study.arithmetic import arithmetic_variables, decides_arithmetic, restore_commands
from activation_study.errors import BadInput


@pytest.mark.parametrize(
    "name",
    [
        *("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "XLA_FLAGS", "TF_XLA_FLAGS"),
        *("NVIDIA_TF32_OVERRIDE", "TF_CUDNN_USE_AUTOTUNE", "TF_CUDNN_WORKSPACE_LIMIT_IN_MB", "JAX_ENABLE_X64"),
        *("NPY_DISABLE_CPU_FEATURES", "OPENCV_CPU_DISABLE", "GLIBC_TUNABLES", "OPENBLAS_CORETYPE", "MKL_CBWR"),
        *("TF_A_VARIABLE_OF_NEXT_YEAR", "KERAS_NNX_ENABLED", "JAX_DEFAULT_MATMUL_PRECISION"),
        "NPROC",  # divides the work of XLA on the CPU, with other bits
        *("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "ATEN_CPU_CAPABILITY", "CUBLAS_WORKSPACE_CONFIG"),
    ],
)
def test_a_variable_of_a_numeric_library_counts_also_an_unknown_one(name: str) -> None:
    assert decides_arithmetic(name)


@pytest.mark.parametrize(
    "name",
    [
        *("TF_CPP_MIN_LOG_LEVEL", "ONEDNN_VERBOSE", "CUDNN_LOGINFO_DBG", "JAX_LOG_COMPILES", "JAX_TRACEBACK_FILTERING"),
        *("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS", "KERAS_BACKEND", "KERAS_HOME", "CUDA_CACHE_PATH", "CUDA_VERSION"),
        *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "KMP_AFFINITY", "KMP_INIT_AT_FORK"),
        *(
            "TF_FORCE_GPU_ALLOW_GROWTH",
            "XLA_PYTHON_CLIENT_PREALLOCATE",
            "TF_GPU_ALLOCATOR",
            "JAX_COMPILATION_CACHE_DIR",
        ),
        *("OPENCV_FFMPEG_CAPTURE_OPTIONS", "OPENCV_FFMPEG_LOGLEVEL", "OPENCV_VIDEOIO_PRIORITY_LIST"),
        *("TORCH_LOGS", "TORCH_TRACE", "TORCH_DTRACE", "TORCH_HOME"),
        *("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_TUNABLEOP_FILENAME"),
        *("TF_CLI_CONFIG_FILE", "TF_VAR_db", "PATH", "HOME", "MLFLOW_TRACKING_URI", "XTF_FLAG"),
    ],
)
def test_logs_devices_threads_caches_and_memory_do_not_count(name: str) -> None:
    assert not decides_arithmetic(name)


@pytest.mark.parametrize(
    "name",
    ["TF_TOKEN_app_terraform_io", "TF_VAR_password", "TF_API_KEY", "JAX_SECRET", "XLA_credentials", "TF_HTTP_AUTH"],
)
def test_what_may_be_a_secret_is_never_recorded(name: str) -> None:
    assert arithmetic_variables({name: "hunter2"}) == {}


def test_flags_without_effect_and_the_one_that_this_program_adds_are_left_out() -> None:
    flags = "--xla_cpu_enable_fast_math=true --xla_dump_to=/tmp/x --xla_gpu_deterministic_ops=true"
    assert arithmetic_variables({"XLA_FLAGS": flags}) == {"XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}
    assert arithmetic_variables({"XLA_FLAGS": "--xla_gpu_deterministic_ops=true", "TF_ENABLE_ONEDNN_OPTS": ""}) == {}


def test_variables_are_sorted_by_name() -> None:
    assert list(arithmetic_variables({"XLA_FLAGS": "--a", "PATH": "/bin", "MKL_CBWR": "AVX2"})) == [
        "MKL_CBWR",
        "XLA_FLAGS",
    ]


def test_commands_restore_the_recorded_variables() -> None:
    then, now = {"A": "1", "B": "x y", "D": "4"}, {"A": "2", "C": "3", "D": "4"}
    assert restore_commands(then, now) == ["export A=1", "export B='x y'", "unset C"]
    assert restore_commands(then, then) == []


def test_a_variable_that_is_changed_after_the_first_run_of_a_process_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend._variables_at_start.cache_clear()
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    backend._reject_changed_variables()
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    backend._reject_changed_variables()
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    with pytest.raises(BadInput, match="ONEDNN_MAX_CPU_ISA, TF_ENABLE_ONEDNN_OPTS: changed after the first run"):
        backend._reject_changed_variables()
    backend._variables_at_start.cache_clear()

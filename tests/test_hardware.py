"""The fastest precision, according to the GPU driver or the processor's instructions."""

import subprocess
from collections.abc import Iterator

import pytest

from activation_study import hardware


@pytest.fixture(autouse=True)
def _clear_caches() -> Iterator[None]:
    hardware.gpu_capabilities.cache_clear()
    hardware._cpuinfo.cache_clear()
    yield
    hardware.gpu_capabilities.cache_clear()
    hardware._cpuinfo.cache_clear()


@pytest.mark.parametrize(
    ("capabilities", "flags", "expected"),
    [
        ((), {"avx512f"}, "float32"),
        ((), {"avx512f", "avx512_bf16"}, "mixed_bfloat16"),
        ((), {"amx_bf16"}, "mixed_bfloat16"),
        ((9.0,), {"avx2"}, "mixed_bfloat16"),
        ((7.0,), {"avx512_bf16"}, "float32"),  # the GPU is used, and lacks bfloat16
        ((8.0, 7.5), {"avx2"}, "float32"),
    ],
)
def test_the_precision_depends_on_the_gpu_and_without_one_on_the_processor(
    capabilities: tuple[float, ...], flags: set[str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "gpu_capabilities", lambda: capabilities)
    monkeypatch.setattr(hardware, "processor_flags", lambda: frozenset(flags))
    assert hardware.fastest_precision() == expected


@pytest.mark.parametrize(
    ("script", "expected"), [("echo 9.0; echo 8.6", (9.0, 8.6)), ("echo no devices; exit 6", ()), ("echo garbage", ())]
)
def test_capabilities_come_from_the_driver(script: str, expected: tuple[float, ...], tmp_path, monkeypatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(hardware, "_has_cuda", lambda: True)
    assert hardware.gpu_capabilities() == expected


@pytest.mark.parametrize(("visible", "expected"), [("1", (7.0,)), ("0,1", (9.0,)), ("", ()), ("-1", ())])
def test_only_visible_gpus_count(visible: str, expected: tuple[float, ...], tmp_path, monkeypatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\ncase "$*" in *"-i 1") echo 7.0;; *) echo 9.0;; esac\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(hardware, "_has_cuda", lambda: True)
    assert hardware.gpu_capabilities() == expected


def test_names_come_from_the_driver(tmp_path, monkeypatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\ncase "$1" in *=name) echo "NVIDIA H100"; echo "NVIDIA A100";; esac\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(hardware, "_has_cuda", lambda: True)
    assert hardware.gpu_names() == ["NVIDIA H100", "NVIDIA A100"]


def test_a_gpu_without_cuda_libraries_does_not_count(tmp_path, monkeypatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 9.0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(hardware, "_has_cuda", lambda: False)
    assert hardware.gpu_capabilities() == ()


def test_without_a_driver_there_is_no_gpu(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert hardware.gpu_capabilities() == ()


def test_the_processor_flags_are_those_of_lscpu() -> None:
    output = subprocess.run(["lscpu"], capture_output=True, text=True).stdout
    flags = next((line.split(":")[1].split() for line in output.splitlines() if line.startswith("Flags")), [])
    assert hardware.processor_flags() == frozenset(flags)


def test_flags_that_protect_memory_are_no_instruction_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = {"smep", "sme", "smap", "svm", "avx2", "sse4a", "sve2", "sme2p1", "smef16f32", "smeb16f32", "smei8i32"}
    monkeypatch.setattr(hardware, "processor_flags", lambda: frozenset(flags))
    assert hardware.instruction_sets() == sorted(flags - {"smep", "sme", "smap", "svm"})

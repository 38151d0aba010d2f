"""torch as it was built and as it is set: kernels, threads, precision, determinism, and the GPUs that are in use.

Asked of `torch._C`, whose getters neither import parts of torch nor start a device. GPUs are asked only once the program
has started CUDA: until then none computes, and asking would keep child processes from using them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any, Final

from ..._lazy import loaded
from .facts import Fact, ask

__all__ = ["torch_facts"]

_BUILD: Final = {
    "MKL": re.compile(r"Math Kernel Library Version (\S+)"),
    "oneDNN": re.compile(r"MKL-DNN v(\S+)"),
    "OpenMP": re.compile(r"OpenMP (\d+)"),
    "LAPACK": re.compile(r"LAPACK_INFO=(\w+)"),
    "compiler": re.compile(r"- ((?:GCC|clang|MSVC) \S+)"),
}
_SWITCHES: Final = {
    "deterministic algorithms": "_get_deterministic_algorithms",
    "cuDNN deterministic": "_get_cudnn_deterministic",
    "cuDNN benchmark": "_get_cudnn_benchmark",
    "oneDNN deterministic": "_get_mkldnn_deterministic",
    "oneDNN": "_get_mkldnn_enabled",
    "cuDNN": "_get_cudnn_enabled",
}
_PRECISIONS: Final = (("cuda", "matmul"), ("cuda", "conv"), ("cuda", "rnn"), ("mkldnn", "matmul"), ("mkldnn", "conv"))
_TF32: Final = {"matmul": "_get_cublas_allow_tf32", "cuDNN": "_get_cudnn_allow_tf32"}


def torch_facts() -> Iterator[Fact]:
    """Yield what torch tells, if the program has imported it completely."""
    return (replace(fact, package="torch") for fact in _facts())


def _facts() -> Iterator[Fact]:
    torch = loaded("torch")
    if torch is None or not hasattr(torch, "default_generator") or not hasattr(torch, "__config__"):
        return
    yield Fact("torch build", ask(lambda: _build(torch)))
    yield Fact("torch CPU kernels", ask(lambda: str(torch.backends.cpu.get_cpu_capability())))
    yield Fact("torch threads", ask(lambda: _threads(torch)))
    yield Fact("torch switches", ask(lambda: _switches(torch)))
    yield Fact("torch float32 precision", ask(lambda: _precision(torch)))
    yield Fact("torch defaults", ask(lambda: _defaults(torch)))
    yield from _gpu_facts(torch)


@cache
def _build(torch: ModuleType) -> str:
    words = torch.__config__.show()
    found = {name: pattern.search(words) for name, pattern in _BUILD.items()}
    return ", ".join(f"{name} {match[1]}" for name, match in found.items() if match)


def _threads(torch: ModuleType) -> str:
    return f"{torch.get_num_threads()} inside an operation, {torch.get_num_interop_threads()} between operations"


def _switches(torch: ModuleType) -> str:
    """Return each switch with `on` or `off`; those that this version of torch lacks are left out."""
    states = {words: getattr(torch._C, getter, None) for words, getter in _SWITCHES.items()}
    return ", ".join(f"{words} {'on' if getter() else 'off'}" for words, getter in states.items() if getter)


def _precision(torch: ModuleType) -> str:
    """Whether float32 products may be made with fewer bits (TF32, bfloat16); the older getters fail for mixed settings."""
    newer: Any = getattr(torch._C, "_get_fp32_precision_getter", None)
    if newer is not None:
        return ", ".join(f"{backend} {operation} {newer(backend, operation)}" for backend, operation in _PRECISIONS)
    allowed = [f"{name} TF32 {'on' if getattr(torch._C, getter)() else 'off'}" for name, getter in _TF32.items()]
    return ", ".join([f"matmul {torch.get_float32_matmul_precision()}", *allowed])


def _defaults(torch: ModuleType) -> str:
    chosen = loaded("torch.utils._device") is not None and hasattr(torch, "get_default_device")
    device = torch.get_default_device() if chosen else "cpu"  # nobody chose one before that module is loaded
    return f"{str(torch.get_default_dtype()).removeprefix('torch.')} on {device}"


def _gpu_facts(torch: ModuleType) -> Iterator[Fact]:
    if not (torch.version.cuda or torch.version.hip) or not torch.cuda.is_initialized():
        return
    yield Fact("CUDA", ask(lambda: _cuda(torch)))
    for number in range(torch.cuda.device_count()):
        yield Fact(f"GPU {number}", ask(lambda number=number: _gpu(torch, number)))  # type: ignore[misc]  # a default binds it


def _cuda(torch: ModuleType) -> str:
    runtime = f"CUDA {torch.version.cuda}" if torch.version.cuda else f"ROCm {torch.version.hip}"
    return f"{runtime}, cuDNN {torch.backends.cudnn.version()}"


def _gpu(torch: ModuleType, number: int) -> str:
    facts = torch.cuda.get_device_properties(number)
    return f"{facts.name}, capability {facts.major}.{facts.minor}, {facts.multi_processor_count} multiprocessors"

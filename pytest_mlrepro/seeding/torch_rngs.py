"""torch's generators and switches for determinism: saved, seeded and put back without importing any part of torch."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import lru_cache, partial
from types import ModuleType
from typing import Any

from .rngs import Restore

__all__ = ["complete_torch", "deterministic_hint", "make_deterministic", "save_torch", "seed_torch", "warm_up"]

_MASK = 2**64 - 1
_VECTOR_MATH = (
    *("sqrt", "rsqrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
    *("asin", "acos", "atan", "erf", "erfc", "erfinv", "sigmoid"),
)


def complete_torch() -> ModuleType | None:
    """Return torch if the program has imported it completely, else None."""
    torch = sys.modules.get("torch")
    # A thread may still be importing it: the last thing that we use must be there already.
    return torch if hasattr(torch, "default_generator") and hasattr(torch, "use_deterministic_algorithms") else None


@lru_cache(maxsize=1)
def _backends(torch: ModuleType) -> tuple[ModuleType, ...]:
    """Return the accelerators that this build of torch could start: in a CPU build none, and nothing to ask."""
    compiled = {"cuda": bool(torch.version.cuda or torch.version.hip), "xpu": hasattr(torch._C, "_xpu_init")}
    return tuple(getattr(torch, name) for name, there in compiled.items() if there and hasattr(torch, name))


@lru_cache(maxsize=1)
def _has_mps(torch: ModuleType) -> bool:
    return bool(getattr(torch._C, "_mps_is_available", bool)())


def _has_devices(torch: ModuleType) -> bool:
    """Tell whether this build could ever have another generator than the CPU's."""
    return bool(_backends(torch)) or _has_mps(torch)


def _devices(torch: ModuleType) -> list[Any]:
    """Return the generators of accelerators that are in use; never initialises one."""
    found: list[Any] = []
    for backend in _backends(torch):
        if backend.is_initialized():  # False in a forked child, where CUDA can't be used
            found += backend.default_generators
    if _has_mps(torch):
        found.append(torch.mps._get_default_mps_generator())
    return found


def save_torch(torch: ModuleType) -> Restore:
    """Return what puts the CPU's generator and those of initialised accelerators back.

    A device that is initialised only later had no state to save: it gets fresh entropy, as if it started then.
    """
    if not _has_devices(torch):
        return partial(torch.default_generator.set_state, torch.default_generator.get_state())
    states = [(generator, generator.get_state()) for generator in (torch.default_generator, *_devices(torch))]

    def restore() -> None:
        for generator, state in states:
            generator.set_state(state)
        known = [generator for generator, _ in states]
        for generator in _devices(torch):
            if not any(generator is other for other in known):
                generator.seed()

    return restore


def seed_torch(torch: ModuleType, seed: int) -> None:
    """Seed as `torch.manual_seed(seed)` does, 200 times faster: that one formats a stack trace for idle devices."""
    torch.default_generator.manual_seed(seed & _MASK)
    if not _has_devices(torch):
        return
    for generator in _devices(torch):
        generator.manual_seed(seed & _MASK)


def when_initialised(torch: ModuleType, callback: Callable[[ModuleType], object]) -> None:
    """Have `callback(torch.cuda)` run when CUDA or XPU starts, if ever: their generators don't exist before."""
    for backend in _backends(torch):
        if not backend.is_initialized():
            backend._lazy_call(partial(callback, backend))


def warm_up(torch: ModuleType) -> None:
    """Call each vectorised math kernel once, serially: the first call of MKL's has a race between threads.

    https://github.com/pytorch/pytorch/issues/188792: one in some hundred processes gets other bits in its first `sqrt`.
    One element is never split among threads, so the thread count need not be touched.
    """
    with torch.no_grad():
        for dtype in (torch.float32, torch.float64):
            one = torch.full((1,), 0.5, dtype=dtype, device="cpu")
            for name in _VECTOR_MATH:
                getattr(torch, name)(one)


def make_deterministic(torch: ModuleType) -> Restore:
    """Switch torch's deterministic algorithms on and cuDNN's autotuner off; return what puts the switches back.

    `torch.use_deterministic_algorithms` would import torch._inductor (a second, the first time): its setting is
    changed only if it is loaded.
    """
    core = torch._C
    mode, warn_only = core._get_deterministic_algorithms(), core._get_deterministic_algorithms_warn_only()
    fill, benchmark = core._get_deterministic_fill_uninitialized_memory(), core._get_cudnn_benchmark()
    inductor: Any = sys.modules.get("torch._inductor.config")
    compiled = getattr(inductor, "deterministic", None)
    _switch(core, True, False, True, False)
    if compiled is not None:
        inductor.deterministic = True

    def restore() -> None:
        _switch(core, mode, warn_only, fill, benchmark)
        if compiled is not None:
            inductor.deterministic = compiled

    return restore


def _switch(core: Any, mode: bool, warn_only: bool, fill: bool, benchmark: bool) -> None:
    core._set_deterministic_algorithms(mode, warn_only=warn_only)
    core._set_deterministic_fill_uninitialized_memory(fill)
    core._set_cudnn_benchmark(benchmark)


_NO_FORM = re.compile(r"^(?P<name>.+?) does not have a deterministic implementation", re.MULTILINE)
_CUBLAS = re.compile(r"Deterministic behavior was enabled .* CuBLAS", re.DOTALL)


def deterministic_hint(error: BaseException) -> str | None:
    """Return which operation has no deterministic form and what to do instead, or None for any other error.

    Causes and contexts are looked through too, as libraries wrap torch's error.
    """
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, RuntimeError):
            text = str(current)
            if found := _NO_FORM.search(text):
                return _advice(f"the operation {found['name']} has no deterministic form in torch")
            if _CUBLAS.search(text):
                return _advice(
                    "cuBLAS was started before CUBLAS_WORKSPACE_CONFIG was set (set it to :4096:8 before the run)"
                )
        current = current.__cause__ or current.__context__
    return None


def _advice(fact: str) -> str:
    return f"{fact}: use another operation, or let this test differ: @pytest.mark.repro(deterministic=False)"

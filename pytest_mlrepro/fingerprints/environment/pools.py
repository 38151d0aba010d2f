"""numpy's kernels, and the BLAS and OpenMP libraries that are loaded, with their threads: sums depend on all of them."""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, Final

from ..._lazy import loaded
from .facts import UNKNOWN, Fact, ask
from .required import normal

__all__ = ["pool_controller", "pool_facts"]

_DISPATCH: Final = {
    **{"FMA3": "fma", "AVX2": "avx2", "AVX512F": "avx512f", "AVX512_SKX": "avx512_skx", "AVX512_ICL": "avx512_icl"},
    **{"AVX512_SPR": "avx512_spr", "NEON": "neon", "ASIMD": "asimd", "ASIMDHP": "asimdhp", "SVE": "sve"},
    **{
        "VSX2": "vsx2",
        "VSX3": "vsx3",
        "VSX4": "vsx4",
        "VX": "vx",
        "VXE": "vxe",
        "VXE2": "vxe2",
        "LSX": "lsx",
        "RVV": "rvv",
    },
}
"""Those of numpy's names that stand for other arithmetic and mean the same in numpy 1.26 and later."""
_LIBRARIES: Final = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS", "flexiblas": "FlexiBLAS"}
_OWNER: Final = re.compile(r".*[/\\](?:site|dist)-packages[/\\](?P<owner>[A-Za-z0-9_]+)[^/\\]*[/\\].*")


def pool_facts() -> Iterator[Fact]:
    """Yield what numpy and threadpoolctl tell; nothing if neither numpy nor torch is loaded."""
    numpy = loaded("numpy")
    if hasattr(numpy, "show_config"):  # not while it is being imported
        yield Fact("numpy CPU dispatch", ask(_dispatch), package="numpy")
    if numpy is None and loaded("torch") is None:
        return
    pools = _pools()
    if pools is not None:
        yield from _pool_texts(pools)
    elif hasattr(numpy, "show_config"):
        yield Fact("BLAS of numpy, as built", ask(_built_in), package="numpy")


@cache
def _dispatch() -> str:
    """The processor features that numpy uses: those that it was built for, that are there and not switched off."""
    core = loaded("numpy._core._multiarray_umath") or loaded("numpy.core._multiarray_umath")
    there: dict[str, bool] = core.__cpu_features__ if core else {}
    return " ".join(short for name, short in _DISPATCH.items() if there.get(name)) or "baseline"


def _pools() -> list[dict[str, Any]] | None:
    """Return the pools of threads, or None without threadpoolctl, which is small and comes with scikit-learn."""
    try:
        pools: list[dict[str, Any]] = pool_controller().info()
    except Exception:  # noqa: BLE001  # it may be missing, old, or stumble over a library that it doesn't know
        return None
    return pools


def pool_controller() -> Any:
    """Return threadpoolctl's view of the libraries that are loaded by now; ImportError without threadpoolctl."""
    return _controller(len(sys.modules))


@lru_cache(maxsize=1)
def _controller(modules: int) -> Any:
    """Return what knows the loaded libraries; finding them takes longer than to ask them, so only after new imports."""
    library: Any = importlib.import_module("threadpoolctl")
    with warnings.catch_warnings():  # about clashing OpenMP libraries: not ours to tell
        warnings.simplefilter("ignore")
        return library.ThreadpoolController()


def _pool_texts(pools: list[dict[str, Any]]) -> Iterator[Fact]:
    seen: Counter[str] = Counter()
    for pool in sorted(pools, key=lambda pool: str(pool.get("filepath"))):
        kind = "OpenMP" if pool.get("user_api") == "openmp" else "BLAS"
        owner = _owner(str(pool.get("filepath")))
        name = f"{kind} of {owner or 'the system'}"
        seen[name] += 1
        package = None if owner is None else normal(owner)
        yield Fact(name if seen[name] == 1 else f"{name}, {seen[name]}", _pool_text(pool), package=package)


def _owner(path: str) -> str | None:
    """Return the package whose copy of the library this is: wheels bring their own, and each has threads of its own."""
    found = _OWNER.fullmatch(path)
    return found["owner"] if found else None


def _pool_text(pool: dict[str, Any]) -> str:
    library = str(pool.get("internal_api"))
    name = _LIBRARIES.get(library) or str(pool.get("prefix") or library)
    parts = [f"{name} {pool['version']}" if pool.get("version") else name]
    if pool.get("architecture"):
        parts.append(f"{pool['architecture']} kernels")
    if pool.get("threading_layer"):
        parts.append(str(pool["threading_layer"]))
    threads = pool.get("num_threads", UNKNOWN)
    return ", ".join([*parts, f"{threads} thread{'' if threads == 1 else 's'}"])


@cache
def _built_in() -> str:
    """What numpy was built with: neither the kernels that the library chose nor its threads are known."""
    numpy: Any = loaded("numpy")
    needs = numpy.show_config(mode="dicts")["Build Dependencies"]
    return ", ".join(f"{kind} {needs[kind]['name']} {needs[kind]['version']}" for kind in ("blas", "lapack"))

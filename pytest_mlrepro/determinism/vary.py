"""What can be varied between two runs of the same code, and what each variation proves if the runs part.

Some variations are a `with` block in this process; the others are read when a process starts, so they need a child.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, get_args

from .._lazy import loaded
from ..errors import UsageError
from ..fingerprints.environment.pools import pool_controller

__all__ = ["NAMES", "VARIATIONS", "Name", "Variation", "child_environment", "hashes_at_random", "valid", "varied"]

Name: TypeAlias = Literal["threads", "folders", "order", "process", "hashseed", "malloc", "isa"]
NAMES: Final[tuple[str, ...]] = get_args(Name)
"""Cheapest first: the order in which they are tried."""
PERTURB: Final = "128"
"""glibc fills memory that is handed out with the complement of this byte, 0x7f: 1.4e306 as float64, 3.4e38 as float32."""


@dataclass(frozen=True, slots=True)
class Variation:
    """One way to run the same code differently."""

    name: Name
    words: str
    """How the run differs from a plain one, as a failure says it after "a run"."""
    cause: str
    """What the code depends on if only this variation makes it part."""
    exact: bool
    """Whether the runs must agree to the last bit; otherwise the default tolerance of the dtype is allowed."""
    fails: bool = True
    """Whether parting is a failure; otherwise only the spread is reported."""
    child: bool = False
    """Whether it needs a process of its own."""
    environment: Mapping[str, str] = field(default_factory=dict)


VARIATIONS: Final[Mapping[str, Variation]] = MappingProxyType(
    {
        one.name: one
        for one in (
            Variation("threads", "under another number of threads", "the number of threads", exact=False),
            Variation(
                "folders",
                "with the files of folders in another order",
                "the order in which the file system lists files: sort them",
                exact=True,
            ),
            Variation(
                "order", "with the tests in another order", "what other tests left behind", exact=True, child=True
            ),
            Variation("process", "in a fresh process", "state that this process had gathered", exact=True, child=True),
            Variation(
                "hashseed",
                "under another hash seed",
                "the order of sets of strings or the values of hash(): sort them, or use a stable digest",
                exact=True,
                child=True,
            ),
            Variation(
                "malloc",
                "in memory that was filled with a pattern",
                "memory that was never written to (torch.empty, numpy.empty)",
                exact=True,
                child=True,
                environment=MappingProxyType({"MALLOC_PERTURB_": PERTURB}),
            ),
            Variation(
                "isa",
                "under an older instruction set",
                "the processor: other machines will show this spread",
                exact=False,
                fails=False,
                child=True,
                environment=MappingProxyType(
                    {
                        "ATEN_CPU_CAPABILITY": "avx2",
                        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
                        "ONEDNN_MAX_CPU_ISA": "AVX2",
                        "OPENBLAS_CORETYPE": "Haswell",
                        "NPY_DISABLE_CPU_FEATURES": "?",
                    }
                ),
            ),
        )
    }
)


def valid(vary: object, where: str) -> tuple[Variation, ...]:
    """Return the variations of these names, one or several, cheapest first and each once; UsageError for an unknown one."""
    names = (vary,) if isinstance(vary, str) else vary
    if not isinstance(names, Collection):
        raise UsageError(f"{where}: vary must be a name or several of {', '.join(NAMES)}, got {vary!r}")
    for name in names:
        if name not in NAMES:
            raise UsageError(f"{where}: vary has no {name!r}: {_hint(name)}")
    return tuple(VARIATIONS[name] for name in NAMES if name in names)


def _hint(name: object) -> str:
    import difflib  # only a mistake needs it

    near = difflib.get_close_matches(str(name), NAMES, n=1, cutoff=0.4)
    return f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(NAMES)}"


def varied(name: Name) -> AbstractContextManager[None]:
    """Return the block in which this process runs varied; one that changes nothing for what needs a child."""
    return {"threads": other_threads, "folders": other_folders}.get(name, nullcontext)()


@contextmanager
def other_threads() -> Iterator[None]:
    """Run torch, BLAS and OpenMP on one thread if they have more, and on two if they have one."""
    torch = loaded("torch")
    before = torch.get_num_threads() if torch is not None else 0
    with _pools(_other):
        if torch is not None:
            torch.set_num_threads(_other(before))
        try:
            yield
        finally:
            if torch is not None:
                torch.set_num_threads(before)


def _other(threads: int) -> int:
    return 1 if threads > 1 else 2


@contextmanager
def _pools(change: Callable[[int], int]) -> Iterator[None]:
    """Change the threads of each BLAS and OpenMP library; without threadpoolctl, which comes with scikit-learn, of none."""
    try:
        pools = pool_controller().lib_controllers
    except ImportError:
        yield
        return
    before = [pool.num_threads for pool in pools]
    _set(pools, map(change, before))
    try:
        yield
    finally:
        _set(pools, before)


def _set(pools: Iterable[Any], threads: Iterable[int]) -> None:
    for pool, number in zip(pools, threads, strict=True):
        pool.set_num_threads(number)


@contextmanager
def other_folders() -> Iterator[None]:
    """Have `os.listdir` and `os.scandir`, and so `glob`, `pathlib` and `os.walk`, give the entries of folders in reverse."""
    listdir, scandir = os.listdir, os.scandir

    def reversed_names(path: Any = ".") -> list[Any]:
        return listdir(path)[::-1]

    def reversed_entries(path: Any = ".") -> Any:
        return _Entries(scandir(path))

    kept = [one for one in vars(glob).values() if _keeps(one, scandir)]
    os.listdir, os.scandir = reversed_names, reversed_entries
    for one in kept:
        one.scandir = staticmethod(reversed_entries)
    try:
        yield
    finally:
        os.listdir, os.scandir = listdir, scandir
        for one in kept:
            one.scandir = staticmethod(scandir)


def _keeps(thing: Any, scandir: object) -> bool:
    """Tell whether this is a class that holds `os.scandir` itself, as Python 3.13 has one for `Path.glob`."""
    return isinstance(thing, type) and getattr(vars(thing).get("scandir"), "__func__", None) is scandir


class _Entries:
    """What `os.scandir` gives, backwards."""

    def __init__(self, entries: Any) -> None:
        with entries:
            self._entries = iter(list(entries)[::-1])

    def __iter__(self) -> Iterator[os.DirEntry[Any]]:
        return self._entries

    def __next__(self) -> os.DirEntry[Any]:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give nothing more."""
        self._entries = iter(())


def child_environment(variations: Iterable[Variation]) -> dict[str, str]:
    """Return the variables with which a child must start so that it runs under these variations.

    The hash seed of a child is always set: that of this process, where it has a fixed one. So children without "hashseed"
    agree among themselves, and only one with it has another.
    """
    found = {"PYTHONHASHSEED": _hash_seeds()[0]}
    for variation in variations:
        found.update(variation.environment)
        if variation.name == "hashseed":
            found["PYTHONHASHSEED"] = _hash_seeds()[1]
    if "NPY_DISABLE_CPU_FEATURES" in found:
        found["NPY_DISABLE_CPU_FEATURES"] = " ".join(_beyond_avx2())
    return {name: value for name, value in found.items() if value}


def hashes_at_random() -> bool:
    """Tell whether strings hash in this process as in no other, so that no child can hash as it does."""
    return bool(sys.flags.hash_randomization) and not os.environ.get("PYTHONHASHSEED", "").isdigit()


def _hash_seeds() -> tuple[str, str]:
    """Return the hash seed of plain children, and another."""
    own = os.environ.get("PYTHONHASHSEED", "")
    plain = own if own.isdigit() else "1"
    return plain, "1" if plain == "2" else "2"


def _beyond_avx2() -> list[str]:
    """Return numpy's names for the features beyond AVX2 that it uses here; a name that it doesn't know would be ignored."""
    core: Any = loaded("numpy._core._multiarray_umath") or loaded("numpy.core._multiarray_umath")
    dispatched = getattr(core, "__cpu_dispatch__", ())
    return [name for name in dispatched if name.startswith(("AVX512", "X86_V4")) and core.__cpu_features__.get(name)]

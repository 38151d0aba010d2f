"""Who asks for entropy: decides whether a draw is the test's business, and names the line of user code behind it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from types import FrameType

__all__ = ["Caller", "caller_of"]

_PACKAGE = __package__ or "pytest_mlrepro.seeding"
_STDLIB = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120  # runs before any path library is needed
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120

_TRANSPARENT = frozenset({"random", "secrets", "uuid"})
"""Modules that hand entropy on: whoever called them is the caller."""

_REAL_ROOTS = frozenset(
    (
        *("tempfile", "multiprocessing", "ssl", "email", "http", "urllib", "mailbox"),
        *("_pytest", "pluggy", "xdist", "execnet", "pytest_randomly", "coverage", "pytest_mlrepro"),
        *("joblib", "loky", "distributed", "dask", "fsspec", "filelock", "urllib3", "requests", "aiohttp"),
        *("IPython", "ipykernel", "jupyter_client", "zmq", "triton"),
    )
)
_REAL_PREFIXES = (
    *("hypothesis.core", "hypothesis.internal", "hypothesis.database"),
    *("torch.multiprocessing", "torch.distributed", "torch._inductor"),
)
"""Infrastructure that draws names, keys and tokens which must differ between runs; seeding them makes temporary files
and messages collide. Modules that merely *call* user functions (executors, event loops, `hypothesis.strategies`) are
not here: `executor.submit(os.urandom, 8)` is the test's own draw."""

_DISPATCHERS = frozenset({"multiprocessing.pool", "multiprocessing.process"})


@dataclass(frozen=True, slots=True)
class Caller:
    """The function that drew, and the line of user code that led to it (None when only libraries are on the stack)."""

    via: str
    """The last transparent module passed, or ""."""
    key: str
    """Module (last component) and qualified name: stable under edits elsewhere, other folders and other machines."""
    file: str | None
    line: int


def caller_of(frame: FrameType | None) -> Caller | None:
    """Return who draws, or None if it is infrastructure that keeps real entropy.

    Line numbers are no part of `key`, so that a comment added to a file does not change what its tests draw.
    """
    via = ""
    while frame is not None:
        name = _module(frame)
        if name in _TRANSPARENT:
            via = name
        elif not name.startswith(_PACKAGE):
            break
        frame = frame.f_back
    if frame is None:
        return Caller(via, "", None, 0)
    if _keeps_real_entropy(name):
        return None
    file, line = _user_line(frame)
    return Caller(via, f"{_short(name)}:{frame.f_code.co_qualname}", file, line)


def _module(frame: FrameType) -> str:
    name = frame.f_globals.get("__name__")
    return name if isinstance(name, str) else ""


@lru_cache(maxsize=1024)
def _keeps_real_entropy(name: str) -> bool:
    if name in _DISPATCHERS:
        return False
    return name.partition(".")[0] in _REAL_ROOTS or name.startswith(_REAL_PREFIXES)


def _short(name: str) -> str:
    # A spawned child runs the script as __mp_main__, and import modes differ in how much of the package path they keep.
    return "__main__" if name == "__mp_main__" else name.rpartition(".")[2]


def _user_line(frame: FrameType | None) -> tuple[str | None, int]:
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return None, 0  # a library that makes generators while it is imported is not the fault of the import line
        if _is_user_file(file) or (file == "<string>" and _module(frame) == "__main__"):
            return file, frame.f_lineno
        frame = frame.f_back
    return None, 0


@lru_cache(maxsize=4096)
def _is_user_file(file: str) -> bool:
    if file.startswith(("<string>", "<frozen", "<attrs", "<__array_function__")):
        return False
    if f"{os.sep}site-packages{os.sep}" in file or f"{os.sep}dist-packages{os.sep}" in file:
        return False
    return not file.startswith((_STDLIB, _HERE))

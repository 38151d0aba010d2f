"""Goldens of one device, machine or library beside the one for all: which of them is meant here.

A project declares, in order, what its results may rightly depend on. A golden of a variant names some of these with their
values; of all that fit the present, the one that names most is used, and of two that name as many the one that names
what was declared earlier. None is recorded without being asked for by name.
"""

from __future__ import annotations

import importlib
import platform
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from packaging.version import InvalidVersion, Version

from .._lazy import loaded
from ..errors import UsageError

__all__ = ["Choice", "choose", "declared_keys", "named_keys", "present_values"]

MOST: Final = 6
"""Keys: each doubles the folders that are looked for."""
ALIKE: Final = {"amd64": "x86_64", "x64": "x86_64", "aarch64": "arm64"}
LIBRARIES: Final = ("openblas", "mkl", "accelerate", "blis", "flexiblas", "netlib")
PACKAGE: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Choice:
    """The golden that a test is held against."""

    folder: Path
    variant: Mapping[str, str]
    """{} for the one that holds for all."""


def declared_keys(text: str, setting: str = "mlrepro_variants") -> tuple[str, ...]:
    """Return the keys of a comma-separated list, in order; raise UsageError for one that means nothing here.

    A key is `device`, `gpu`, `machine`, `system`, `blas`, `python`, or the name of an installed package.
    """
    keys = tuple(filter(None, re.split(r"[\s,]+", text.strip())))
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise UsageError(f"{setting} names {twice[0]!r} twice")
    if len(keys) > MOST:
        raise UsageError(f"{setting} names {len(keys)} keys, and {MOST} are the most")
    for key in keys:
        if key not in _ASKED:
            _require_package(key, setting)
    return keys


def _require_package(key: str, setting: str) -> None:
    try:
        if PACKAGE.fullmatch(key):
            version(key)
            return
    except PackageNotFoundError:
        pass
    raise UsageError(f"{setting}: {key!r} is neither one of {', '.join(_ASKED)} nor an installed package")


def named_keys(text: str, declared: Sequence[str]) -> tuple[str, ...]:
    """Return the keys that `--golden-variant` names, in the order in which they are declared; UsageError for others."""
    keys = set(filter(None, re.split(r"[\s,]+", text.strip())))
    unknown = sorted(keys - set(declared))
    if not declared:
        raise UsageError("--golden-variant: declare what results may depend on first: mlrepro_variants = device, numpy")
    if unknown or not keys:
        what = f"{unknown[0]!r} is not declared" if unknown else "it names nothing"
        raise UsageError(f"--golden-variant: {what}; mlrepro_variants declares {', '.join(declared)}")
    return tuple(key for key in declared if key in keys)


def present_values(keys: Sequence[str]) -> dict[str, str]:
    """Return what each key is in this process.

    Only for `device` and `gpu` torch is imported, if it is installed: that it may come later in some test must not change
    which golden is meant in another.
    """
    return {key: _ASKED[key]() if key in _ASKED else _major(key) for key in keys}


def choose(
    folder_of: Callable[[Mapping[str, str]], Path], present: Mapping[str, str], only: Sequence[str] | None
) -> Choice:
    """Return the most specific golden that there is for the present; where there is none, that for all.

    only: the keys that `--golden-variant` names: then it is that variant's, whether there is one or not.
    """
    if only is not None:
        variant = {key: present[key] for key in only}
        return Choice(folder_of(variant), variant)
    for variant in _candidates(present):
        folder = folder_of(variant)
        if (folder / "golden.json").exists():
            return Choice(folder, variant)
    return Choice(folder_of({}), {})


def _candidates(present: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield variants from the most specific down to a single key; combinations come in the order of declaration."""
    for number in range(len(present), 0, -1):
        for keys in combinations(present, number):
            yield {key: present[key] for key in keys}


def _torch() -> Any:
    module = loaded("torch")
    if module is None:
        try:
            module = importlib.import_module("torch")
        except ImportError:
            return None
    return module


def _device() -> str:
    torch = _torch()
    if torch is None:
        return "cpu"
    if torch.cuda.is_available():
        return "rocm" if torch.version.hip else "cuda"
    for name in ("mps", "xpu"):
        backend = getattr(torch.backends, name, None) or getattr(torch, name, None)
        if backend is not None and backend.is_available():
            return name
    return "cpu"


def _gpu() -> str:
    torch = _torch()
    return str(torch.cuda.get_device_name(0)) if torch is not None and torch.cuda.is_available() else "none"


def _machine() -> str:
    name = platform.machine().lower()
    return ALIKE.get(name, name) or "unknown"


def _blas() -> str:
    """Return the library that numpy was built with, without its version and packaging."""
    numpy = importlib.import_module("numpy")
    name = str(numpy.show_config(mode="dicts")["Build Dependencies"]["blas"].get("name", "")).lower()
    return next((library for library in LIBRARIES if library in name), name) or "none"


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _major(package: str) -> str:
    """Return the major version; of a version below 1 the minor one too, which promises as little."""
    text = version(package)
    try:
        release = Version(text).release
    except InvalidVersion:
        return text
    return str(release[0]) if release[0] else ".".join(map(str, release[:2]))


_ASKED: Final[Mapping[str, Callable[[], str]]] = {
    "device": _device,
    "gpu": _gpu,
    "machine": _machine,
    "system": lambda: platform.system().lower() or "unknown",
    "blas": _blas,
    "python": _python,
}

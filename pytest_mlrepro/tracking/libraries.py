"""Libraries that open files without telling Python: their functions are replaced by ones that note the path first.

Which functions they are stands in `table.py`; one that a version lacks is passed over.
"""

from __future__ import annotations

import functools
import glob
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any, Final, NamedTuple

from .._imports import ImportWatch
from .events import is_on, note_path
from .table import TABLE, Target

__all__ = ["hold", "let_go", "look_again"]


_WATCHED: Final = frozenset(target.module for target in TABLE)
"""Modules that are looked at as soon as they have been imported."""
_ROOTS: Final = frozenset(name.partition(".")[0] for name in _WATCHED)
_MANY: Final = 100_000
"""Files of a folder or pattern that are noted at most."""


class _Place(NamedTuple):
    owner: Any
    name: str
    real: Any
    stand_in: Any


class _Holders:
    """What is replaced at present, for how many trackers, and which modules were searched."""

    def __init__(self) -> None:
        self.count = 0
        self.places: list[_Place] = []
        self.stand_ins: dict[int, tuple[Any, Any]] = {}
        """By the id of the real function: it and its stand-in."""
        self.searched: set[str] = set()
        self.modules = 0
        self.watch: ImportWatch | None = None


_holders = _Holders()
"""Of the whole process, as what is replaced is everybody's."""


def hold() -> None:
    """Replace the functions of the libraries that are loaded, and of others when they appear, until `let_go`."""
    _holders.count += 1
    if _holders.count == 1:
        _holders.watch = ImportWatch(_WATCHED, _appeared)
        _holders.watch.install()
    look_again()


def let_go() -> None:
    """Put everything back when the last holder lets go, also where other modules have taken a stand-in over."""
    global _holders
    _holders.count -= 1
    if _holders.count:
        return
    old, _holders = _holders, _Holders()
    if old.watch is not None:
        old.watch.remove()
    _search(list(sys.modules), {id(fake): (fake, real) for real, fake in old.stand_ins.values()})
    for place in reversed(old.places):
        if vars(place.owner).get(place.name) is place.stand_in:
            setattr(place.owner, place.name, place.real)


def look_again() -> None:
    """Replace what modules have got that were imported since; next to nothing if none was."""
    if len(sys.modules) != _holders.modules:
        _holders.modules = len(sys.modules)
        if not sys.modules.keys().isdisjoint(_ROOTS):
            _replace()


def _appeared(_: str) -> None:
    if _holders.count:
        _replace()


def _replace() -> None:
    known = len(_holders.stand_ins)
    for target in TABLE:
        module = sys.modules.get(target.module)
        if module is not None:
            _replace_target(module, target)
    if len(_holders.stand_ins) > known:
        _holders.searched.clear()
    new = [name for name in list(sys.modules) if name not in _holders.searched]
    _search(new, _holders.stand_ins)
    _holders.searched.update(new)


def _replace_target(module: ModuleType, target: Target) -> None:
    """Replace a method in its class; of a function make the stand-in, which the search puts wherever it is held."""
    owner: Any = module
    *classes, name = target.name.split(".")
    for step in classes:
        owner = vars(owner).get(step)
        if owner is None:
            return
    real = vars(owner).get(name)
    if real is None or hasattr(real, "__mlrepro_real__") or not callable(real):
        return
    if not classes:
        _holders.stand_ins.setdefault(id(real), (real, _stand_in(real, target)))
        return
    place = _Place(owner, name, real, _stand_in(real, target))
    setattr(owner, name, place.stand_in)
    _holders.places.append(place)


def _search(names: Iterable[str], exchange: dict[int, tuple[Any, Any]]) -> None:
    """Exchange functions wherever modules hold them: `from safetensors import safe_open` at the top of a test."""
    for module_name in names:
        module = sys.modules.get(module_name)
        held = getattr(module, "__dict__", None)
        if module_name.startswith("pytest_mlrepro.") or not isinstance(held, dict):
            continue
        for name in [name for name, value in list(held.items()) if id(value) in exchange]:
            old, new = exchange[id(held[name])]
            if held[name] is old:
                held[name] = new


class _Class:
    """Stands for a class: makes its objects, and passes for it in `isinstance`, as a base and in annotations."""

    def __init__(self, real: type, noting: Callable[..., Any]) -> None:
        self.__wrapped__ = self.__mlrepro_real__ = real
        self.__doc__, self.__module__ = real.__doc__, real.__module__
        self._noting = noting

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._noting(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "__wrapped__":  # asked for by whoever copies this without making it
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, self.__wrapped__)

    def __subclasscheck__(self, kind: type) -> bool:
        return issubclass(kind, self.__wrapped__)

    def __mro_entries__(self, _: tuple[Any, ...]) -> tuple[type, ...]:
        return (self.__wrapped__,)

    def __or__(self, other: Any) -> Any:
        return self.__wrapped__ | other

    def __ror__(self, other: Any) -> Any:
        return other | self.__wrapped__


def _stand_in(real: Callable[..., Any], target: Target) -> Any:
    @functools.wraps(real)
    def noting(*args: Any, **kwargs: Any) -> Any:
        if is_on():
            with suppress(Exception):  # what can't be noted must not keep the program from its file
                _note(target, args, kwargs)
        return real(*args, **kwargs)

    noting.__mlrepro_real__ = real  # type: ignore[attr-defined]  # our own mark
    return _Class(real, noting) if isinstance(real, type) else noting


def _note(target: Target, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    given = _argument(args, kwargs, target.position, target.argument)
    mode = "w" if target.writes else "r"
    if target.mode is not None:
        mode = _argument(args, kwargs, target.mode, "mode") or "r"
    if mode == "r":
        for path in _paths(given):
            for found in _expanded(path):
                note_path(found, read=True, written=False)
    else:
        note_path(given, read="w" not in mode and "x" not in mode, written=True)


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], position: int, name: str) -> Any:
    return args[position] if len(args) > position else kwargs.get(name)


def _paths(given: object) -> list[str]:
    """Return the local paths among what a library takes as its source."""
    if isinstance(given, (str, bytes, os.PathLike)):
        path = os.fsdecode(given)
        return [path.removeprefix("file://")] if path.startswith("file://") or "://" not in path else []
    if isinstance(given, Sequence) and not isinstance(given, (bytearray, memoryview)):
        return [path for item in given for path in _paths(item)]
    return []


def _expanded(path: str) -> Iterator[str]:
    """Yield a file, the files below a folder, or those that a pattern means now: later ones are not what was read."""
    if os.path.isfile(path):  # noqa: PTH113
        yield path
    elif os.path.isdir(path):  # noqa: PTH112
        below = (os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)  # noqa: PTH118
        yield from itertools.islice(below, _MANY)
    elif glob.has_magic(path):
        for found in itertools.islice(glob.iglob(path, recursive=True), _MANY):  # noqa: PTH207
            if not glob.has_magic(found) or os.path.exists(found):  # noqa: PTH110
                yield from _expanded(found)

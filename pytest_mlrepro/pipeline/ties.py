"""Which earlier output an input is: by content, by identity where contents are equal, and by parts of both.

A value that says nothing (None, True, an empty list) is tied to no step, whoever returned the like of it. Numbers and texts
are tied if they are the very object, or too long to be written by chance. A small integer, which Python has once, is tied
to a step that returned it, and not to one that returned it inside of something else: most small numbers are literals.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

from ..fingerprints import Fingerprint
from .facts import Tie

__all__ = ["Products"]

_SILENT: Final = frozenset({"none", "bool", "ellipsis"})
_SCALARS: Final = frozenset({int, float, complex, str, bytes})
_NESTED: Final = frozenset({"sklearn.estimator", "torch.nn.Module", "torch.state", "sklearn.steps"})
"""Kinds whose parts are looked at though no container holds them: an estimator inside a Pipeline."""
_SMALL: Final = range(-5, 257)
_SPECIFIC: Final = 8
"""Characters from which a number or a text is hardly written twice by chance."""
_DEPTH: Final = 4
_WIDTH: Final = 1000
"""Parts of one container that are looked at."""
_KEPT: Final = 64 << 20
"""Bytes of containers that are kept alive, so that an object which was changed can be told from another at its address."""


@dataclass(frozen=True, slots=True)
class _Product:
    step: str
    place: str
    address: int
    held: Callable[[], Any]
    """Returns the object, or None if it is gone or was not kept."""


class Products:
    """What the steps so far gave, by digest and by object."""

    def __init__(self) -> None:
        self._by_digest: dict[str, list[_Product]] = {}
        self._by_address: dict[int, tuple[_Product, str]] = {}
        self._scalars: dict[int, _Product] = {}
        """Numbers and texts by their addresses; they are kept alive."""
        self._room = _KEPT

    def add(self, step: str, place: str, found: Fingerprint, value: Any) -> None:
        """Note what a step gave."""
        for below, part, inner in _walk(found, value, 0):
            if _says_nothing(part, inner, whole=not below):
                continue
            product = _Product(step, place + below, id(inner), self._hold(inner))
            if type(inner) in _SCALARS:
                self._scalars[product.address] = product
            elif inner is not _UNKNOWN and part is not None:
                self._by_address[product.address] = (product, part.digest)
            if part is not None:
                self._by_digest.setdefault(part.digest, []).append(product)

    def ties(self, found: Fingerprint, value: Any) -> tuple[Tie, ...]:
        """Return which outputs an input is made of: one for the whole, or several for its parts; () for none."""
        return tuple(self._ties(found, value, "", 0))

    def _ties(self, found: Fingerprint | None, value: Any, at: str, depth: int) -> Iterator[Tie]:
        product = None if _says_nothing(found, value, whole=not at) else self._same(found, value)
        if product is not None:
            yield Tie(product.step, product.place, at)
            return
        if found is None:
            return
        changed = self._changed(found.digest, value)
        if changed is not None:
            yield Tie(changed.step, changed.place, at, changed=True)
            return
        if depth < _DEPTH:
            for below, part, inner in _inside(found, value):
                yield from self._ties(part, inner, at + below, depth + 1)

    def _same(self, found: Fingerprint | None, value: Any) -> _Product | None:
        """Return the output with this content: the object itself, else the latest.

        A number or a text that is another object counts only if nobody would write it by chance.
        """
        if type(value) in _SCALARS:
            own = self._scalars.get(id(value))
            if own is not None and own.held() is value:
                return own
            if found is None or len(str(value)) < _SPECIFIC:
                return None
        candidates = self._by_digest.get(found.digest) if found is not None else None
        if not candidates:
            return None
        same = (one for one in reversed(candidates) if one.address == id(value) and one.held() is value)
        return next(same, candidates[-1])

    def _changed(self, digest: str, value: Any) -> _Product | None:
        known = self._by_address.get(id(value))
        if known is None or known[0].held() is not value or known[1] == digest:
            return None
        return known[0]

    def _hold(self, value: Any) -> Callable[[], Any]:
        """Return what gives the object back: weakly where that can be, else strongly as long as there is room."""
        if value is _UNKNOWN:
            return _gone
        if type(value) in _SCALARS:
            return lambda: value
        try:
            return weakref.ref(value)
        except TypeError:
            self._room -= (size := _size(value, 0))
            if self._room < 0:
                self._room += size
                return _gone
            return lambda: value


class _Unknown:
    """Stands for a part whose object nobody has looked up."""


_UNKNOWN: Final = _Unknown()


def _gone() -> None:
    return None


def _walk(found: Fingerprint | None, value: Any, depth: int) -> Iterator[tuple[str, Fingerprint | None, Any]]:
    """Yield a value and the parts that may be passed on by themselves, the whole first."""
    yield "", found, value
    if depth < _DEPTH and found is not None:
        for below, part, inner in _inside(found, value):
            for deeper, smaller, innermost in _walk(part, inner, depth + 1):
                yield below + deeper, smaller, innermost


def _inside(found: Fingerprint, value: Any) -> Iterator[tuple[str, Fingerprint | None, Any]]:
    """Yield the parts of a container with their objects, and estimators inside of estimators without.

    Numbers and texts inside of a container go without a fingerprint: they are known by their identity.
    """
    if found.kind in _NESTED:
        yield from ((name, part, _UNKNOWN) for name, part in found.parts if part.kind in _NESTED)
        return
    parts: dict[str, Fingerprint] | None = None
    for name, inner in _items(value).items():
        kind = type(inner)
        if kind in _SCALARS:
            yield name, None, inner
        elif kind is not bool and inner is not None:
            parts = dict(found.parts) if parts is None else parts
            if name in parts:
                yield name, parts[name], inner


def _items(value: Any) -> dict[str, Any]:
    """Return what a container holds, under the names that the parts of its fingerprint have."""
    if isinstance(value, Mapping):
        items = (
            {f"[{key!r}]": value[key] for key in value if isinstance(key, str | int)} if len(value) <= _WIDTH else {}
        )
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        items = {f".{name}": getattr(value, name) for name in value._fields}
    elif isinstance(value, list | tuple):
        items = {f"[{at}]": item for at, item in enumerate(value)} if len(value) <= _WIDTH else {}
    elif is_dataclass(value) and not isinstance(value, type):
        items = {f".{field.name}": getattr(value, field.name, None) for field in fields(value)}
    else:
        items = {}
    return items


def _says_nothing(found: Fingerprint | None, value: Any, *, whole: bool) -> bool:
    if value is _UNKNOWN:
        return found is None or found.kind not in _NESTED
    if type(value) is int:
        return not whole and value in _SMALL
    if found is not None and found.kind in _SILENT:
        return True
    try:
        size = len(value)
    except TypeError:
        return False
    return size == 0 or (not whole and size == 1 and isinstance(value, str | bytes))


def _size(value: Any, depth: int) -> int:
    """Return about how many bytes a container keeps alive."""
    if isinstance(value, Mapping):
        return _size(list(value.values()), depth)
    if isinstance(value, list | tuple | set | frozenset):
        if depth >= _DEPTH:
            return 1 << 20
        return 64 * len(value) + sum(_size(item, depth + 1) for item in list(value)[:_WIDTH])
    size = getattr(value, "nbytes", None)
    if isinstance(size, int):
        return size
    if isinstance(value, str | bytes):
        return len(value)
    return 64 if isinstance(value, int | float | complex | None) else 1 << 20

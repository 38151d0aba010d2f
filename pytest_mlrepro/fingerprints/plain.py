"""Dicts, lists and scalars of Python encoded at once, without a node for each part: configurations, metrics, records.

What comes out is, byte for byte, what `values.describe` and `nodes` give; the tests hold the two against each other.
What holds anything else is left to them.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NoReturn, TypeAlias

import numpy as np

from ..values.dtypes import NATIVE
from ..values.node import Array, Chunk
from ..values.sequences import pack
from ..values.sources import array_source
from ..values.walk import MAX_DEPTH
from .digest import Fingerprint
from .encoding import (
    SMALL,
    Encoded,
    array_head,
    child,
    count,
    group_head,
    name_label,
    pack_double,
    pack_long,
    scalar,
    text,
)
from .nodes import encode_array, finished, whole

__all__ = ["NotPlain", "fingerprint_plain"]

_Large: TypeAlias = list[Fingerprint]
"""Where a part goes that its whole holds by its digest."""
_Encode: TypeAlias = Callable[[Any, int, _Large], bytes]
"""How a part is encoded within its whole: from the value, its depth, and the list for its fingerprint if it is large."""
_FEW: Final = 64
"""Items up to which `struct` and `tobytes` are faster than what is made for large arrays."""


class NotPlain(Exception):  # noqa: N818  # never leaves this room: such a value goes another way
    """A value of other kinds than this module knows; it may be refused, or described."""


def fingerprint_plain(value: object) -> Fingerprint:
    """Return the fingerprint of plain Python values and numpy arrays in dicts, lists and tuples; raises NotPlain for others."""
    kind = type(value)
    large: _Large = []
    part = _PARTS[kind](value, 0, large)
    if large:
        return large[0]
    return finished(part[2:] if part[1] < 255 else part[10:], _KINDS[kind])


def _dict(value: dict[Any, Any], depth: int, large: _Large) -> bytes:
    try:
        keys = sorted(value)
    except TypeError:
        raise NotPlain from None
    if depth >= MAX_DEPTH:
        raise NotPlain
    parts, deeper = _PARTS, depth + 1
    inner: _Large = []
    encoded = [group_head("dict", len(keys))]
    for key in keys:
        if type(key) is not str:
            raise NotPlain
        item = value[key]
        encoded += name_label(key), parts[type(item)](item, deeper, inner)
    return _group("dict", b"".join(encoded), inner, large)


def _sequence(value: Sequence[Any], depth: int, large: _Large) -> bytes:
    kind = type(value).__name__
    packed = _packed(value, kind, large) if value else None
    if packed is not None:
        return packed
    if depth >= MAX_DEPTH:
        raise NotPlain
    parts, deeper = _PARTS, depth + 1
    inner: _Large = []
    encoded = [group_head(kind, len(value))]
    for at, item in enumerate(value):
        encoded += _position(b"i", at), parts[type(item)](item, deeper, inner)
    return _group(kind, b"".join(encoded), inner, large)


def _group(kind: str, encoding: bytes, inner: _Large, large: _Large) -> bytes:
    if len(encoding) < 255 and not inner:
        return _SHORT_PARTS[len(encoding)] + encoding
    return _held(whole(encoding, kind, inner), large)


def _held(part: Encoded, large: _Large) -> bytes:
    if not isinstance(part, bytes):
        large.append(part)
    return child(part)


def _packed(value: Sequence[Any], kind: str, large: _Large) -> bytes | None:
    """Encode items of one type as the array that `values.sequences.pack` makes of them; None if they are none."""
    first = type(value[0])
    few = _PACKED.get(first)
    if few is None:
        return None
    for item in value:
        if type(item) is not first:
            return None
    size = len(value)
    dtype, items = few
    try:
        data = items(value) if size <= _FEW else b""
    except struct.error:  # an integer of more than 64 bits
        return None
    if 0 < len(data) < _SHORT_ARRAY:
        return _few(kind, dtype, size, len(data)) + data
    array = pack(value, kind)
    return _held(encode_array(array), large) if array is not None else None


@lru_cache(maxsize=1024)
def _few(kind: str, dtype: str, shape: int | tuple[int, ...], size: int) -> bytes:
    """Encode, as a part of a whole, a small array but for its elements, which take so many bytes."""
    shape = (shape,) if isinstance(shape, int) else shape
    head = array_head(kind, dtype) + count(len(shape)) + b"".join(map(count, shape)) + b"\0\1" + count(size)
    return b"=" + count(len(head) + size) + head


def _floats(value: Sequence[float]) -> bytes:
    total = sum(value)
    if total != total:
        value = [item if item == item else math.nan for item in value]
    return _DOUBLES[len(value)].pack(*value)


def _texts(value: Sequence[str]) -> bytes:
    items = [item.encode("utf-8", "surrogatepass") for item in value]
    return struct.pack(f"<B{len(items)}I", 4, *map(len, items)) + b"".join(items)


def _array(value: Chunk, _depth: int, large: _Large) -> bytes:
    name = NATIVE.get(value.dtype.char)
    if name is None:
        raise NotPlain
    short = 0 < value.nbytes < _SHORT_ARRAY and name in _AS_THEY_LIE and value.dtype.isnative
    if short and (name[0] != "f" or b"\1" not in np.isnan(value).tobytes()):
        return _few("numpy.ndarray", name, value.shape, value.nbytes) + value.tobytes()
    return _held(encode_array(Array("numpy.ndarray", name, value.shape, array_source(value))), large)


def _float(value: float, _depth: int, _large: _Large) -> bytes:
    return _FLOAT + pack_double(value if value == value else math.nan)


def _int(value: int, _depth: int, large: _Large) -> bytes:
    if _LEAST < value < _BEYOND:
        return _INT + pack_long(value)
    return _held(scalar("int", value), large)


def _str(value: str, _depth: int, large: _Large) -> bytes:
    if len(value) < _SHORT and value.isascii():
        return _STRS[len(value)] + value.encode()
    return _held(scalar("str", value), large)


def _bool(value: bool, _depth: int, _large: _Large) -> bytes:
    return _TRUE if value else _FALSE


def _none(_value: None, _depth: int, _large: _Large) -> bytes:
    return _NONE


class _ByType(dict[type, _Encode]):
    """Looked up by exact type, in one step also where a type is missing."""

    def __missing__(self, kind: type) -> NoReturn:
        raise NotPlain


def _heads(kind: str, sizes: int) -> list[bytes]:
    """Return, for payloads of 0, 1, … bytes, all that stands before them within a whole."""
    head = b"S" + text(kind)
    return [b"=" + count(len(head) + 1 + size) + head + count(size) for size in range(sizes)]


_AS_THEY_LIE: Final = frozenset({"float64", "float32", "int64", "int32"} if np.little_endian else ())
_DOUBLES, _LONGS = ([struct.Struct(f"<{size}{code}") for size in range(_FEW + 1)] for code in "dq")
_LEAST, _BEYOND = -(2**63), 2**63
"""The least has eight bytes in an array and nine on its own: the format goes by the bits of the magnitude."""
_position: Final = struct.Struct("<cq").pack
_SHORT: Final = 200
_SHORT_ARRAY: Final = SMALL - 200
_SHORT_PARTS: Final = [b"=" + count(size) for size in range(255)]
_FLOAT: Final = _heads("float", 9)[8]
_INT: Final = _heads("int", 9)[8]
_STRS: Final = _heads("str", _SHORT)
_FALSE, _TRUE = (_heads("bool", 2)[1] + data for data in (b"\0", b"\1"))
_NONE: Final = _heads("none", 1)[0]
_PACKED: Final[dict[type, tuple[str, Callable[[Sequence[Any]], bytes]]]] = {
    float: ("float64", _floats),
    int: ("int64", lambda value: _LONGS[len(value)].pack(*value)),
    bool: ("bool", bytes),
    str: ("str", _texts),
}
_PARTS: Final = _ByType()
_PARTS.update({float: _float, int: _int, str: _str, bool: _bool, type(None): _none})
_PARTS.update({dict: _dict, list: _sequence, tuple: _sequence, np.ndarray: _array})
_KINDS: Final = {**{kind: kind.__name__ for kind in _PARTS}, type(None): "none", np.ndarray: "numpy.ndarray"}

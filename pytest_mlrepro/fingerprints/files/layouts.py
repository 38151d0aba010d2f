"""Which bytes of a model file are which tensor: read from the file's own index, never by loading the model.

The index is input from anywhere: it is bounded before it is read and checked before it is believed. A file whose index
does not hold is a file of plain bytes; its digest is the same either way.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from ...values.paths import label_text
from .onnx_layout import onnx_layout
from .parts import Layout, Part, Reader, separate
from .pieces import Stamp, failure, open_unchanged
from .zip_layout import zip_layout

__all__ = ["layout_of"]

_MOST_HEADER: Final = 8 * 2**20
"""Enough for 70,000 tensors."""


def layout_of(path: str, stamp: Stamp) -> Layout | None:
    """Return what the file's index names, by its content and not by its name; None if it has none that holds."""
    descriptor = open_unchanged(path, stamp)
    try:
        reader = Reader(descriptor, stamp.size)
        find = _finder(reader.read(0, 9))
        return None if find is None else _believed(find(reader), stamp.size)
    except OSError as error:
        raise failure(path, error) from error
    except _BROKEN:
        return None
    finally:
        os.close(descriptor)


_BROKEN: Final = (ValueError, TypeError, LookupError, OverflowError, RecursionError, MemoryError, struct.error)
"""What parsing raises when an index is not what it should be."""
_Finder: TypeAlias = Callable[[Reader], Layout | None]


def _finder(start: bytes) -> _Finder | None:
    if start.startswith(b"PK\x03\x04"):
        return zip_layout
    if start[8:] == b"{":
        return _safetensors
    return onnx_layout if start.startswith(b"\x08") else None


def _believed(layout: Layout | None, size: int) -> Layout | None:
    """A layout with parts that all lie inside the file, and apart from each other."""
    if layout is None or not layout.parts:
        return None
    return layout if separate(layout.parts, size) else None


def _safetensors(reader: Reader) -> Layout | None:
    """Eight bytes of length, that much JSON, then the tensors at offsets from its end."""
    (length,) = struct.unpack("<Q", reader.read(0, 8))
    if length > min(_MOST_HEADER, reader.size - 8):
        return None
    header = json.loads(reader.read(8, length), object_pairs_hook=_unique)
    base = 8 + length
    parts = [_tensor(name, fact, base) for name, fact in header.items() if name != "__metadata__"]
    if "__metadata__" in header:
        text = json.dumps(header["__metadata__"], sort_keys=True)
        parts.append(Part(".metadata", "metadata", text, base, base))
    return Layout("safetensors", tuple(sorted(parts, key=lambda part: part.name)))


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Two tensors of one name have no order in which they could be compared."""
    items = list(pairs)
    found = dict(items)
    if len(found) != len(items):
        raise ValueError("a name stands twice in one object")
    return found


def _tensor(name: str, fact: dict[str, Any], base: int) -> Part:
    start, stop = fact["data_offsets"]
    shape, dtype = fact["shape"], fact["dtype"]
    numbers = [start, stop, *shape]
    if not isinstance(dtype, str) or any(type(number) is not int or not 0 <= number < 2**63 for number in numbers):
        raise ValueError(f"tensor {name!r} has no sound place")
    return Part(label_text(name), "tensor", f"{dtype} {shape}", base + start, base + stop)

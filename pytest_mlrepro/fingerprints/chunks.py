"""The elements of an array as canonical bytes, in pieces whose size the format fixes, hashed by all cores if many."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

import numpy as np
from blake3 import blake3

from ..values.dtypes import is_text, storage
from ..values.node import Chunk, Source
from ..values.sequences import ListedTexts, put_on_end

__all__ = ["Piece", "array_pieces", "piece_size"]

Piece: TypeAlias = tuple[bytes | memoryview, ...]
"""The bytes of a piece, as they lie in one or several places."""
Encode: TypeAlias = Callable[[Chunk], bytes | memoryview]

CHUNK_BYTES: Final = 4 * 2**20
CHUNK_TEXTS: Final = 65536
_SMALL: Final = 512
_NAN_ABOVE: Final = {
    "bfloat16": (0x7FFF, 0x7F80, 0x7FC0),
    "float8_e5m2": (0x7F, 0x7C, 0x7E),
    "float8_e4m3": (0x7F, 0x78, 0x7C),
    "float8_e3m4": (0x7F, 0x70, 0x78),
    "float8_e4m3fn": (0x7F, 0x7E, 0x7F),
}
"""Magnitude bits, greatest magnitude that is no NaN, and the NaN to write; formats with a single NaN are missing."""


def array_pieces(source: Source, dtype: str) -> Piece | list[bytes]:
    """Read a source to its end and return its only piece, or the digests of several, which are all that is kept."""
    size, step = source.size, piece_size(dtype)
    if size <= step:
        return _piece(source, dtype, 0, size) if size else ()

    def digest(start: int) -> bytes:
        hasher = blake3()
        for buffer in _piece(source, dtype, start, min(start + step, size)):
            hasher.update(buffer)
        return hasher.digest()

    starts = range(0, size, step)
    if len(starts) == 2 or (is_text(dtype) and (_packed(source) is None or isinstance(source, ListedTexts))):
        return list(map(digest, starts))  # Python's strings are read under the interpreter's lock
    with ThreadPoolExecutor(min(_cores(), len(starts))) as executor:
        return list(executor.map(digest, starts))


def piece_size(dtype: str) -> int:
    """Return the number of elements of each piece but the last."""
    common = _FORMS.get(dtype)
    if common is not None:
        return common[0]
    return CHUNK_TEXTS if is_text(dtype) else CHUNK_BYTES // storage(dtype).itemsize


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _piece(source: Source, dtype: str, start: int, stop: int) -> Piece:
    common = _FORMS.get(dtype)
    if common is not None:
        return (common[1](source.read(start, stop)),)
    if is_text(dtype):
        packed = _packed(source)
        return _texts(*(packed(start, stop) if packed is not None else put_on_end(source.read(start, stop).tolist())))
    chunk = source.read(start, stop)
    return (_bytes(_one_nan_pattern(chunk, *_NAN_ABOVE[dtype]) if dtype in _NAN_ABOVE else chunk),)


def _bytes(chunk: Chunk) -> memoryview:
    """Return the elements as little-endian bytes, without a copy where they lie so already."""
    if not (chunk.dtype.isnative and chunk.flags.c_contiguous):
        chunk = np.ascontiguousarray(chunk)
    little: Chunk = chunk if np.little_endian else chunk.byteswap()
    return little.view(np.uint8).data


def _floats(chunk: Chunk) -> memoryview:
    return _bytes(_one_nan(chunk))


def _parts(width: int) -> Encode:
    """Complex numbers are pairs of floats of the width."""
    return lambda chunk: _bytes(_one_nan(np.ascontiguousarray(chunk).view(f"float{width}")))


def _one_nan(chunk: Chunk) -> Chunk:
    """Return floats with every NaN as the quiet one without payload; copies only if there is a NaN.

    The minimum propagates NaN and is three times as fast as `isnan`, but for a few elements; signalling NaNs make it
    warn.
    """
    if chunk.size > _SMALL:
        with np.errstate(invalid="ignore"):
            least = chunk.min()
        if least == least:
            return chunk
    nan = np.isnan(chunk)
    if b"\1" not in nan.tobytes():
        return chunk
    chunk = chunk.copy()
    chunk.view(f"uint{chunk.itemsize * 8}")[nan] = _QUIET[chunk.itemsize]
    return chunk


_QUIET: Final = {2: 0x7E00, 4: 0x7FC00000, 8: 0x7FF8000000000000}


def _one_nan_pattern(chunk: Chunk, magnitude: int, limit: int, nan: int) -> Chunk:
    above = (chunk & chunk.dtype.type(magnitude)) > limit
    if not above.any():
        return chunk
    chunk = chunk.copy()
    chunk[above] = nan
    return chunk


def _bools(chunk: Chunk) -> memoryview:
    """A byte other than 0 or 1 is true as well; it comes from memory that was not written as booleans."""
    raw: Chunk = np.ascontiguousarray(chunk).view(np.uint8)
    return (raw if raw.max(initial=0) <= 1 else (raw != 0).view(np.uint8)).data


def _packed(source: Source) -> Callable[[int, int], tuple[Chunk, bytes | memoryview]] | None:
    """Return how the strings of a `PackedSource` are read; a protocol's own `isinstance` takes longer than a digest."""
    return getattr(source, "packed", None)


def _texts(lengths: Chunk, joined: bytes | memoryview) -> Piece:
    """Encode strings or bytes as the number of bytes of each, four bytes wide if that is enough, then all on end."""
    wide = len(joined) >= 2**32 and int(lengths.max()) >= 2**32
    stored = np.ascontiguousarray(lengths, "<u8" if wide else "<u4").view(np.uint8).data
    return b"\10" if wide else b"\4", stored, joined


_FORMS: Final[dict[str, tuple[int, Encode]]] = {
    "float64": (CHUNK_BYTES // 8, _floats),
    "float32": (CHUNK_BYTES // 4, _floats),
    "float16": (CHUNK_BYTES // 2, _floats),
    "int64": (CHUNK_BYTES // 8, _bytes),
    "bool": (CHUNK_BYTES, _bools),
    "complex32": (CHUNK_BYTES // 4, _parts(16)),
    "complex64": (CHUNK_BYTES // 8, _parts(32)),
    "complex128": (CHUNK_BYTES // 16, _parts(64)),
}

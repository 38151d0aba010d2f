"""The elements of an array as canonical bytes, in pieces whose size the format fixes, hashed by two threads if many."""

from __future__ import annotations

import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from blake3 import blake3

from ..values.dtypes import is_text, storage
from ..values.node import Chunk, Source

__all__ = ["Chunks", "array_chunks"]

Encode: TypeAlias = Callable[[Chunk], bytes | memoryview]

CHUNK_BYTES: Final = 4 * 2**20
CHUNK_TEXTS: Final = 65536
THREADS: Final = 2
"""More threads gain little: two already come near the memory's speed, and each holds one or two pieces."""
_SMALL: Final = 512
_pack_size: Final = struct.Struct("<Q").pack
_NAN_ABOVE: Final = {
    "bfloat16": (0x7FFF, 0x7F80, 0x7FC0),
    "float8_e5m2": (0x7F, 0x7C, 0x7E),
    "float8_e4m3": (0x7F, 0x78, 0x7C),
    "float8_e3m4": (0x7F, 0x70, 0x78),
    "float8_e4m3fn": (0x7F, 0x7E, 0x7F),
}
"""Magnitude bits, greatest magnitude that is no NaN, and the NaN to write; formats with a single NaN are missing."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """The pieces of an array: a single one as bytes, several as digests."""

    step: int
    """Elements of each piece but the last."""
    payload: tuple[bytes | memoryview, ...]
    """What enters the digest of the array: the number of pieces, then the only one with its length, or all digests."""
    digests: list[bytes]


def array_chunks(source: Source, dtype: str) -> Chunks:
    """Read a source to its end and return its pieces; of several, only the digests stay in memory."""
    size = source.size
    step, encode = _form(dtype)
    if not size:
        return Chunks(step, (_pack_size(0),), [])
    if size <= step:
        only = encode(source.read(0, size))
        return Chunks(step, (_pack_size(1), _pack_size(len(only)), only), [])

    def digest(start: int) -> bytes:
        return blake3(encode(source.read(start, min(start + step, size)))).digest()

    starts = range(0, size, step)
    if len(starts) == 2 or is_text(dtype):  # strings are made under the interpreter's lock
        digests = list(map(digest, starts))
    else:
        with ThreadPoolExecutor(THREADS) as executor:
            digests = list(executor.map(digest, starts))
    return Chunks(step, (_pack_size(len(digests)), *digests), digests)


def _form(dtype: str) -> tuple[int, Encode]:
    """Return the elements of a piece, and how they become bytes."""
    common = _FORMS.get(dtype)
    if common is not None:
        return common
    if is_text(dtype):
        return CHUNK_TEXTS, _texts
    step = CHUNK_BYTES // storage(dtype).itemsize
    if dtype in _NAN_ABOVE:
        return step, lambda chunk: _bytes(_one_nan_pattern(chunk, *_NAN_ABOVE[dtype]))
    return step, _bytes


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


def _texts(chunk: Chunk) -> bytes:
    """Encode strings as their lengths in code points, then all of them as UTF-8; bytes as their lengths, then all."""
    items: list[Any] = chunk.tolist()
    lengths = np.fromiter(map(len, items), "<u8", len(items)).tobytes()
    if isinstance(items[0], bytes):
        return lengths + b"".join(items)
    return lengths + "".join(items).encode("utf-8", "surrogatepass")


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

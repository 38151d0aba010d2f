"""The elements of an array as canonical bytes, in pieces whose size the format fixes, hashed by two threads if many."""

from __future__ import annotations

import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from blake3 import blake3

from ..values.dtypes import is_text, storage
from ..values.node import Chunk, Source

__all__ = ["Chunks", "array_chunks", "payload"]

CHUNK_BYTES: Final = 4 * 2**20
CHUNK_TEXTS: Final = 65536
THREADS: Final = 2
"""More threads gain little: two already come near the memory's speed, and each holds one or two pieces."""
_SMALL: Final = 512
_pack_size: Final = struct.Struct("<Q").pack
_NAN_ABOVE: Final = {"bfloat16": (0x7FFF, 0x7F80, 0x7FC0), "float8_e5m2": (0x7F, 0x7C, 0x7E)} | {
    "float8_e4m3": (0x7F, 0x78, 0x7C),
    "float8_e3m4": (0x7F, 0x70, 0x78),
    "float8_e4m3fn": (0x7F, 0x7E, 0x7F),
}
"""Magnitude bits, greatest magnitude that is no NaN, and the NaN to write; formats with a single NaN are missing."""
_QUIET: Final = {"f": np.nan, "c": complex(np.nan, np.nan)}


@dataclass(frozen=True, slots=True)
class Chunks:
    """The pieces of an array: the only one as bytes, several as digests."""

    step: int
    """Elements of each piece but the last."""
    only: bytes | memoryview
    digests: list[bytes]


def array_chunks(source: Source, dtype: str) -> Chunks:
    """Read a source to its end and return its pieces; of several, only the digests stay in memory."""
    size = source.size
    if is_text(dtype):
        step, encode = CHUNK_TEXTS, _texts
    else:
        step, encode = CHUNK_BYTES // storage(dtype).itemsize, _encoder(dtype)
    if size <= step:
        return Chunks(step, encode(source.read(0, size)) if size else b"", [])

    def digest(start: int) -> bytes:
        return blake3(encode(source.read(start, min(start + step, size)))).digest()

    starts = range(0, size, step)
    if len(starts) == 2 or is_text(dtype):  # strings are made under the interpreter's lock
        return Chunks(step, b"", list(map(digest, starts)))
    with ThreadPoolExecutor(THREADS) as executor:
        return Chunks(step, b"", list(executor.map(digest, starts)))


def payload(chunks: Chunks) -> bytes:
    """Return what enters the digest of the array: the number of pieces, then the only one whole or the digests of all."""
    if chunks.digests:
        return _pack_size(len(chunks.digests)) + b"".join(chunks.digests)
    if not len(chunks.only):
        return _pack_size(0)
    return b"".join((_pack_size(1), _pack_size(len(chunks.only)), chunks.only))


def _encoder(dtype: str) -> Callable[[Chunk], memoryview]:
    if dtype == "bool":
        return _bools
    if dtype in _NAN_ABOVE:
        return lambda chunk: _bytes(_one_nan_pattern(chunk, *_NAN_ABOVE[dtype]))
    if dtype == "complex32":
        return lambda chunk: _bytes(_one_nan(np.ascontiguousarray(chunk).view(np.float16)))
    if dtype in ("complex64", "complex128"):
        return lambda chunk: _bytes(_one_nan(np.ascontiguousarray(chunk).view(f"float{int(dtype[7:]) // 2}")))
    if dtype in ("float16", "float32", "float64"):
        return lambda chunk: _bytes(_one_nan(chunk))
    return _bytes


def _bytes(chunk: Chunk) -> memoryview:
    """Return the elements as little-endian bytes, without a copy where they lie so already."""
    if not (chunk.dtype.isnative and chunk.flags.c_contiguous):
        chunk = np.ascontiguousarray(chunk)
    little = chunk if _LITTLE or chunk.itemsize == 1 else chunk.byteswap()
    return memoryview(little.view(np.uint8))


_LITTLE: Final = np.little_endian


def _one_nan(chunk: Chunk) -> Chunk:
    """Return floats with every NaN as the quiet one without payload; copies only if there is a NaN.

    The minimum propagates NaN and is three times as fast as `isnan`; for a few elements the dot product is faster still.
    """
    if chunk.size < _SMALL:
        with_nan = not chunk.dot(chunk) >= 0
    else:
        with_nan = bool(np.isnan(chunk.min()))
    if not with_nan:
        return chunk
    nan = np.isnan(chunk)
    chunk = chunk.copy()
    chunk[nan] = np.array(np.nan, chunk.dtype)
    return chunk


def _one_nan_pattern(chunk: Chunk, magnitude: int, limit: int, nan: int) -> Chunk:
    above = (chunk & chunk.dtype.type(magnitude)) > limit
    if not above.any():
        return chunk
    chunk = chunk.copy()
    chunk[above] = nan
    return chunk


def _bools(chunk: Chunk) -> memoryview:
    """A byte other than 0 or 1 is true as well; it comes from memory that was not written as booleans."""
    raw = np.ascontiguousarray(chunk).view(np.uint8)
    return memoryview(raw if raw.max(initial=0) <= 1 else (raw != 0).view(np.uint8))


def _texts(chunk: Chunk) -> bytes:
    """Encode strings as their lengths in code points, then all of them as UTF-8; bytes as their lengths, then all."""
    items: list[Any] = chunk.tolist()
    lengths = np.fromiter(map(len, items), "<u8", len(items)).tobytes()
    if isinstance(items[0], bytes):
        return lengths + b"".join(items)
    return lengths + "".join(items).encode("utf-8", "surrogatepass")

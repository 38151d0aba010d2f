"""Arrays in `.npy` files: written in pieces, read in pieces, never pickled.

Numbers are plain `.npy` arrays. Strings and byte strings have no fixed width, so that one long string doesn't pad all
others: they lie as one array of bytes that holds the n + 1 end offsets (little-endian int64) and then the text in UTF-8.
"""

from __future__ import annotations

import io
import itertools
import math
import threading
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import GoldenError
from ..values.dtypes import is_text, storage
from ..values.node import Chunk, Source

__all__ = ["BINARY", "FileSource", "PackedSource", "open_source", "write_source"]

CHUNK_BYTES = 1 << 20
_NO_HEADER = (ValueError, TypeError, SyntaxError, tokenize.TokenError, OverflowError, MemoryError, RecursionError)
"""What numpy raises for a header that it can't make sense of."""
BINARY = ("bytes", "void")
"""Canonical dtypes whose elements are `bytes`; those of the other texts are `str`."""


def write_source(path: Path, source: Source, dtype: str, shape: tuple[int, ...]) -> None:
    """Write all elements in C order."""
    with path.open("wb") as file:
        for piece in _pieces(source, dtype, shape):
            file.write(piece)


def _pieces(source: Source, dtype: str, shape: tuple[int, ...]) -> Iterator[bytes]:
    if is_text(dtype):
        yield from _packed_pieces(source, dtype)
        return
    stored = storage(dtype).newbyteorder("<")
    yield _header(stored, shape)
    for chunk in _chunks(source, max(1, CHUNK_BYTES // stored.itemsize)):
        yield np.ascontiguousarray(chunk, dtype=stored).tobytes()


def _packed_pieces(source: Source, dtype: str) -> Iterator[bytes]:
    ends = np.zeros(source.size + 1, dtype="<i8")
    for start, encoded in _encoded(source, dtype):
        ends[start + 1 : start + 1 + len(encoded)] = [len(item) for item in encoded]
    np.cumsum(ends, out=ends)
    yield _header(np.dtype("u1"), (ends.nbytes + int(ends[-1]),))
    yield ends.tobytes()
    for _, encoded in _encoded(source, dtype):
        yield b"".join(encoded)


def _encoded(source: Source, dtype: str) -> Iterator[tuple[int, list[bytes]]]:
    start = 0
    for chunk in _chunks(source, 1 << 14):
        items = chunk.tolist()
        yield start, [item.encode("utf-8", "surrogatepass") for item in items] if dtype not in BINARY else items
        start += len(items)


def _chunks(source: Source, step: int) -> Iterator[Chunk]:
    for start in range(0, source.size, step):
        yield source.read(start, min(start + step, source.size))


def _header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    facts = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, facts)
    return buffer.getvalue()


class FileSource:
    """Numbers in a `.npy` file, each thread reading into a buffer of its own."""

    def __init__(self, path: Path, offset: int, size: int, dtype: np.dtype[Any]) -> None:
        self.path, self.offset, self.size, self.dtype = path, offset, size, dtype
        self._local = threading.local()

    def read(self, start: int, stop: int) -> Chunk:
        """Return elements `start:stop`; see `values.node.Source`."""
        count = stop - start
        buffer: Chunk | None = getattr(self._local, "buffer", None)
        if buffer is None or len(buffer) < count:
            buffer = self._local.buffer = np.empty(count, dtype=self.dtype)
        chunk = buffer[:count]
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.offset + start * self.dtype.itemsize)
            _fill(file, chunk, self.path)
        return chunk if self.dtype.isnative else chunk.astype(self.dtype.newbyteorder("="))


def _fill(file: IO[bytes], chunk: Chunk, path: Path) -> None:
    view = memoryview(chunk.view(np.uint8).data)
    while view:
        got = file.readinto(view)  # type: ignore[attr-defined]  # a raw file, which has it
        if not got:
            raise GoldenError(f"{path} ends early: it is not whole")
        view = view[got:]


class PackedSource:
    """Strings (or byte strings) in a `.npy` file of bytes."""

    def __init__(self, raw: FileSource, size: int, *, text: bool) -> None:
        self.raw, self.size, self.text = raw, size, text
        self.ends = FileSource(raw.path, raw.offset, size + 1, np.dtype("<i8"))

    def read(self, start: int, stop: int) -> Chunk:
        """Return elements `start:stop` as objects; see `values.node.Source`."""
        ends = self.ends.read(start, stop + 1)
        base, first = (self.size + 1) * 8, int(ends[0])
        if first < 0 or (ends[1:] < ends[:-1]).any() or base + int(ends[-1]) > self.raw.size:
            raise GoldenError(f"{self.raw.path} is not as it was written: its texts end where none can")
        data = self.raw.read(base + first, base + int(ends[-1])).tobytes()
        bounds = [int(end) - first for end in ends]
        items = [data[low:high] for low, high in itertools.pairwise(bounds)]
        chunk = np.empty(len(items), dtype=object)
        chunk[:] = [item.decode("utf-8", "surrogatepass") for item in items] if self.text else items
        return chunk


def open_source(path: Path, dtype: str, shape: tuple[int, ...]) -> Source:
    """Open a file that `write_source` wrote; raise GoldenError if it doesn't hold `dtype` elements of that `shape`."""
    try:
        raw, found = _open_raw(path)
    except OSError as error:
        raise GoldenError(f"can't read {path}: {error.strerror or error}") from None
    if not is_text(dtype):
        expected = storage(dtype).newbyteorder("<")
        if raw.dtype != expected or found != shape:
            raise GoldenError(f"{path} holds {raw.dtype} {found}, and golden.json says {expected} {shape}")
        return raw
    size = math.prod(shape)
    if raw.dtype != np.dtype("u1") or raw.size < (size + 1) * 8:
        raise GoldenError(f"{path} does not hold {size} packed items")
    return PackedSource(raw, size, text=dtype not in BINARY)


def _open_raw(path: Path) -> tuple[FileSource, tuple[int, ...]]:
    with path.open("rb") as file:
        try:
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        except _NO_HEADER as error:
            raise GoldenError(f"{path} is no .npy file: {error}") from None
        offset, end, size = file.tell(), file.seek(0, io.SEEK_END), math.prod(shape)
    if dtype.hasobject or offset + size * dtype.itemsize != end:
        raise GoldenError(f"{path} is not as it was written: {dtype}, shape {shape}, {end} bytes")
    return FileSource(path, offset, size, dtype), shape

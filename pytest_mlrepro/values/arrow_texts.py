"""Arrow's strings and byte strings, read from its own buffers: lengths and bytes, without a Python object for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._lazy import loaded
from .node import Chunk
from .sequences import text_objects
from .walk import Foreign

__all__ = ["ArrowTexts", "arrow_range"]


def arrow_range(column: Foreign, start: int, stop: int) -> Foreign:
    """Return rows `start:stop` of a chunked array as one array."""
    pa: Any = loaded("pyarrow")
    chunks = column.slice(start, stop - start).chunks
    if len(chunks) == 1:
        return chunks[0]
    return pa.concat_arrays(chunks) if chunks else pa.array([], column.type)


@dataclass(frozen=True, slots=True)
class ArrowTexts:
    """The elements of a chunked array of strings or of byte strings of any width; nulls are empty."""

    column: Foreign
    binary: bool

    @property
    def size(self) -> int:
        """Number of elements."""
        return len(self.column)

    def read(self, start: int, stop: int) -> Chunk:
        """Return Python objects."""
        return text_objects(self._range(start, stop).to_numpy(zero_copy_only=False))

    def packed(self, start: int, stop: int) -> tuple[Chunk, bytes | memoryview]:
        """Return views of the buffers, but where a null or the end of a chunk makes a copy needed."""
        array = self._range(start, stop)
        _, offsets, data = array.buffers()
        ends: Chunk = np.frombuffer(offsets, np.int64, len(array) + 1, array.offset * 8)
        first, last = ends[0], ends[-1]
        text = memoryview(data)[first:last] if data is not None else b""
        if last - first >= 2**32 or not np.little_endian:
            return np.diff(ends), text
        low = ends.view(np.uint32)[::2]  # the lower halves tell, in half of the time
        return low[1:] - low[:-1], text

    def _range(self, start: int, stop: int) -> Foreign:
        pa: Any = loaded("pyarrow")
        array = arrow_range(self.column, start, stop).cast(pa.large_binary() if self.binary else pa.large_string())
        return array.fill_null(b"" if self.binary else "") if array.null_count else array

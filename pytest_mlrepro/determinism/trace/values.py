"""Digests of what local variables hold: cheap, never raising, and free of whatever differs between runs by itself.

They only ever meet digests of the other run: equal values must have equal digests, so nothing may depend on an id, a
`repr` or a hash seed. What has no such digest has none.
"""

from __future__ import annotations

import datetime
import random
import tempfile
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final

import xxhash

from ..._lazy import loaded

__all__ = ["Values"]

TEMPORARY: Final = tempfile.gettempdir()
ITEMS: Final = 4_096
"""So many items of a container are looked at."""
DEEP: Final = 8
"""So deep; deeper there is mostly an object that refers to itself."""
_of_bytes: Callable[[Any], int] = xxhash.xxh3_64_intdigest
_SCALARS: Final = (bool, int, float, complex, str, bytes, type(None))


class Values:
    """Gives digests of values."""

    def __init__(self, own: Callable[[str], bool]) -> None:
        self._own = own
        """Whether a file is the project's: only objects of its classes are looked into."""
        self._tensors: Any = None

    def digest(self, value: object) -> int | None:
        """Return a digest of 64 bits; None for what has none, such as a file, a lock or a function."""
        try:
            return self._of(value, 0)
        except Exception:  # noqa: BLE001  # somebody's object that can't be looked at is not worth an error in a test that failed
            return None

    def _of(self, value: Any, depth: int) -> int | None:
        kind = type(value)
        if kind in _SCALARS:
            return None if kind is str and is_path(value) else _of_bytes(_scalar(value))
        if depth > DEEP:
            return None
        if kind in (list, tuple):
            return self._many(kind.__name__, value[:ITEMS], depth, len(value))
        if kind is dict:
            return self._dict(value, depth)
        if kind in (set, frozenset):
            return self._set(value, depth)
        return self._library(value, depth)

    def _many(self, name: str, values: Iterable[Any], depth: int, length: int = 0) -> int | None:
        parts = [self._of(value, depth + 1) for value in values]
        known = [0 if part is None else part for part in parts]
        if parts and not any(part is not None for part in parts):
            return None
        return _of_bytes(f"{name}{length}:".encode() + b"".join(part.to_bytes(8, "little") for part in known))

    def _dict(self, value: dict[Any, Any], depth: int) -> int | None:
        flat: list[Any] = []
        for key, item in value.items():
            flat += (key, item)
            if len(flat) > 2 * ITEMS:
                break
        return self._many("dict", flat, depth, len(value))

    def _set(self, value: Any, depth: int) -> int | None:
        """Whatever order it is in: that of strings is not the same in two processes, and harms nobody by itself."""
        parts = sorted(part for item in value if (part := self._of(item, depth + 1)) is not None)
        return self._many("set", parts, DEEP, len(value)) if parts or not value else None

    def _library(self, value: Any, depth: int) -> int | None:
        for rule in (self._array, self._tensor, self._frame, self._generator, self._estimator, self._sparse):
            found = rule(value, depth)
            if found is not None:
                return found
        return self._object(value, depth)

    def _object(self, value: Any, depth: int) -> int | None:
        """Return the digest of an object of somebody's own class: of what it holds."""
        if isinstance(value, uuid.UUID):
            return self._of(value.int, depth)
        if isinstance(value, datetime.date | datetime.time):
            return self._of(value.isoformat(), depth)
        if isinstance(value, list | tuple | dict):
            return (
                self._dict(value, depth) if isinstance(value, dict) else self._many(_name(value), value[:ITEMS], depth)
            )
        held = getattr(value, "__dict__", None)
        if type(held) is not dict or isinstance(value, type) or not self._is_own(type(value)):
            return None
        return (
            self._many(_name(value), [part for pair in sorted(held.items()) for part in pair], depth) if held else None
        )

    def _is_own(self, kind: type) -> bool:
        file = getattr(loaded(kind.__module__), "__file__", None)
        return isinstance(file, str) and self._own(file)

    def _array(self, value: Any, depth: int) -> int | None:
        numpy = loaded("numpy")
        if numpy is None or not isinstance(value, numpy.ndarray | numpy.generic):
            return None
        array = numpy.asarray(value)
        if array.dtype.hasobject:
            return self._many(f"objects{array.shape}", array.ravel()[:ITEMS].tolist(), depth, array.size)
        head = f"{array.dtype.str}{array.shape}".encode()
        if not array.flags.c_contiguous:
            array = numpy.ascontiguousarray(array)
        data = array.reshape(-1).view(numpy.uint8) if array.size else b""
        return _of_bytes(head + _of_bytes(data).to_bytes(8, "little"))

    def _tensor(self, value: Any, depth: int) -> int | None:
        torch = loaded("torch")
        if torch is None or not isinstance(value, torch.Tensor):
            return None  # modules and generators are seen by what operations change, and draw from
        if self._tensors is None:
            from .tensor_digest import TensorDigest

            self._tensors = TensorDigest(torch)
        head = f"{value.dtype}{tuple(value.shape)}".encode()
        return _of_bytes(head + self._tensors.tensor(value).to_bytes(8, "little"))

    def _frame(self, value: Any, depth: int) -> int | None:
        pandas = loaded("pandas")
        if pandas is not None:
            if isinstance(value, pandas.DataFrame):
                columns = [value.iloc[:, number] for number in range(min(value.shape[1], ITEMS))]
                return self._many("frame", [list(value.columns), self._index(value.index), *columns], depth)
            if isinstance(value, pandas.Series):
                return self._many("series", [value.name, self._column(value)], depth)
            if isinstance(value, pandas.Index):
                return self._of(self._index(value), depth)
        return self._arrow(value, depth)

    def _index(self, index: Any) -> Any:
        return self._column(index)

    def _column(self, column: Any) -> Any:
        values = column.to_numpy()
        if values.dtype.hasobject:
            return [str(one) for one in values[:ITEMS]] if column.dtype != object else list(values[:ITEMS])
        return values

    def _arrow(self, value: Any, depth: int) -> int | None:
        polars, arrow = loaded("polars"), loaded("pyarrow")
        if polars is not None and isinstance(value, polars.DataFrame | polars.Series):
            frame = value if isinstance(value, polars.DataFrame) else value.to_frame()
            columns = [(one.name, str(one.dtype), self._polars(one)) for one in frame.get_columns()]
            return self._many("polars", columns, depth, frame.height)
        if arrow is not None and isinstance(value, arrow.Table | arrow.RecordBatch | arrow.ChunkedArray | arrow.Array):
            return self._pyarrow(arrow, value, depth)
        return None

    def _polars(self, series: Any) -> Any:
        if series.dtype.is_numeric() and not series.null_count():
            return series.to_numpy()
        return series.to_list() if len(series) <= ITEMS else [series.head(ITEMS).to_list(), series.null_count()]

    def _pyarrow(self, arrow: Any, value: Any, depth: int) -> int | None:
        if isinstance(value, arrow.Table | arrow.RecordBatch):
            parts = [(name, value.column(number)) for number, name in enumerate(value.schema.names)]
            return self._many("table", parts, depth, value.num_rows)
        whole = value.combine_chunks() if isinstance(value, arrow.ChunkedArray) else value
        if arrow.types.is_floating(value.type) or arrow.types.is_integer(value.type):
            return self._of(whole.to_numpy(zero_copy_only=False), depth + 1)
        return self._many(str(value.type), whole.slice(0, ITEMS).to_pylist(), depth, len(value))

    def _generator(self, value: Any, depth: int) -> int | None:
        if isinstance(value, random.Random):
            return None if isinstance(value, random.SystemRandom) else self._of(value.getstate()[1], depth)
        numpy = loaded("numpy.random")
        if numpy is None:
            return None
        if isinstance(value, numpy.Generator):
            return self._state(value.bit_generator.state)
        if isinstance(value, numpy.RandomState):
            return self._state(value.get_state(legacy=False))
        if isinstance(value, numpy.BitGenerator):
            return self._state(value.state)
        if isinstance(value, numpy.SeedSequence):
            return self._of([value.entropy, list(value.spawn_key)], depth)
        return None

    def _state(self, state: Any) -> int | None:
        return self._of(state, 0)

    def _estimator(self, value: Any, depth: int) -> int | None:
        base = loaded("sklearn.base")
        if base is None or not isinstance(value, base.BaseEstimator):
            return None
        held = {name: part for name, part in vars(value).items() if not name.startswith("__")}
        return self._many(type(value).__qualname__, [part for pair in sorted(held.items()) for part in pair], depth)

    def _sparse(self, value: Any, depth: int) -> int | None:
        sparse = loaded("scipy.sparse")
        if sparse is not None and sparse.issparse(value):
            rows = value.tocoo()
            return self._many("sparse", [list(rows.shape), rows.row, rows.col, rows.data], depth)
        tree = loaded("sklearn.tree._tree")
        if tree is not None and isinstance(value, tree.Tree):
            return self._of([value.feature, value.threshold, value.value], depth)
        return None


def is_path(text: str) -> bool:
    """Tell whether a text names a place on the disk: temporary folders have another name in each run."""
    return (
        len(text) < 4096
        and ("/" in text or "\\" in text)
        and (text[:1] in "/\\" or text[1:3] == ":\\" or TEMPORARY in text)
    )


def _name(value: object) -> str:
    return type(value).__qualname__


def _scalar(value: Any) -> bytes:
    """Return bytes that tell the types apart too: 1, 1.0, True and "1" are four values."""
    if value is None:
        return b"None"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return b"i" + value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    if isinstance(value, float):
        return b"f" + value.hex().encode()
    if isinstance(value, complex):
        return b"c" + f"{value.real.hex()},{value.imag.hex()}".encode()
    return b"s" + value.encode("utf-8", "surrogatepass") if isinstance(value, str) else b"b" + value

"""A column of numbers that stays in its engine (DuckDB, Spark): counts at edges by expressions, never its rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .columns import Labels, Values
from .numeric import NumberCounts, NumberProfile, positions
from .statistics import Numbers
from .together import Products, products

__all__ = ["Remote", "remote_labels", "sums"]

X = "x"


class Remote(Values):
    """A column of numbers of a lazy frame of narwhals; its rows are fetched only where something needs them."""

    place: tuple[Any, Any, str, int]
    """narwhals, the frame, the column's name, and how many rows there are."""

    def __init__(self, nw: Any, frame: Any, name: str, rows: int) -> None:
        object.__setattr__(self, "kind", "numeric")
        object.__setattr__(self, "zone", "")
        object.__setattr__(self, "place", (nw, frame, name, rows))

    @cached_property
    def numbers(self) -> Numbers:
        """Fetch the column: what calibrating groups, classifiers and the examples of a failure need."""
        nw, frame, name, _ = self.place
        column = frame.select(nw.col(name).cast(nw.Float64)).collect().get_column(name)
        return np.asarray(column.to_numpy(), dtype=np.float64)

    @property
    def expression(self) -> Any:
        """Return the column as floats, NaN as null."""
        nw, _, name, _ = self.place
        number = nw.col(name).cast(nw.Float64)
        return nw.when(~number.is_nan()).then(number)

    @property
    def known(self) -> Any:
        """Return the values that are not null, as a lazy frame of one column."""
        nw, frame, _, _ = self.place
        return frame.select(self.expression.alias(X)).filter(~nw.col(X).is_null())

    def counted(self, edges: Numbers, *, moments: bool = True) -> NumberCounts:
        """Count in the engine: into the gaps between edges, by a binary search written as an expression, and on the edges."""
        nw, _, _, rows = self.place
        known = self.known
        gaps = _by(known.select(_search(nw, nw.col(X), edges.tolist(), 0, len(edges)).alias(X)), nw)
        on = _by(known.filter(nw.col(X).is_in(edges.tolist())), nw) if len(edges) else {}
        upto = np.cumsum([gaps.get(at, 0) for at in range(len(edges))], dtype=np.float64)
        below = upto - np.array([on.get(edge, 0) for edge in edges.tolist()], np.float64)
        size = sum(gaps.values())
        return NumberCounts(rows, rows - size, *self._facts(size, moments=moments, below=below, upto=upto))

    def _facts(self, size: int, *, moments: bool, below: Numbers, upto: Numbers) -> tuple[Any, ...]:
        nw, _, _, _ = self.place
        if not size:
            return 0, below, upto, *[math.nan] * 5
        median = float(self.known.select(nw.col(X).median()).collect().item())
        finite = self.known.filter(nw.col(X).is_finite())
        x = nw.col(X)
        asked = [
            nw.len().alias("n"),
            x.mean().alias("mean"),
            x.std(ddof=0).alias("sd"),
            x.min().alias("low"),
            x.max().alias("high"),
        ]
        found = {name: column[0] for name, column in finite.select(*asked).collect().to_dict(as_series=False).items()}
        count = int(found["n"])
        numbers = [float(found[name]) if count else math.nan for name in ("mean", "sd", "low", "high")]
        if not moments:
            numbers[:2] = [math.nan, math.nan]
        return size - count, below, upto, median, *numbers

    def profiled(self) -> NumberProfile:
        """Take the quantiles in the engine: the same order statistics as of a column in memory."""
        nw, _, _, _ = self.place
        finite = self.known.filter(nw.col(X).is_finite())
        size = int(finite.select(nw.len()).collect().item())
        ranked = finite.with_row_index("rank", order_by=X)
        wanted = (
            ranked.filter(nw.col("rank").is_in(positions(size).tolist())).select(X).collect().get_column(X).to_numpy()
        )
        edges = np.unique(np.asarray(wanted, np.float64))
        return NumberProfile(edges, self.counted(edges))


def _by(frame: Any, nw: Any) -> dict[Any, int]:
    counted = frame.group_by(X).agg(nw.len().alias("rows")).collect()
    return dict(zip(counted.get_column(X).to_list(), map(int, counted.get_column("rows").to_list()), strict=True))


def _search(nw: Any, x: Any, edges: Sequence[float], low: int, high: int) -> Any:
    """Return how many edges are smaller than x, as nested conditions: each row is compared ten times, not a thousand."""
    if low == high:
        return nw.lit(low)
    middle = (low + high) // 2
    smaller, larger = _search(nw, x, edges, low, middle), _search(nw, x, edges, middle + 1, high)
    return nw.when(x <= edges[middle]).then(smaller).otherwise(larger)


def sums(columns: Sequence[Values], limits: Sequence[Numbers]) -> Products:
    """Return `together.products` of columns; in the engine if all of them are there."""
    remote = [column for column in columns if isinstance(column, Remote)]
    if len(remote) < len(columns):
        return products([column.numbers for column in columns], limits)
    nw, frame, _, _ = remote[0].place
    size = len(remote)
    codes, masks = [], []
    for at, (column, limit) in enumerate(zip(remote, limits, strict=True)):
        x = column.expression
        known = ~x.is_null()
        code = _search(nw, x, limit.tolist(), 0, len(limit))
        codes.append(nw.when(known).then(code).otherwise(nw.lit(0)).cast(nw.Float64).alias(f"c{at}"))
        masks.append(known.cast(nw.Float64).alias(f"m{at}"))
    coded = frame.select(*codes, *masks)

    def total(one: str, two: str, power: int = 1) -> Any:
        pairs = [(i, j) for i in range(size) for j in range(size)]
        asked = [
            (nw.col(f"{one}{i}") * nw.col(f"{two}{j}") * (nw.col(f"{one}{i}") if power == 2 else 1.0))
            .sum()
            .alias(f"p{i}_{j}")
            for i, j in pairs
        ]
        found = coded.select(*asked).collect().to_dict(as_series=False)
        return np.array([found[f"p{i}_{j}"][0] for i, j in pairs], np.float64).reshape(size, size)

    return Products(total("m", "m"), total("c", "m"), total("c", "m", 2), total("c", "c"))


def remote_labels(nw: Any, frame: Any, name: str, rows: int) -> Labels | Values:
    """Return a column of texts or booleans, counted in the engine; its rows are not named in failures."""
    counted = frame.group_by(name).agg(nw.len().alias("rows of each")).collect()
    pairs = zip(counted.get_column(name).to_list(), counted.get_column("rows of each").to_list(), strict=True)
    counts = {str(label): int(count) for label, count in pairs if label is not None}
    if not counts:
        return Values("empty", np.full(rows, np.nan))

    def labels() -> list[str | None]:
        return [
            None if label is None else str(label) for label in frame.select(name).collect().get_column(name).to_list()
        ]

    return Labels("category", counts, rows - sum(counts.values()), labels)

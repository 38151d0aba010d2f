"""Whole rows: those that repeat another, nearly repeat it, or contradict it.

Each row becomes a number (`rows.hashed`), so that a million of them are compared by sorting. A frame that lives in an engine
is collected for it: rows have to meet somewhere. A contract without the three fields leaves it where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .hashing import mixed
from .parts import Part, part
from .rows import column_bits, hashed
from .source import Source

__all__ = ["repeats"]

Places = NDArray[np.intp]
BITS = 20


def repeats(source: Source, key: Sequence[str], label: str | None) -> dict[str, Places]:
    """Return the positions of rows that are `duplicates`, `near_duplicates` and `contradictions` of an earlier one.

    Near duplicates are compared without the key, and are no duplicates; contradictions without key and label. With nothing
    besides key and label there are none of either.
    """
    table = part("frame", source.native, None)
    features = [name for name in table.names if name not in key and name != label and name in source.names]
    if not features:
        return {"duplicates": _again(_all(table, table.names))}
    (read,) = hashed([table], features, label, near=True)
    labels = read.labels
    keys = _all(table, key) if key else np.zeros(table.rows, np.uint64)
    tail = np.zeros(table.rows, np.uint64) if labels is None else mixed(labels, len(table.names))
    whole = read.features + tail + mixed(keys, len(table.names) + 1)
    duplicates = _again(whole)
    near: set[int] = set()
    for grid in read.near:
        near |= {*_again(grid + tail).tolist()}
    found = {"duplicates": duplicates, "near_duplicates": np.array(sorted(near - {*duplicates.tolist()}), np.intp)}
    if labels is not None:
        found["contradictions"] = _contradicting(read.features, labels)
    return found


def _all(table: Part, names: Sequence[str]) -> Any:
    total = np.zeros(table.rows, np.uint64)
    for place, name in enumerate(names):
        total += mixed(column_bits([table], name)[0], place)
    return total


def _again(numbers: Any) -> Places:
    """Return the positions of rows whose number an earlier row has."""
    among = _shared(numbers)
    ordered = among[np.argsort(numbers[among], kind="stable")]
    held = numbers[ordered]
    again: Places = np.sort(ordered[1:][held[1:] == held[:-1]])
    return again


def _contradicting(features: Any, labels: Any) -> Places:
    """Return the positions of rows whose features an earlier row has, and whose label is not that of the first such row."""
    among = _shared(features)
    ordered = among[np.argsort(features[among], kind="stable")]
    if not len(ordered):
        return ordered
    held, named = features[ordered], labels[ordered]
    starts = np.flatnonzero(np.concatenate([[True], held[1:] != held[:-1]]))
    first = np.repeat(named[starts], np.diff(np.concatenate([starts, [len(held)]])))
    other: Places = np.sort(ordered[named != first])
    return other


def _shared(numbers: Any) -> Places:
    """Return the positions of all rows whose number another row has: few, as a rule, and the others need no order."""
    ordered = np.sort(numbers)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return np.empty(0, np.intp)
    likely = np.zeros(1 << BITS, np.bool_)  # by the first bits: most rows need no search
    shift = np.uint64(64 - BITS)
    likely[twice >> shift] = True
    some = np.flatnonzero(likely[numbers >> shift])
    at = np.searchsorted(twice, numbers[some])
    at[at == len(twice)] = 0
    found: Places = some[twice[at] == numbers[some]]
    return found

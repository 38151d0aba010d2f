"""Fingerprints cut to a size that fits into a repository: the finest parts go first, and the digest above them stays."""

from __future__ import annotations

import heapq
from itertools import chain
from typing import Final

from ..fingerprints.digest import Fingerprint

__all__ = ["MAX_DEPTH", "MAX_TEXT", "bounded", "is_empty"]

MAX_NODES: Final = 2_000
"""Parts at all levels together, of one area."""
MAX_DIRECT: Final = 10_000
"""Files, functions or fields of one area; they are kept beyond `MAX_NODES`, but nothing below them then."""
MAX_DEPTH: Final = 16
MAX_TEXT: Final = 300


def bounded(whole: Fingerprint) -> Fingerprint:
    """Return an area with its parts sorted by name and at most `MAX_NODES` nodes; a text says where parts were left out.

    The largest part loses its finest level, again and again, until all fit: chunks go before columns, columns before files.
    `bounded(bounded(x))` is `bounded(x)`.
    """
    direct = sorted(whole.parts, key=lambda named: (named[0], named[1].digest))
    if len(direct) > MAX_DIRECT:
        return _without_parts(whole, len(direct))
    depths = _depths([part for _, part in direct])
    parts = tuple((name, _cut(part, depth)) for (name, part), depth in zip(direct, depths, strict=True))
    return Fingerprint(whole.digest, whole.kind, parts, _short(whole.text))


def is_empty(area: Fingerprint) -> bool:
    """Tell whether an area was looked at and held nothing, which isn't the same as parts that were left out."""
    return not area.parts and not area.text


def _depths(parts: list[Fingerprint]) -> list[int]:
    """Return how many levels below each part are kept."""
    levels = [_levels(part) for part in parts]
    total = len(parts) + sum(chain.from_iterable(levels))
    heap = [(-sum(counts), at) for at, counts in enumerate(levels)]
    heapq.heapify(heap)
    while total > MAX_NODES and heap[0][0]:
        size, at = heapq.heappop(heap)
        dropped = levels[at].pop()
        total -= dropped
        heapq.heappush(heap, (size + dropped, at))
    return [len(counts) for counts in levels]


def _levels(part: Fingerprint) -> list[int]:
    """Return the number of nodes at each level below a part, down to the greatest depth."""
    counts: list[int] = []
    level = [inner for _, inner in part.parts]
    while level and len(counts) < MAX_DEPTH - 1:
        counts.append(len(level))
        level = [inner for node in level for _, inner in node.parts]
    return counts


def _cut(node: Fingerprint, depth: int) -> Fingerprint:
    if depth <= 0 and node.parts:
        return _without_parts(node, len(node.parts))
    parts = tuple((name, _cut(part, depth - 1)) for name, part in node.parts)
    return Fingerprint(node.digest, node.kind, parts, _short(node.text))


def _without_parts(node: Fingerprint, count: int) -> Fingerprint:
    words = f"{count:,} part{'' if count == 1 else 's'} not kept"
    return Fingerprint(node.digest, node.kind, (), ", ".join(filter(None, (_short(node.text), words))))


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 3]}..."

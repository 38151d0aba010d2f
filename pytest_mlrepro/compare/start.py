"""A first look at two large values: if they part at once, their digests need not be made to know that they differ."""

from __future__ import annotations

from ..values.node import Array, Chunk, Group, Node

__all__ = ["is_large", "part_at_once"]

LARGE = 1 << 17
"""Elements; below, a digest takes less time than opening the golden's arrays."""
LOOK = 1024


def is_large(node: Node) -> bool:
    """Tell whether a value has so many elements that looking at it twice shows."""
    return _elements(node) >= LARGE


def part_at_once(expected: Node, actual: Node) -> bool:
    """Tell whether the first elements of some array differ; False says nothing about the rest, nor about the structure."""
    if isinstance(expected, Group) and isinstance(actual, Group):
        pairs = zip(expected.children, actual.children, strict=False)
        return any(part_at_once(one, two) for (_, one), (_, two) in pairs)
    if not isinstance(expected, Array) or not isinstance(actual, Array) or expected.dtype != actual.dtype:
        return False
    stop = min(expected.data.size, actual.data.size, LOOK)
    return stop > 0 and _differ(expected.data.read(0, stop), actual.data.read(0, stop))


def _differ(one: Chunk, two: Chunk) -> bool:
    """Two NaNs of other bits, or objects, are left to the digest."""
    if one.dtype.kind == "O":
        return False
    different = one != two
    return bool(different.any() and (one[different] == one[different]).any())


def _elements(node: Node) -> int:
    if isinstance(node, Group):
        return sum(_elements(child) for _, child in node.children)
    return node.data.size if isinstance(node, Array) else 0

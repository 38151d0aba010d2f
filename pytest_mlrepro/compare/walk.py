"""Two trees side by side: structure exactly, then the values within their tolerances."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from ..values.node import Array, Group, Label, Node, Scalar, is_empty
from ..values.paths import path_text
from ..values.sources import LazySource
from .difference import Comparison, Difference, Kind
from .numeric import ArrayResult, compare_arrays
from .scalars import scalar_within
from .tolerance import Limits, Tolerances, require_used
from .words import ascii_safe, shorten

__all__ = ["compare", "dotted", "leaf_paths", "leaves"]

KEPT = 50
"""Differences that are kept; all are counted."""
SEQUENCES = ("list", "tuple")
PYTHON = {"float64": "float", "int64": "int", "bool": "bool", "str": "str"}
CHUNK = 4096


def compare(expected: Node, actual: Node, tolerances: Tolerances) -> Comparison:
    """Compare the golden with what this run gave.

    Keys, kinds, facts, dtypes, shapes and orders are compared exactly, and only where they are equal the values within
    `tolerances`, relative to `expected`. Raises UsageError for a glob of the tolerances that matches nothing on either
    side.
    """
    if tolerances.globs:
        require_used(tolerances, (*leaf_paths(expected), *leaf_paths(actual)))
    walk = _Walk(tolerances)
    walk.nodes(expected, actual, (), "")
    return Comparison(
        tuple(walk.found), walk.count, walk.checked, is_empty(expected) and is_empty(actual), walk.used, walk.tolerated
    )


def leaf_paths(node: Node) -> Iterator[str]:
    """Yield the dotted path of every leaf, as globs see it: `layers.0.weight`; "" for a value that is a leaf itself."""
    return (path for path, _ in leaves(node))


def leaves(node: Node, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the dotted path of every leaf, and its dtype or kind of scalar; an empty group counts as a leaf."""
    if not isinstance(node, Group):
        yield path, node.dtype if isinstance(node, Array) else node.kind
        return
    for label, child in node.children:
        yield from leaves(child, f"{path}.{dotted(label)}" if path else dotted(label))
    if not node.children:
        yield path, node.kind


def dotted(label: Label) -> str:
    """Return one step of a dotted path, as globs of tolerances see it."""
    if isinstance(label, str | int):
        return str(label)
    return str(label.value) if isinstance(label, Scalar) else path_text((label,), root="")[1:-1]


@dataclass(slots=True)
class _Walk:
    """What has been found so far."""

    tolerances: Tolerances
    found: list[Difference] = field(default_factory=list)
    count: int = 0
    checked: int = 0
    used: float = 0.0
    tolerated: int = 0
    known: dict[str, Limits] = field(default_factory=dict)
    """Limits by dtype, for tolerances that don't depend on the path."""

    def add(self, kind: Kind, path: tuple[Label, ...], expected: Any = None, actual: Any = None, **more: Any) -> None:
        """Note a difference; keep it if it is among the first."""
        self.count += 1
        if len(self.found) < KEPT:
            self.found.append(Difference(kind, path, expected, actual, **more))

    def limits(self, path: tuple[Label, ...], dtype: str) -> Limits:
        if not self.tolerances.uniform:
            return self.tolerances.limits(".".join(map(dotted, path)), dtype)
        if dtype not in self.known:
            self.known[dtype] = self.tolerances.limits("", dtype)
        return self.known[dtype]

    def nodes(self, expected: Node, actual: Node, path: tuple[Label, ...], owner: str) -> None:
        if isinstance(expected, Scalar) and isinstance(actual, Scalar):
            self.scalars(expected, actual, path)
        elif isinstance(expected, Array) and isinstance(actual, Array):
            self.arrays(expected, actual, path, owner)
        elif isinstance(expected, Group) and isinstance(actual, Group):
            self.groups(expected, actual, path, owner)
        elif expected.kind == actual.kind and expected.kind in SEQUENCES:
            self.sequences(expected, actual, path)
        else:
            self.add("kind", path, _kind(expected), _kind(actual))

    def groups(self, expected: Group, actual: Group, path: tuple[Label, ...], owner: str) -> None:
        if expected.kind != actual.kind:
            self.add("kind", path, expected.kind, actual.kind)
            return
        if expected.attrs != actual.attrs:
            self.attributes(dict(expected.attrs), dict(actual.attrs), path)
        labels = _labels(expected), _labels(actual)
        if labels[0] and labels[1] and labels[0].dtype == labels[1].dtype and labels[0].shape == labels[1].shape:
            before = self.count
            exact = Limits(fraction=self.limits(path, "str").fraction)
            self.elements(labels[0], compare_arrays(labels[0], labels[1], exact), exact, path, owner)
            if self.count > before or exact.fraction:
                return
        if len(expected.children) == len(actual.children):
            pairs = zip(expected.children, actual.children, strict=True)
            if all(one[0] == two[0] and type(one[0]) is type(two[0]) for one, two in pairs):
                for (label, one), (_, two) in zip(expected.children, actual.children, strict=True):
                    if not _plainly_equal(one, two):
                        self.nodes(one, two, (*path, label), expected.kind)
                    else:
                        self.checked += 1
                return
        self.uneven(expected, actual, path)

    def uneven(self, expected: Group, actual: Group, path: tuple[Label, ...]) -> None:
        """Compare groups whose labels differ: what is on one side only, the order, then what both have."""
        if expected.kind in SEQUENCES and len(expected.children) != len(actual.children):
            self.add("length", path, len(expected.children), len(actual.children))
        old, new = (_by_label(group) for group in (expected, actual))
        for key, (label, node) in old.items():
            if key not in new:
                self.add("missing", (*path, label), _kind(node))
        for key, (label, node) in new.items():
            if key not in old:
                self.add("new", (*path, label), None, _kind(node))
        both = [key for key in old if key in new], [key for key in new if key in old]
        if both[0] != both[1]:
            self.add(
                "order",
                path,
                *(tuple(side[key][0] for key in keys) for side, keys in zip((old, new), both, strict=True)),
            )
        for key in both[0]:
            self.nodes(old[key][1], new[key][1], (*path, old[key][0]), expected.kind)

    def attributes(self, expected: dict[str, str], actual: dict[str, str], path: tuple[Label, ...]) -> None:
        for name in sorted({*expected, *actual}):
            if expected.get(name) != actual.get(name):
                self.add("attribute", path, expected.get(name, "none"), actual.get(name, "none"), what=name)

    def scalars(self, expected: Scalar, actual: Scalar, path: tuple[Label, ...]) -> None:
        if expected.kind != actual.kind:
            self.add("kind", path, _kind(expected), _kind(actual))
            return
        self.checked += 1
        limits = self.limits(path, expected.kind)
        if not scalar_within(expected.value, actual.value, expected.kind, limits):
            self.add("value", path, expected.value, actual.value, what=expected.kind, limits=limits)

    def arrays(self, expected: Array, actual: Array, path: tuple[Label, ...], owner: str) -> None:
        if expected.kind != actual.kind:
            self.add("kind", path, _kind(expected), _kind(actual))
        elif expected.dtype != actual.dtype and expected.kind in SEQUENCES:
            self.sequences(expected, actual, path)
        elif expected.dtype != actual.dtype:
            self.add("dtype", path, expected.dtype, actual.dtype)
        elif expected.shape != actual.shape:
            self.shapes(expected, actual, path)
        else:
            limits = self.limits(path, expected.dtype)
            self.elements(expected, compare_arrays(expected, actual, limits), limits, path, owner)

    def shapes(self, expected: Array, actual: Array, path: tuple[Label, ...]) -> None:
        if expected.kind in SEQUENCES:
            self.add("length", path, expected.shape[0], actual.shape[0])
        else:
            self.add("shape", path, expected.shape, actual.shape)

    def elements(self, array: Array, result: ArrayResult, limits: Limits, path: tuple[Label, ...], owner: str) -> None:
        self.checked += result.checked
        self.used = max(self.used, result.used)
        found = result.difference
        if found is None:
            return
        odd = found.nan or found.infinite or found.null
        if not odd and found.outside <= Fraction(limits.fraction) * found.total:
            self.tolerated += found.outside
            return
        kind: Kind = "values" if found.outside else "nulls"
        self.add(kind, path, what=array.dtype, limits=limits, array=found, owner=owner)

    def sequences(self, expected: Node, actual: Node, path: tuple[Label, ...]) -> None:
        """Compare lists of which one is packed and the other not, or both with other types of items, item by item."""
        lengths = _length(expected), _length(actual)
        if lengths[0] != lengths[1]:
            self.add("length", path, *lengths)
        for position, (one, two) in enumerate(zip(_items(expected), _items(actual), strict=False)):
            if not _plainly_equal(one, two):
                self.nodes(one, two, (*path, position), expected.kind)
            else:
                self.checked += 1


def _kind(node: Node) -> str:
    if isinstance(node, Array):
        return f"{node.kind} of {node.dtype}"
    if isinstance(node, Scalar) and node.kind in ("bool", "int", "float", "complex", "str", "bytes"):
        return f"{node.kind} {shorten(ascii_safe(node.value))}"
    return node.kind


def _labels(group: Group) -> Array | None:
    """Return the labels that the codes of a categorical column stand for; None for another group."""
    if group.kind != "categorical":
        return None
    parts = {label: node for label, node in group.children if isinstance(label, str) and isinstance(node, Array)}
    if parts.keys() != {"categories", "codes"}:
        return None
    categories, codes = parts["categories"], parts["codes"]
    names = np.array(categories.data.read(0, categories.data.size))
    if not names.size:
        names = np.full(
            1, "" if names.dtype.kind == "O" else 0, names.dtype
        )  # all are null, and what stands under a null is never shown
    data = LazySource(codes.data.size, lambda start, stop: names[codes.data.read(start, stop)])
    return Array(codes.kind, categories.dtype, codes.shape, data, codes.valid)


def _by_label(group: Group) -> dict[Any, tuple[Label, Node]]:
    """Return children by label and how often it came before, since a table may repeat a column."""
    found: dict[Any, tuple[Label, Node]] = {}
    for label, node in group.children:
        key, times = _key(label), 0
        while (key, times) in found:
            times += 1
        found[key, times] = label, node
    return found


def _key(label: Label) -> object:
    """Return something hashable and as exact as the label: `1` and `True` differ, NaN equals itself."""
    if isinstance(label, str | int):
        return isinstance(label, str), label
    if isinstance(label, Scalar):
        return label.kind, repr(label.value)
    return repr(label)


def _length(node: Node) -> int:
    if isinstance(node, Array):
        return math.prod(node.shape)
    return len(node.children) if isinstance(node, Group) else 1


def _items(node: Node) -> Iterator[Node]:
    if isinstance(node, Group):
        yield from (child for _, child in node.children)
    elif isinstance(node, Array):
        kind = PYTHON.get(node.dtype, node.dtype)
        for start in range(0, node.data.size, CHUNK):
            chunk = node.data.read(start, min(start + CHUNK, node.data.size))
            yield from (Scalar(kind, value) for value in chunk.tolist())


def _plainly_equal(one: Node, two: Node) -> bool:
    """Tell whether two scalars are equal beyond doubt; zeros have signs, so they are left to the slower way."""
    return (
        type(one) is Scalar
        and type(two) is Scalar
        and one.kind == two.kind
        and one.value == two.value
        and bool(one.value)
    )

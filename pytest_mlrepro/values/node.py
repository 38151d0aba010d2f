"""What a value is once the library that it came from is forgotten: a tree of groups over scalar and array leaves.

Everything that digests, compares or stores a value works on this tree, so that the three can't disagree about what
equal means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt

__all__ = ["Array", "Chunk", "Field", "Group", "Label", "Node", "PackedSource", "Scalar", "Source", "is_empty"]

Chunk: TypeAlias = npt.NDArray[Any]


class Field(str):
    """Label of a field of a dataclass or named tuple: compares as its name and is rendered `.name`, not `['name']`."""

    __slots__ = ()


class Source(Protocol):
    """The elements of an array, flattened in C order and readable in pieces of bounded size."""

    @property
    def size(self) -> int:
        """Number of elements."""

    def read(self, start: int, stop: int) -> Chunk:
        """Return elements `start:stop` as a 1-D array in native byte order.

        The result may be a view or a reused buffer: it is good until the next `read` of this source by the same thread,
        and never written to. Several threads may read at once. Elements have the *storage* dtype of the array's `dtype`
        (see `values.dtypes`); strings come as an object array of `str`.
        """


class PackedSource(Source, Protocol):
    """Strings that lie on end somewhere, as Arrow keeps them: they can be read without an object for each."""

    def packed(self, start: int, stop: int) -> tuple[Chunk, bytes | memoryview]:
        """Return the number of bytes of each of the elements `start:stop` as integers, and their UTF-8 on end."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A leaf that is one Python value."""

    kind: str
    """`none bool int float complex str bytes datetime date time timedelta decimal fraction uuid path enum …`"""
    value: Any
    """The canonical Python value: of the type that `kind` names, or its canonical text where that is no builtin."""


@dataclass(frozen=True, slots=True)
class Array:
    """A leaf of many elements with one dtype; null elements are marked by `valid` and hold zero (or "") in `data`."""

    kind: str
    """Where it came from: `numpy.ndarray numpy.scalar torch.Tensor list tuple column …`"""
    dtype: str
    """Canonical name, free of byte order and width of strings: `float64 bfloat16 datetime64[ns] str bytes bool …`"""
    shape: tuple[int, ...]
    data: Source
    valid: Source | None = None
    """Booleans, False where the element is null; None when nothing is."""


@dataclass(frozen=True, slots=True)
class Group:
    """Named or numbered parts, and facts about them that are compared exactly."""

    kind: str
    """`dict list tuple set frozenset dataclass namedtuple numpy.structured pandas.DataFrame polars.Series …`"""
    attrs: tuple[tuple[str, str], ...]
    """Sorted facts as text, such as `("type", "Config")` or `("ordered", "true")`."""
    children: tuple[tuple[Label, Node], ...]
    """In order where order has meaning; dicts and sets sorted, so that equal ones have equal trees."""


Node: TypeAlias = Scalar | Array | Group
Label: TypeAlias = str | int | Scalar | Group
"""A `str` is a key, field or column of that name; an `int` is a position; other keys are described as nodes."""


def is_empty(node: Node) -> bool:
    """Tell whether a value holds no element at all, so that a comparison of it could not fail."""
    if isinstance(node, Group):
        return all(is_empty(child) for _, child in node.children)
    return isinstance(node, Array) and node.data.size == 0

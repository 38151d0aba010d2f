"""What a function of a seed may return: one number, or several under names; everything else is refused with what to pass."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from ..errors import FingerprintError, UsageError
from ..values import dtypes
from ..values.describe import describe
from ..values.node import Array, Group, Label, Node, Scalar
from ..values.paths import path_text

__all__ = ["MOST", "Metrics", "metrics_of"]

MOST: Final = 64
"""Numbers that one seed may give: each is tested by itself, and each makes the tests of all others stricter."""
EXACT: Final = 2**53
GREATEST: Final = 1e300
"""Beyond, the difference of two numbers may not be one."""
CONTAINERS: Final = ("dict", "list", "tuple", "namedtuple", "dataclass")

Metrics = dict[str, float]
"""Numbers by name; the name of a single number is ""."""


def metrics_of(value: object, where: str) -> Metrics:
    """Return the numbers of a metric: a float or integer, an array, or containers of these, at most 64 in all.

    A part has the path to it as its name: `loss`, `head.bias`, `per_class[3]`. NaN and infinities are kept, since which
    seed gave them is for the caller to say. Raises UsageError for booleans, complex numbers, texts, nulls, integers that
    a float can't hold, and for nothing at all; `where` says which seed of what gave the value.
    """
    if hasattr(value, "__await__"):
        raise UsageError(f"{where} gave a coroutine: run it inside of fn, as in asyncio.run(train(seed))")
    try:
        node = describe(value)
    except FingerprintError as error:
        raise UsageError(f"{where} gave no metric: {error}") from None
    found: Metrics = {}
    for name, number in _numbers(node, (), where):
        if name in found:
            raise UsageError(f"{where} gave two numbers that are both called {name!r}: rename one")
        found[name] = number
        if len(found) > MOST:
            raise UsageError(f"{where} gave more than {MOST} numbers: return the few that matter, such as their mean")
    if not found:
        raise UsageError(f"{where} gave no number at all: {type(value).__name__} without an element")
    return found


def _numbers(node: Node, path: tuple[Label, ...], where: str) -> Iterator[tuple[str, float]]:
    if isinstance(node, Group) and node.kind in CONTAINERS:
        for label, child in node.children:
            yield from _numbers(child, (*path, label), where)
    elif isinstance(node, Array):
        yield from _items(node, path, where)
    elif isinstance(node, Scalar) and node.kind in ("int", "float"):
        yield _name(path), _number(node.value, path, where)
    else:
        raise _refusal(node.kind, path, where)


def _items(node: Array, path: tuple[Label, ...], where: str) -> Iterator[tuple[str, float]]:
    if not (dtypes.is_float(node.dtype) or dtypes.is_integer(node.dtype)):
        raise _refusal(f"{node.kind} of {node.dtype}", path, where)
    if node.valid is not None:
        raise _refusal(f"{node.kind} with nulls", path, where)
    if node.data.size > MOST:
        raise UsageError(
            f"{where} gave {node.data.size:,} numbers{_at(path)}: return the few that matter, such as their mean"
        )
    for place, item in enumerate(dtypes.numbers(node.data.read(0, node.data.size), node.dtype).tolist()):
        index = _index(place, node.shape)
        yield _name(path) + index, _number(item, path, where)


def _index(place: int, shape: tuple[int, ...]) -> str:
    """Return `[i, j]` of a place in C order; "" for the one element of an array without axes."""
    parts: list[str] = []
    for size in reversed(shape):
        place, part = divmod(place, size)
        parts.insert(0, str(part))
    return f"[{', '.join(parts)}]" if parts else ""


def _number(value: Any, path: tuple[Label, ...], where: str) -> float:
    if isinstance(value, int) and abs(value) > EXACT:
        raise UsageError(f"{where} gave {value}{_at(path)}: a float can't hold it exactly")
    number = float(value)
    if math.isfinite(number) and abs(number) > GREATEST:
        raise UsageError(f"{where} gave {number!r}{_at(path)}: differences of such numbers are beyond a float")
    return number


def _name(path: tuple[Label, ...]) -> str:
    """Return `head.bias` for keys and fields, `[3]` for positions; other keys as they are shown."""
    text = ""
    for label in path:
        if isinstance(label, str):
            text += f".{label}" if text else str(label)
        else:
            text += path_text((label,), root="")
    return text


def _at(path: tuple[Label, ...]) -> str:
    return f" at {_name(path)}" if path else ""


def _refusal(kind: str, path: tuple[Label, ...], where: str) -> UsageError:
    hint = "; for a share, return it as a float" if "bool" in kind else ""
    return UsageError(
        f"{where} gave {kind}{_at(path)}: a number, a small array, or a mapping of names to numbers is expected{hint}"
    )

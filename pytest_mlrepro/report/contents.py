"""What a golden holds, in lines for a person."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from ..golden.record import Golden, Recorded
from ..values.dtypes import numbers
from ..values.node import Array, Group, Label, Node, Scalar
from ..values.paths import path_text

__all__ = ["contents"]

LEAVES = 30
ITEMS = 4
WIDTH = 60


def contents(golden: Golden, folder: Path, names: Collection[str] | None = None) -> Iterator[str]:
    """Yield a line for each check (of these names, if given), then one for each of its first 30 leaves."""
    for name, check in sorted(golden.checks.items()):
        if names is not None and name not in names:
            continue
        yield f"{name or '(unnamed)'}  {_allowed(check)}  {check.digest[:32]}…"
        leaves = _leaves(check.node(folder), ())
        yield from (f"  {line}" for line in islice(leaves, LEAVES))
        more = sum(1 for _ in leaves)
        if more:
            yield f"  … and {more} more"


def _allowed(check: Recorded) -> str:
    facts = ", ".join(f"{name}={value}" for name, value in sorted(check.tolerance.items()))
    return f"tolerance {facts}" if facts else "default tolerance"


def _leaves(node: Node, path: tuple[Label, ...]) -> Iterator[str]:
    if isinstance(node, Group):
        for label, child in node.children:
            yield from _leaves(child, (*path, label))
    elif isinstance(node, Scalar):
        yield f"{path_text(path)} = {_cut(repr(node.value))} ({node.kind})"
    else:
        shape = "x".join(map(str, node.shape)) or "one"
        yield f"{path_text(path)}: {node.kind} {node.dtype} {shape}  {_cut(_items(node))}"


def _items(node: Array) -> str:
    stop = min(node.data.size, ITEMS)
    items = numbers(node.data.read(0, stop), node.dtype).tolist()
    if node.valid is not None:
        items = [item if valid else "null" for item, valid in zip(items, node.valid.read(0, stop), strict=True)]
    return "[" + ", ".join(map(str, items)) + (", …]" if node.data.size > ITEMS else "]")


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"

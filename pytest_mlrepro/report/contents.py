"""What a golden holds, in lines for a person."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from ..compare.distribution import level_of
from ..compare.distribution_words import recorded_line
from ..drift.words import profile_lines
from ..golden.alike import is_distribution, metrics_in, sample_of
from ..golden.allowed import allowed_by_key, allowed_text
from ..golden.contracted import is_contract, recorded_text
from ..golden.record import RATE, Golden, Recorded
from ..golden.undrifted import is_profile, profile_in
from ..values.dtypes import numbers
from ..values.node import Array, Group, Label, Node, Scalar
from ..values.paths import path_text

__all__ = ["contents"]

LEAVES = 30
ITEMS = 4
WIDTH = 60


def contents(
    golden: Golden, folder: Path, names: Collection[str] | None = None, *, elsewhere: int = 0
) -> Iterator[str]:
    """Yield a line for each check (of these names, if given), then one for each of its first 30 leaves.

    elsewhere: metrics of the distribution checks of other goldens, which share a false-alarm rate with those of this one.
    """
    metrics = elsewhere + sum(map(metrics_in, golden.checks.values()))
    for name, check in sorted(golden.checks.items()):
        if names is not None and name not in names:
            continue
        yield f"{name or '(unnamed)'}  {allowed_text(check.tolerance)}  {check.digest[:32]}…"
        yield from (f"  {line}" for line in islice(allowed_by_key(check.tolerance), LEAVES))
        if not check.is_here(folder):
            yield "  its arrays are in the store, and not on this machine: bring them here with  mlrepro fetch"
            continue
        distributed = is_distribution(check)
        leaves = _metrics(check, folder, metrics) if distributed else _told(check, folder)
        yield from (f"  {line}" for line in islice(leaves, LEAVES))
        more = sum(1 for _ in leaves)
        if more:
            yield f"  … and {more} more"


def _metrics(check: Recorded, folder: Path, metrics: int) -> Iterator[str]:
    sample = sample_of(check.node(folder))
    level = level_of(check.tolerance[RATE], metrics)
    yield f"over {len(sample.seeds)} seeds, {sample.seeds[0]} to {sample.seeds[-1]}; tested with {metrics} in the suite"
    yield from (f"{name or 'metric'}: {recorded_line(values, level)}" for name, values in sample.values.items())


def _told(check: Recorded, folder: Path) -> Iterator[str]:
    if is_contract(check):
        return (line for line in recorded_text(check, folder).splitlines() if line)
    return profile_lines(profile_in(check, folder)) if is_profile(check) else _leaves(check.node(folder), ())


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

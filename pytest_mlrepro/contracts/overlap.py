"""What two parts of a split share: rows, the same rows with another label, keys, groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .chance import by_chance
from .encoded import Items
from .finding import Finding
from .hashing import folded, mixed, of_family
from .parts import Part
from .rows import Hashed, Matches, Read, matches
from .split_words import FIRST, first, many, named, paired, rows_of, short, value_at

__all__ = ["null_keys", "shared_rows", "shared_values"]

BUT: Final = "but for {}, which names rows"


def shared_rows(
    parts: Sequence[Part], hashes: Sequence[Hashed], at: tuple[int, int], features: Sequence[str],
    left_out: Sequence[str], label: str | None,
) -> tuple[list[Finding], Matches]:  # fmt: skip
    """Return the rows that two parts share, with the same label and with another, and all rows of equal features."""
    one, two = (hashes[part] for part in at)
    found = matches(one.features, two.features)
    if not len(found.here) or by_chance(parts, hashes, at, found, features, near=False):
        return [], found
    names = parts[at[0]].name, parts[at[1]].name
    if one.labels is None or two.labels is None:
        return [_identical(names, found, two.features, features, left_out, None)], found
    with_label = [mixed(rows.labels, -2) + rows.features for rows in (one, two)]
    same = matches(*with_label)
    findings = [_identical(names, same, with_label[1], features, left_out, label)] if len(same.here) else []
    other = _other_label(one, two, with_label)
    if len(other.here):
        findings.append(_relabelled(parts, at, other, label or "", len(features)))
    return findings, found


def _identical(
    names: tuple[str, str],
    found: Matches,
    rows: Any,
    features: Sequence[str],
    left_out: Sequence[str],
    label: str | None,
) -> Finding:
    over = f"all {many(len(features), 'column')} that both have" + (f" and the label {label!r}" if label else "")
    but = f", {BUT.format(named(left_out))}" if left_out else ""
    return Finding(
        "identical-rows",
        (),
        len(found.here),
        first(found.here),
        f"{many(len(found.here), 'row')} of {names[1]} ({len(found.here) / len(rows):.2%}) "
        f"{'is' if len(found.here) == 1 else 'are'} also in {names[0]} ({many(found.sources, 'row')} there), identical in "
        f"{over}{but}: {paired(*names, found.there, found.here)}; none is expected",
        "drop duplicates before the split, or keep copies together with group=",
    )


def _other_label(one: Hashed, two: Hashed, same: Sequence[Any]) -> Matches:
    """Return the rows of equal features for which the first part has another label; partners of the first ones only.

    same: the rows of both with their labels, as numbers. A row has such a partner if more rows equal its features than equal it.
    """
    here = np.flatnonzero(_times(one.features, two.features) > _times(same[0], same[1]))
    sources = int((_times(two.features, one.features) > _times(same[1], same[0])).sum())
    partners = [
        int(np.flatnonzero((one.features == two.features[row]) & (same[0] != same[1][row]))[0]) for row in here[:FIRST]
    ]
    return Matches(here, np.array(partners, np.int64), sources)


def _times(rows: Any, asked: Any) -> Any:
    """Return how often each of `asked` is among `rows`."""
    ordered = np.sort(rows)
    return np.searchsorted(ordered, asked, "right") - np.searchsorted(ordered, asked, "left")


def _relabelled(parts: Sequence[Part], at: tuple[int, int], other: Matches, label: str, columns: int) -> Finding:
    one, two = (parts[part] for part in at)
    labels = [
        short(value_at(part.column(label), int(row))) for part, row in ((two, other.here[0]), (one, other.there[0]))
    ]
    return Finding(
        "other-label",
        (label,),
        len(other.here),
        first(other.here),
        f"{many(len(other.here), 'row')} of {two.name} {'has' if len(other.here) == 1 else 'have'} the same features "
        f"({many(columns, 'column')}) as {many(other.sources, 'row')} of {one.name} and another {label!r}: "
        f"{paired(one.name, two.name, other.there, other.here)} ({labels[0]} where {one.name} has {labels[1]})",
        "one of the two labels is wrong, or the features don't tell them apart",
    )


def shared_values(
    parts: Sequence[Part], at: tuple[int, int], columns: Sequence[str], kind: str, noun: str
) -> list[Finding]:
    """Return the keys or groups that two parts share; nulls are nobody's."""
    one, two = parts[at[0]], parts[at[1]]
    findings, known = [], np.zeros(two.rows, bool)
    for fold, how in ((False, ""), (True, " once case and spaces are left aside")):
        bits, null = _values(parts, at, columns, fold=fold)
        found = _present(bits, (null[0], null[1] | known))
        if len(found.here):
            findings.append(_shared(one, two, columns, found, bits[1][found.here], kind, noun, how))
        known[found.here] = True
    return findings


def _values(parts: Sequence[Part], at: tuple[int, int], columns: Sequence[str], *, fold: bool) -> Any:
    pair = [parts[part] for part in at]
    bits = [np.zeros(part.rows, np.uint64) for part in pair]
    null = [np.zeros(part.rows, bool) for part in pair]
    for place, name in enumerate(columns):
        read = Read.of(name, pair)
        for side in (0, 1):
            column = read.columns[side]
            text = fold and isinstance(column, Items) and of_family(read.columns)
            bits[side] += mixed(folded(column) if text and isinstance(column, Items) else read.bits(side), place)
            null[side] |= column.null
    return bits, null


def _present(bits: Sequence[Any], null: Sequence[Any]) -> Matches:
    """Return the rows of the second that are in the first, neither being null."""
    there, here = (np.flatnonzero(~missing) for missing in null)
    found = matches(bits[0][there], bits[1][here]) if len(there) and len(here) else Matches(here[:0], there[:0], 0)
    return Matches(here[found.here], there[found.there], found.sources)


def _shared(
    one: Part, two: Part, columns: Sequence[str], found: Matches, values: Any, kind: str, noun: str, how: str
) -> Finding:
    distinct = len(np.unique(values))
    some = ", ".join(
        " / ".join(short(value_at(two.column(name), int(row))) for name in columns)
        for row in _first_of_each(values, found.here)
    )
    return Finding(
        kind,
        tuple(columns),
        distinct,
        first(found.here),
        f"{many(distinct, noun)} ({named(columns)}) {'is' if distinct == 1 else 'are'} in both {one.name} and {two.name}{how}: "
        f"{some}{', …' if distinct > 3 else ''}; {many(len(found.here), 'row')} of {two.name} "
        f"({len(found.here) / two.rows:.2%}) and {many(found.sources, 'row')} of {one.name}: "
        f"{paired(one.name, two.name, found.there, found.here)}".replace(" is row ", " has that of row ", 1),
        f"split by {named(columns)}: no {noun} may be in two parts",
    )


def _first_of_each(values: Any, here: Any) -> Any:
    _, starts = np.unique(values, return_index=True)
    return here[np.sort(starts)[:3]]


def null_keys(parts: Sequence[Part], columns: Sequence[str], noun: str) -> list[Finding]:
    """Return the rows without a key or group: whether they are shared can't be told."""
    findings = []
    for part in parts:
        for name in columns:
            null = np.flatnonzero(part.column(name).null)
            if len(null):
                findings.append(
                    Finding(
                        "null-keys",
                        (name,),
                        len(null),
                        first(null),
                        f"{name!r} of {part.name} is null in {many(len(null), 'row')}, so that nobody can tell whether another "
                        f"part has their {noun}: {rows_of(part.name, null)}",
                    )
                )
    return findings

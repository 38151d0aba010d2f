"""A frame into a profile, and a frame into the columns that a profile knows: the same steps for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Final

import numpy as np

from ..errors import UsageError
from . import embeddings, texts, together
from .categories import CategoryProfile, kept
from .columns import Column, Kind, Labels, Values
from .grouped import Allowances, Grouping, allowances, cells, grouping, shares, steps
from .numeric import NumberProfile
from .profile import PREDICTIONS, Encoders, Entry, Profile
from .reading import Table, is_frame, table
from .remote import sums
from .statistics import Numbers

__all__ = ["EMBEDDING", "Prepared", "prepared", "profile_of", "read_kind"]

EMBEDDING: Final = "embedding"
"""What stands for data that is no frame."""
KINDS: Final = ("numeric", "category", "text")
CELLS: Final = 101
"""Quantiles at which groups are held against each other."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A frame as its columns are compared: predictions beside them, groups and ignored columns apart."""

    table: Table
    encoded: Mapping[str, Numbers]
    """Embeddings by the column that they stand for."""
    groups: Grouping | None


def prepared(
    frame: Any, predictions: Any, encoder: Encoders | None, groups: Any, ignore: tuple[str, ...], what: str
) -> Prepared:
    """Read a frame; UsageError for an argument that does not fit it."""
    if callable(encoder):
        read, points = _whole(frame, encoder, what)
    else:
        read, points = table(frame, what), {}
    if predictions is not None:
        read = read.with_columns(_predicted(predictions(frame) if callable(predictions) else predictions, read.rows))
    together_with = _grouping(read, groups, what)
    apart = set(ignore) | ({groups} if isinstance(groups, str) else set())
    for name, function in encoder.items() if isinstance(encoder, Mapping) else ():
        if name in read.names:
            points[name] = embeddings.encoded(function, read.raw(name), read.rows, f"column {name!r}")
            apart.add(name)
    return Prepared(read.but(apart), points, together_with)


def _whole(frame: Any, encoder: embeddings.Encoder, what: str) -> tuple[Table, dict[str, Numbers]]:
    """Return the embeddings of data that is no frame; of a frame too, if one function is given for all of it."""
    rows = table(frame, what).rows if is_frame(frame) else len(frame)
    if not rows:
        raise UsageError(f"drift: {what} has no rows: nothing can be compared")
    return Table((), rows, {}), {EMBEDDING: embeddings.encoded(encoder, frame, rows, what)}


def _predicted(made: Any, rows: int) -> dict[str, Any]:
    if hasattr(made, "detach"):
        made = made.detach().cpu().numpy()
    array = np.asarray(made)
    if array.shape[:1] != (rows,) or array.ndim > 2:
        raise UsageError(
            f"drift: predictions must have shape ({rows},) or ({rows}, outputs), one for each row; got {array.shape}"
        )
    if array.ndim == 1 or array.shape[1] == 1:
        return {PREDICTIONS: array.reshape(rows)}
    return {f"{PREDICTIONS}[{at}]": np.ascontiguousarray(array[:, at]) for at in range(array.shape[1])}


def _grouping(read: Table, groups: Any, what: str) -> Grouping | None:
    if groups is None:
        return None
    if not isinstance(groups, str):
        return grouping(groups, read.rows, "", what)
    if groups not in read.names:
        raise UsageError(f"drift: groups={groups!r} is no column of {what}: it has {', '.join(read.names[:12])}")
    column = read.column(groups)
    labels = column.numbers if isinstance(column, Values) else [str(label) for label in column.labels]
    return grouping(np.asarray(labels), read.rows, groups, what)


def read_kind(name: str, column: Column, kind: Kind | None) -> Column:
    """Return a column as one of another kind: numbers as categories, categories as texts; what can't be stays as it is."""
    if kind == "category" and isinstance(column, Values) and column.kind == "numeric":
        labels = [None if number != number else f"{number:.15g}" for number in column.numbers.tolist()]
        from .columns import of_texts

        return of_texts(labels)
    if isinstance(column, Labels) and kind in ("text", "category") and column.kind != "mixed":
        return replace(column, kind=kind)
    return column


def profile_of(
    frame: Any,
    predictions: Any,
    encoder: Encoders | None,
    groups: Any,
    kinds: Mapping[str, Kind],
    ignore: tuple[str, ...],
    least: int,
    date: str,
) -> Profile:
    """Return the profile; see `Profile.of`."""
    made = prepared(frame, predictions, encoder, groups, ignore, "the reference")
    for name in encoder if isinstance(encoder, Mapping) else ():
        if name not in made.encoded:
            raise UsageError(f"drift: encoder names {name!r}, which is no column of the reference")
    _require_kinds(kinds, made.table)
    entries: dict[str, Entry] = {}
    words: dict[str, texts.Vocabulary] = {}
    numbers: dict[str, Values] = {}
    measures: dict[str, Any] = {}
    for name in made.table.names:
        column = read_kind(name, made.table.column(name), kinds.get(name))
        if isinstance(column, Labels) and (kinds.get(name) == "text" or (name not in kinds and texts.is_text(column))):
            column = replace(column, kind="text")
            words[name] = texts.vocabulary(column, least=max(least, 1))
            derived = texts.as_numbers(name, column, words[name], reference=True)
            entries.update({title: replace(_numbers(part, least), made=True) for title, part in derived.items()})
        entries[name] = _entry(column, least)
        if isinstance(column, Values) and column.kind == "numeric" and len(numbers) < together.MOST:
            numbers[name] = column
        if made.groups is not None:
            measures.update(_measures(name, column, entries[name], made.groups))
    kept_directions = {}
    for name, points in made.encoded.items():
        kept_directions[name], parts = _embedded(name, points)
        entries.update({title: replace(_numbers(part, least), made=True) for title, part in parts.items()})
    pairs, more = _together(numbers, entries, made.groups)
    return Profile(
        made.table.rows,
        date,
        entries,
        pairs,
        words,
        kept_directions,
        _allowed(made.groups, {**measures, **more}),
        least,
        ignore,
    )


def _require_kinds(kinds: Mapping[str, Kind], read: Table) -> None:
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise UsageError(f"drift: kinds[{name!r}] must be one of {', '.join(KINDS)}, got {kind!r}")
        if name not in read.names:
            raise UsageError(f"drift: kinds names {name!r}, which is no column of the reference")


def _entry(column: Column, least: int) -> Entry:
    if isinstance(column, Values):
        return _numbers(column, least)
    if column.kind == "text":  # its words are kept, the texts themselves are rows
        return Entry("text", categories=CategoryProfile(column.rows, column.nulls, {}, column.rows - column.nulls))
    return Entry(column.kind, categories=kept(column.counts, column.nulls, least=max(least, 1)))


def _numbers(column: Values, least: int) -> Entry:
    profile = column.profiled()
    return Entry(column.kind, numbers=redacted(profile, least) if least else profile, zone=column.zone)


def redacted(profile: NumberProfile, least: int) -> NumberProfile:
    """Return a profile whose edges have at least `least` rows between them and beyond, and that holds no extremes."""
    counts, keep, last = profile.counts, [], 0.0
    for at, (below, upto) in enumerate(zip(counts.below, counts.upto, strict=True)):
        many = upto - below >= least  # a value that many rows have is nobody's own
        if (below - last >= least or many) and (counts.values - upto >= least or many):
            keep.append(at)
            last = upto
    fewer = replace(counts, below=counts.below[keep], upto=counts.upto[keep], low=np.nan, high=np.nan)
    return NumberProfile(profile.edges[keep], fewer)


def _embedded(name: str, points: Numbers) -> tuple[embeddings.Directions, dict[str, Values]]:
    half = embeddings.halves(points)
    if min(half.sum(), (~half).sum()) < 2:
        raise UsageError(
            f"drift: {name!r} has {len(points)} rows that an encoder gave numbers for: too few to tell directions"
        )
    found = embeddings.directions(points[half])
    return found, embeddings.as_numbers(name, points[~half], found)


def _together(
    numbers: Mapping[str, Values], entries: Mapping[str, Entry], groups: Grouping | None
) -> tuple[together.Correlations | None, dict[str, Any]]:
    if len(numbers) < 2:
        return None, {}
    names, columns = [*numbers], [*numbers.values()]
    profiles = [entries[name].numbers for name in names]
    limits = [together.cuts(profile) for profile in profiles if profile is not None]
    if groups is None:
        return together.correlations(names, sums(columns, limits)), {}
    parts = [
        together.products([column.numbers[groups.codes == code] for column in columns], limits)
        for code in range(groups.count)
    ]
    whole = reduce(together.Products.plus, parts)

    def apart(part: Any) -> float:
        inside = reduce(together.Products.plus, [parts[at] for at in part])
        outside = whole.plus(inside, -1)
        one, two = together.correlations(names, inside), together.correlations(names, outside)
        return float(np.nanmax(np.abs(one.values - two.values), initial=0.0))

    return together.correlations(names, whole), {"correlations": apart}


def _measures(name: str, column: Column, entry: Entry, groups: Grouping) -> dict[str, Any]:
    """Return how far groups are apart in this column: its values, and its nulls."""
    if isinstance(column, Values):
        null = np.isnan(column.numbers)
        edges = entry.numbers.edges if entry.numbers is not None else np.zeros(0)
        some = edges[:: max(1, len(edges) // (CELLS - 1))]
        codes = np.where(null, -1, np.searchsorted(some, column.numbers))
        values = steps(cells(codes, groups, len(some) + 1))
    else:
        number = {label: at for at, label in enumerate(sorted(column.counts))}
        codes = np.array([-1 if label is None else number[label] for label in column.labels], np.int64)
        null = codes < 0
        values = shares(cells(codes, groups, len(number)))
    nulls = steps(cells(null.astype(np.int64), groups, 2))
    return {f"{name}/values": values, f"{name}/nulls": nulls}


def _allowed(groups: Grouping | None, measures: Mapping[str, Any]) -> Allowances | None:
    return None if groups is None else allowances(groups, measures)

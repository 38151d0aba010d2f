"""A frame against a profile, column by column: what each test finds, before it is decided what that means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from ..errors import UsageError
from ..fingerprints.files.spread import spread
from . import embeddings, texts, together, words
from .categories import mixture, unseen
from .columns import Column, Labels, Values
from .findings import Finding, needs_areas, needs_categories, needs_rate, needs_steps
from .making import EMBEDDING, Prepared, read_kind
from .numeric import NumberCounts, moved, points
from .profile import Entry, Profile
from .remote import Remote, sums
from .statistics import effective, kolmogorov_tail, rate_tail

__all__ = ["Effects", "compared"]

FIFTH: Final = 0.2
"""Of an effect: what matters for nulls where there were none, and for categories that were never seen."""

LARGE: Final = 50_000
"""Rows; below, threads take longer to start than to help."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What matters, and in which unit it is told."""

    default: float
    by_column: Mapping[str, float]
    correlation: float
    units: Mapping[str, str]

    def of(self, column: str) -> float:
        """Return the effect that matters in a column; what stands for a column of texts or images has that one's."""
        return self.by_column.get(column, self.by_column.get(column.partition(": ")[0], self.default))


@dataclass(frozen=True, slots=True)
class _Pair:
    """One column of the reference and of the frame."""

    name: str
    then: Entry
    now: Column
    counts: NumberCounts | None
    """Of a column of numbers whose reference is one too: at its edges."""
    effect: float
    unit: str
    profile: Profile
    groups: int

    def allowed(self, what: str, least: float) -> tuple[float, tuple[str, ...]]:
        """Return what is allowed, and why it is more than what matters by itself."""
        if self.profile.allowances is None:
            return least, ()
        found = self.profile.allowances.of(f"{self.name}/{what}", self.groups)
        if found <= least:
            return least, ()
        return found, (f"groups of the reference differ by {found / 1.25:.3g} themselves",)


def compared(profile: Profile, made: Prepared, effects: Effects) -> list[Finding]:
    """Return everything that was looked at, in the order of the columns; p-values are not corrected yet."""
    groups = made.groups.count if made.groups is not None else 1
    findings: list[Finding] = []
    seen = _seen(profile, made)
    now: dict[str, Values] = {}
    for name, entry in profile.columns.items():
        if entry.made:
            continue
        if name not in made.table.names:
            findings.append(_missing(name, entry))
            continue
        column, counts = seen[name]
        pair = _Pair(name, entry, column, counts, effects.of(name), effects.units.get(name, ""), profile, groups)
        findings += _column(pair)
        if isinstance(column, Values) and column.kind == "numeric":
            now[name] = column
        findings += _texts(pair, effects)
    findings += _new(profile, made)
    findings += _embeddings(profile, made, effects, groups)
    findings += _correlation(profile, now, effects, findings, groups)
    return findings


def _seen(profile: Profile, made: Prepared) -> Mapping[str, tuple[Column, NumberCounts | None]]:
    """Read the columns that both have; those of a large frame in memory on all cores."""
    names = [name for name, entry in profile.columns.items() if not entry.made and name in made.table.names]

    def see(name: str) -> tuple[Column, NumberCounts | None]:
        entry = profile.columns[name]
        column = read_kind(name, made.table.column(name), entry.kind)
        if entry.numbers is None or not isinstance(column, Values):
            return column, None
        return column, column.counted(points(entry.numbers), moments=False)

    if made.table.rows < LARGE or not made.table.in_memory:
        return {name: see(name) for name in names}
    names.sort(key=lambda name: profile.columns[name].categories is None)  # texts take longest, and so come first
    return dict(zip(names, spread(see, names), strict=True))


def _missing(name: str, entry: Entry) -> Finding:
    return Finding(
        name, "missing column", 1.0, 0.0, (f"the column is missing; it was {entry.kind} with {entry.rows:,} rows",)
    )


def _new(profile: Profile, made: Prepared) -> Iterator[Finding]:
    for name in made.table.names:
        if name not in profile.columns:
            words_ = f"the column is new: the reference has no column {name!r}; leave it out with ignore=[{name!r}], or record anew"
            yield Finding(name, "new column", 1.0, 0.0, (words_,))


def _column(pair: _Pair) -> Iterator[Finding]:
    then, now = pair.then, pair.now
    if now.kind == "empty" or then.kind == "empty":
        yield from _emptied(pair)
        return
    odd = _type(pair)
    if odd is not None:
        yield odd
        return
    yield from _zone(pair)
    yield from _infinite(pair)
    yield from _nulls(pair)
    if isinstance(now, Values):
        yield from _numbers(pair, now)
    elif then.kind != "text":
        yield from _categories(pair, now)


def _emptied(pair: _Pair) -> Iterator[Finding]:
    if pair.then.kind == "empty" and pair.now.kind != "empty":
        known, rows = _rows(pair.now)
        text = f"all {pair.then.rows:,} rows of the reference are null, and {rows - known:,} of {rows:,} rows now have a value"
        yield Finding(pair.name, "nulls", 1.0, 0.0, (text,))
    elif pair.then.kind != "empty":
        yield from _nulls(pair)


def _family(kind: str) -> str:
    return {"category": "texts or categories", "text": "texts or categories", "mixed": "values of several types"}.get(
        kind, {"numeric": "numbers", "datetime": "dates"}.get(kind, kind)
    )


def _type(pair: _Pair) -> Finding | None:
    then, now = _family(pair.then.kind), _family(pair.now.kind)
    if then == now:
        return None
    if isinstance(pair.now, Labels) and pair.now.kind == "mixed":
        types = ", ".join(f"{rows:,} {name}" for name, rows in pair.now.types.items())
        odd = _minority(pair.now)
        return Finding(
            pair.name, "mixed types", 1.0, 0.0, (f"it held {then}, and holds values of several types: {types}", odd)
        )
    return Finding(pair.name, "type", 1.0, 0.0, (f"it held {then}, and holds {now}", words.examples(pair.now, "value")))


def _minority(column: Labels) -> str:
    """Return the first rows whose values are not of the commonest type."""
    commonest = max(column.types, key=lambda name: column.types[name])
    odd = (
        f"{at} ({words.clipped(label)})"
        for at, label in enumerate(column.labels)
        if label is not None and not label.endswith(f"({commonest})")
    )
    return f"rows that are no {commonest}: {', '.join(islice(odd, 5))}"


def _zone(pair: _Pair) -> Iterator[Finding]:
    if not isinstance(pair.now, Values) or pair.now.kind != "datetime" or pair.now.zone == pair.then.zone:
        return
    said = {
        "": "no time zone",
        "UTC": "a time zone",
        "several": "several time zones",
        "mixed": "time zones in some rows only",
    }
    text = f"its dates had {said[pair.then.zone]}, and have {said[pair.now.zone]}: they may be shifted by hours"
    yield Finding(pair.name, "time zone", 1.0, 0.0, (text, words.examples(pair.now, "value")))


def _infinite(pair: _Pair) -> Iterator[Finding]:
    if pair.counts is None or pair.then.numbers is None or pair.then.numbers.counts.infinite:
        return
    if pair.counts.infinite:
        text = f"{pair.counts.infinite:,} of {pair.counts.rows:,} rows are infinite, none was in the reference"
        yield Finding(pair.name, "infinite values", 1.0, 0.0, (text, words.examples(pair.now, "infinite")))


def _rows(column: Column) -> tuple[int, int]:
    """Return how many rows are null, and how many there are."""
    if isinstance(column, Labels):
        return column.nulls, column.rows
    return int(np.isnan(column.numbers).sum()), len(column.numbers)


def _nulls(pair: _Pair) -> Iterator[Finding]:
    nulls, rows = _rows(pair.now) if pair.counts is None else (pair.counts.nulls, pair.counts.rows)
    then = pair.then
    if not nulls and not then.nulls:
        return
    before, after = then.nulls / then.rows, nulls / rows
    least = pair.effect if before >= pair.effect * FIFTH else pair.effect * FIFTH
    allowed, why = pair.allowed("nulls", least)
    text = f"nulls: {words.percent(before)} → {words.percent(after)} of the rows ({nulls:,} of {rows:,})"
    yield Finding(
        pair.name,
        "nulls",
        abs(after - before),
        allowed,
        (text, words.examples(pair.now, "null") if after > before else "", *why),
        rate_tail(then.nulls, then.rows, nulls, rows),
        size=effective(then.rows, rows),
        rows=(then.rows, rows),
        needs=needs_rate(allowed, before),
        measure="difference",
        effects=1 / FIFTH if least < pair.effect else 1.0,
    )


def _numbers(pair: _Pair, now: Values) -> Iterator[Finding]:
    assert pair.then.numbers is not None
    assert pair.counts is not None
    counts = pair.counts
    then = pair.then.numbers.counts
    if not counts.values or not then.values:
        return
    where = moved(pair.then.numbers, counts)
    allowed, why = pair.allowed("values", pair.effect)
    if where.distance >= allowed:  # then it is told, and takes moments that a column without drift does not
        counts = now.counted(points(pair.then.numbers))
    size = effective(then.values, counts.values)
    yield Finding(
        pair.name,
        "distribution",
        where.distance,
        allowed,
        (*words.moved_lines(where, then, counts, now.kind, pair.unit), *why),
        kolmogorov_tail(where.distance, size),
        size=size,
        rows=(then.values, counts.values),
        needs=needs_steps(allowed),
    )


def _categories(pair: _Pair, now: Labels) -> Iterator[Finding]:
    assert pair.then.categories is not None
    then = pair.then.categories
    known = now.rows - now.nulls
    if not known or not then.values:
        return
    new = unseen(then, now.counts)
    found = mixture(then, now.counts)
    allowed, why = pair.allowed("values", pair.effect)
    left = known - (new.rows if new is not None else 0)
    size = effective(then.values, left)
    yield Finding(
        pair.name,
        "distribution",
        found.distance,
        allowed,
        (*words.mixture_lines(found), *why),
        found.tail,
        size=size,
        rows=(then.values, left),
        needs=needs_categories(allowed, found.freedom),
        measure="distance of shares",
    )
    if new is not None and new.rows:
        yield _unseen(pair, then.values, now, new.rows, words.unseen_lines(new, now, known), then.singles)


def _unseen(pair: _Pair, then: int, now: Labels, new: int, lines: tuple[str, ...], singles: int) -> Finding:
    known = now.rows - now.nulls
    allowed = pair.effect * FIFTH
    return Finding(
        pair.name,
        "unseen categories",
        max(new / known - singles / then, 0.0),
        allowed,
        lines,
        # the reference's categories of one row tell how many rows of new ones to expect; one more, since none is no proof
        rate_tail(singles + 1, then, new, known) if new / known > singles / then else 1.0,
        size=effective(then, known),
        rows=(then, known),
        needs=needs_rate(allowed, singles / then),
        measure="share above what was expected",
        effects=1 / FIFTH,
    )


def _texts(pair: _Pair, effects: Effects) -> Iterator[Finding]:
    if pair.name not in pair.profile.texts or not isinstance(pair.now, Labels) or pair.now.kind == "mixed":
        return
    vocabulary = pair.profile.texts[pair.name]
    for title, part in texts.as_numbers(pair.name, pair.now, vocabulary, reference=False).items():
        derived = _made_pair(title, part, pair.profile, effects, pair.groups)
        for finding in _numbers(derived, part):
            new = ", ".join(f"{words.clipped(word)} ({rows:,})" for word, rows in texts.new_words(pair.now, vocabulary))
            more = (f"the most frequent new words: {new}",) if new and title.endswith(texts.SHARE) else ()
            yield _with_words(finding, more)


def _made_pair(title: str, part: Values, profile: Profile, effects: Effects, groups: int) -> _Pair:
    """Return the pair of a column that stands for texts or for what an encoder gave."""
    then = profile.columns[title]
    assert then.numbers is not None
    return _Pair(title, then, part, part.counted(points(then.numbers)), effects.of(title), "", profile, groups)


def _with_words(finding: Finding, more: tuple[str, ...]) -> Finding:
    return replace(finding, words=(*finding.words, *more)) if more else finding


def _embeddings(profile: Profile, made: Prepared, effects: Effects, groups: int) -> Iterator[Finding]:
    for name, kept in profile.embeddings.items():
        if name not in made.encoded and name != EMBEDDING and name not in made.table.names:
            yield Finding(name, "missing column", 1.0, 0.0, ("the column is missing; an encoder gave numbers for it",))
            continue
        if name not in made.encoded:
            raise UsageError(f"drift: the reference was made with an encoder for {name!r}: give encoder= here too")
        for title, part in embeddings.as_numbers(name, made.encoded[name], kept).items():
            pair = _made_pair(title, part, profile, effects, groups)
            yield from _numbers(pair, part)


def _correlation(
    profile: Profile, now: Mapping[str, Values], effects: Effects, findings: list[Finding], groups: int
) -> Iterator[Finding]:
    if profile.correlations is None:
        return
    then = profile.correlations
    names = [name for name in then.names if name in now]
    if len(names) < 2:
        return
    limits = [together.cuts(numbers) for name in names if (numbers := profile.columns[name].numbers) is not None]
    columns = [now[name] for name in names]
    if not any(isinstance(column, Remote) for column in columns):
        columns = [Values("numeric", rows) for rows in together.some_rows([column.numbers for column in columns])]
    found = sums(columns, limits)
    moved_ones = {
        f.column for f in findings if f.tail is None or (f.statistic >= f.allowed and f.tail < 0.01 / len(findings))
    }
    pairs = together.changes(then.only(names), together.correlations(names, found), moved_ones)
    if pairs:
        yield _paired(pairs, profile, effects, groups)


def _paired(pairs: list[together.Change], profile: Profile, effects: Effects, groups: int) -> Finding:
    """Return the pair that moved most, with its p-value corrected for the number of pairs (Bonferroni)."""
    ranked = sorted(pairs, key=lambda pair: -abs(pair.now - pair.then))
    allowed = effects.correlation
    why: tuple[str, ...] = ()
    if profile.allowances is not None and profile.allowances.of("correlations", groups) > allowed:
        allowed = profile.allowances.of("correlations", groups)
        why = (f"groups of the reference differ by {allowed / 1.25:.3g} themselves",)
    far = [pair for pair in ranked if abs(pair.now - pair.then) >= allowed]
    top = min(far, key=lambda pair: pair.tail) if far else ranked[0]
    others = [f"{pair.one} and {pair.two} {pair.then:+.2f} → {pair.now:+.2f}" for pair in far if pair is not top]
    more = (f"and {len(others)} more pairs: {'; '.join(others[:3])}",) if others else ()
    size = effective(profile.rows, min(pair.rows for pair in pairs))
    return Finding(
        f"{top.one} and {top.two}",
        "correlation",
        abs(top.now - top.then),
        allowed,
        (f"they go together otherwise: rank correlation {top.then:+.2f} → {top.now:+.2f}", *more, *why),
        min(1.0, top.tail * len(pairs)),
        size=size,
        rows=(profile.rows, int(min(pair.rows for pair in pairs))),
        needs=lambda level: needs_areas(allowed, 1.5)(level / len(pairs)),
        measure="difference",
    )

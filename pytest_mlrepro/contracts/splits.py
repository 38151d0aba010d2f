"""`check_split`: what a training set and its test set may not have in common, free of pytest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from ..errors import UsageError
from .asked import Asked, named_by, require_allowed
from .balance import balance_findings
from .finding import Finding
from .giveaway import giveaways
from .hashing import of_family
from .labels import labels
from .nearness import near_rows
from .overlap import null_keys, shared_rows, shared_values
from .parts import LABEL, Part
from .parts import part as read_part
from .rows import Hashed, hashed, identifying
from .split_words import mingled
from .times import time_findings
from .told import listed

__all__ = ["assert_split", "check_split"]

ORDER: Final = {
    "train": 0, "training": 0, "fit": 0, "dev": 1, "valid": 1, "val": 1, "validation": 1, "calibration": 1, "test": 2,
    "testing": 2, "holdout": 2, "eval": 2,
}  # fmt: skip


def assert_split(
    *,
    key: str | Sequence[str] | None = None,
    time: str | None = None,
    group: str | Sequence[str] | None = None,
    label: str | None = None,
    ignore: Collection[str] = (),
    allow: Collection[str] = (),
    near: bool = True,
    giveaway: float = 0.995,
    **parts: Any,
) -> None:
    """Assert that the parts of a split have nothing in common that they may not have; see `check_split`.

    Raises:
        AssertionError: something was found; the message has all of it.
        UsageError: an argument can't be right.
    """
    __tracebackhide__ = True
    findings = check_split(
        key=key, time=time, group=group, label=label, ignore=ignore, allow=allow, near=near, giveaway=giveaway, **parts
    )
    if findings:
        raise AssertionError(worded(findings, list(parts)))


def worded(findings: Sequence[Finding], names: Sequence[str]) -> str:
    """Return findings as the message of a failed check."""
    one = len(findings) == 1
    head = f"the split into {', '.join(names)} has {len(findings)} fault{'' if one else 's'}:"
    return listed(
        head, findings, lambda found: f"  {found.kind}: {found.words}" + (f"\n    {found.hint}" if found.hint else "")
    )


def check_split(
    *,
    key: str | Sequence[str] | None = None,
    time: str | None = None,
    group: str | Sequence[str] | None = None,
    label: str | None = None,
    ignore: Collection[str] = (),
    allow: Collection[str] = (),
    near: bool = True,
    giveaway: float = 0.995,
    **parts: Any,
) -> list[Finding]:
    """Return what is wrong with a split: the faults of each pair of parts, in words, with counts and first rows.

    `check_split(train=a, test=b, key="id", label="y")`. Parts have any names; those that are known (train, valid,
    test, …) stand in that order, others in the order given. `count` and `rows` of a finding are those of the later part.

    Args:
        parts: two or more; each a frame (pandas, polars, pyarrow; lazy ones are collected), a mapping of names to arrays of
            shape (rows,), an array of shape (rows, columns) whose columns are named "0", "1", …, or (X, y).
        key: the column, or columns together, that name a row or entity; no key may be in two parts. Not a feature.
        time: the column of times (dates, times, numbers, texts in ISO form); each part must begin after, or when,
            the one before it ends.
        group: the column, or columns together, whose rows belong together (a patient, a user); no group may be in two parts.
        label: what is to be predicted: its balance, rows of equal features and another label, and columns that give it
            away are looked at. y of (X, y) is the label by itself.
        ignore: columns that are not looked at as features.
        allow: columns that may tell the label, and kinds of findings that are no fault here, such as "label-balance".
        near: also search for rows that are nearly identical (needs scipy where rows hold numbers).
        giveaway: how well one column must tell the label to be reported: balanced accuracy, leaving one row out.

    Rows are compared over all columns that all parts have, but for key, label, ignored columns, and columns of whole numbers
    or texts in which no value comes twice (identifiers), unless nothing else is left. Where columns are so few and
    coarse that different rows coincide by chance, equal rows are no finding.

    Near-identical are rows that are equal once case, spaces, Unicode forms and the decimal mark are left aside and numbers
    are rounded to 1e-4 robust standard deviations; and rows with equal texts whose numbers are closer to a row of the first
    part than independent rows are: in a thousandth of independent splits one row is.

    Raises:
        UsageError: fewer than two parts, no frame, no rows, duplicate names of columns, no column in common, a key, time, group
            or label that a part hasn't, times that are all null or can't be read.
    """
    _require_share("giveaway", giveaway)
    made = _parts(parts, label)
    label = label if label is not None or not _has_labels(parts) else LABEL
    asked = Asked(made, named_by("key", key), named_by("group", group), time, label, tuple(map(str, ignore)))
    require_allowed(allow, asked)
    findings = [*_columns(made), *_dtypes(made, asked.shared), *_emptied(asked)]
    for columns, kind, noun in ((asked.key, "shared-keys", "key"), (asked.group, "shared-groups", "group")):
        if columns:
            findings += null_keys(made, columns, noun)
            for at in combinations(range(len(made)), 2):
                findings += shared_values(made, at, columns, kind, noun)
    if time is not None:
        findings += time_findings(made, time)
    features, identifiers = asked.features()
    hashes = hashed(made, features, label, near=near)
    findings += _rows(made, hashes, features, identifiers, label, near=near)
    if label is not None:
        findings += _label(made, hashes, asked, features, identifiers, allow, giveaway)
    return [finding for finding in findings if finding.kind not in allow]


def _parts(parts: Mapping[str, Any], label: str | None) -> list[Part]:
    if len(parts) < 2:
        raise UsageError(f"split: two parts or more are needed (train=…, test=…), got {len(parts)}")
    names = sorted(parts, key=ORDER.__getitem__) if all(name in ORDER for name in parts) else list(parts)
    return [read_part(name, parts[name], label) for name in names]


def _has_labels(parts: Mapping[str, Any]) -> bool:
    return any(isinstance(value, tuple) for value in parts.values())


def _require_share(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 < value <= 1:
        raise UsageError(f"split: {name} must be a number above 0.5 and at most 1, got {value!r}")


def _columns(parts: Sequence[Part]) -> list[Finding]:
    """Return the columns that not all parts have."""
    findings = []
    every: Iterable[str] = dict.fromkeys(name for part in parts for name in part.names)
    for name in every:
        having = [part.name for part in parts if name in part.names]
        if len(having) < len(parts):
            missing = [part.name for part in parts if name not in part.names]
            words = f"column {name!r} is in {', '.join(having)} and missing in {', '.join(missing)}: it is not compared"
            findings.append(Finding("columns", (name,), len(missing), (), words))
    return findings


def _dtypes(parts: Sequence[Part], shared: Sequence[str]) -> list[Finding]:
    findings = []
    for name in shared:
        columns = [part.column(name) for part in parts]
        if not of_family(columns):
            each = ", ".join(f"{column.family} in {part.name}" for part, column in zip(parts, columns, strict=True))
            rows = sum(
                part.rows for part, column in zip(parts, columns, strict=True) if column.family != columns[0].family
            )
            words = f"column {name!r} holds other types in other parts: {each} (all {rows:,} rows there); it is compared as text"
            words += "".join(mingled(column, part.name) for part, column in zip(parts, columns, strict=True))
            findings.append(
                Finding("dtypes", (name,), rows, tuple(range(min(rows, 10))), words, "read all parts alike")
            )
    return findings


def _emptied(asked: Asked) -> list[Finding]:
    """Return the features that have no values in one part: over them no row would equal another."""
    out = {*asked.key, *asked.group, *asked.ignore, asked.time, asked.label}
    return [
        Finding(
            "null-columns",
            (name,),
            part.rows,
            tuple(range(min(part.rows, 10))),
            f"column {name!r} of {part.name} is null in all {part.rows:,} rows, and not in all parts: rows are compared without it",
        )
        for name in asked.shared
        if name not in out
        for part in asked.emptied(name)
    ]


def _rows(
    parts: Sequence[Part], hashes: Sequence[Hashed], features: Sequence[str], identifiers: Sequence[str], label: str | None,
    *, near: bool,
) -> list[Finding]:  # fmt: skip
    findings = []
    for at in combinations(range(len(parts)), 2):
        shared, same = shared_rows(parts, hashes, at, features, identifiers, label)
        findings += shared
        if near:
            findings += near_rows(parts, hashes, at, features, same)
    return findings


def _label(
    parts: Sequence[Part], hashes: Sequence[Hashed], asked: Asked, features: Sequence[str], identifiers: Sequence[str],
    allow: Collection[str], least: float,
) -> list[Finding]:  # fmt: skip
    label = asked.label or ""
    found = labels(parts, label)
    findings = balance_findings(found, label)
    first = next(at for at, part in enumerate(parts) if label in part.names)
    naming = [*identifiers, *identifying(parts, asked.key)]
    columns = [name for name in (*features, *naming) if name not in {*allow, *asked.group, asked.time, label}]
    return findings + giveaways(parts[first], found[0], hashes[first].features, label, columns, naming, least)

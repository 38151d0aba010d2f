"""A profile as plain arrays, numbers and texts, and back: what is stored, and nothing that has to be trusted to be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ..errors import UsageError
from .categories import CategoryProfile
from .embeddings import Directions
from .grouped import Allowances
from .numeric import NumberCounts, NumberProfile
from .profile import Entry, Profile
from .texts import Vocabulary
from .together import Correlations

__all__ = ["from_plain", "packed", "to_plain", "unpacked"]

FORMAT: Final = "mlrepro-profile-1"


def to_plain(profile: Profile) -> dict[str, Any]:
    """Return nested dicts of texts, numbers and arrays; counts are whole numbers of 32 bits where they fit."""
    pairs, groups = profile.correlations, profile.allowances
    return {
        "format": FORMAT,
        "rows": profile.rows,
        "date": profile.date,
        "redacted": profile.redacted,
        "ignored": list(profile.ignored),
        "columns": {name: _entry(entry) for name, entry in profile.columns.items()},
        "order": list(profile.columns),
        "correlations": None
        if pairs is None
        else {"names": list(pairs.names), "values": pairs.values, "rows": _whole(pairs.rows)},
        "texts": {name: _names(words.words) for name, words in profile.texts.items()},
        "embeddings": {name: {"mean": kept.mean, "basis": kept.basis} for name, kept in profile.embeddings.items()},
        "groups": None
        if groups is None
        else {
            "name": groups.name,
            "count": groups.groups,
            "sizes": list(groups.sizes),
            "measures": dict(groups.measures),
        },
    }


def _entry(entry: Entry) -> dict[str, Any]:
    plain: dict[str, Any] = {"kind": entry.kind, "zone": entry.zone, "made": entry.made}
    if entry.numbers is not None:
        counts = entry.numbers.counts
        moments = np.array([counts.median, counts.mean, counts.sd, counts.low, counts.high])
        plain |= {"rows": counts.rows, "nulls": counts.nulls, "infinite": counts.infinite, "moments": moments}
        plain |= {"edges": entry.numbers.edges, "below": _whole(counts.below), "upto": _whole(counts.upto)}
    if entry.categories is not None:
        kept = entry.categories
        plain |= {"rows": kept.rows, "nulls": kept.nulls, "others": kept.others, "other_levels": kept.other_levels}
        plain |= {"singles": kept.singles, "levels": _names(kept.levels)}
    return plain


def _names(counts: Mapping[str, int]) -> dict[str, Any]:
    return {"names": [*counts], "rows": _whole(np.array([*counts.values()], np.float64))}


def _whole(counts: Any) -> Any:
    small = not counts.size or counts.max() < 2**31
    return counts.astype(np.int32 if small else np.int64)


def from_plain(plain: Mapping[str, Any]) -> Profile:
    """Return the profile; UsageError for what `to_plain` did not give."""
    if not isinstance(plain, Mapping) or plain.get("format") != FORMAT:
        raise UsageError(f"this is no profile of format {FORMAT}: record the reference anew")
    try:
        return _profile(plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"a profile can't be read ({type(error).__name__}: {error}): record the reference anew"
        ) from None


def _profile(plain: Mapping[str, Any]) -> Profile:
    pairs, groups = plain["correlations"], plain["groups"]
    return Profile(
        rows=int(plain["rows"]),
        date=str(plain["date"]),
        columns={name: _read_entry(plain["columns"][name]) for name in plain["order"]},
        correlations=None
        if pairs is None
        else Correlations(tuple(pairs["names"]), np.asarray(pairs["values"]), np.asarray(pairs["rows"], np.float64)),
        texts={name: Vocabulary(_read_names(words)) for name, words in plain["texts"].items()},
        embeddings={
            name: Directions(np.asarray(kept["mean"]), np.asarray(kept["basis"]))
            for name, kept in plain["embeddings"].items()
        },
        allowances=None
        if groups is None
        else Allowances(
            str(groups["name"] or ""),
            int(groups["count"]),
            tuple(map(int, groups["sizes"])),
            {name: np.asarray(found) for name, found in groups["measures"].items()},
        ),
        redacted=int(plain["redacted"]),
        ignored=tuple(plain["ignored"]),
    )


def _read_entry(plain: Mapping[str, Any]) -> Entry:
    numbers = categories = None
    if "edges" in plain:
        numbers = NumberProfile(
            np.asarray(plain["edges"], np.float64),
            NumberCounts(
                int(plain["rows"]),
                int(plain["nulls"]),
                int(plain["infinite"]),
                np.asarray(plain["below"], np.float64),
                np.asarray(plain["upto"], np.float64),
                *map(float, plain["moments"]),
            ),
        )
    if "levels" in plain:
        categories = CategoryProfile(
            int(plain["rows"]),
            int(plain["nulls"]),
            _read_names(plain["levels"]),
            int(plain["others"]),
            int(plain["other_levels"]),
            int(plain["singles"]),
        )
    return Entry(plain["kind"], numbers, categories, plain["zone"] or "", bool(plain["made"]))


def _read_names(plain: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(rows) for name, rows in zip(plain["names"], np.asarray(plain["rows"]).tolist(), strict=True)}


POOLS: Final = {"f": "floats", "i": "counts", "U": "names"}


def packed(profile: Profile) -> dict[str, Any]:
    """Return the profile with all its arrays in three, and in their places where each begins and how long it is.

    A golden keeps each array in a file of its own, and a profile of twenty columns has a hundred.
    """
    pools: dict[str, list[Any]] = {name: [] for name in POOLS.values()}
    sizes = dict.fromkeys(pools, 0)

    def put(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: put(part) for name, part in value.items()}
        if isinstance(value, list):
            value = np.array(value, np.int64 if value and isinstance(value[0], int) else str)
        if not isinstance(value, np.ndarray):
            return "" if value is None else value
        pool = POOLS[value.dtype.kind]
        pools[pool].append(value.reshape(-1))
        sizes[pool] += value.size
        return {"in": pool, "at": sizes[pool] - value.size, "shape": "x".join(map(str, value.shape))}

    body = put(to_plain(profile))
    arrays = {
        "floats": np.concatenate([np.zeros(0), *pools["floats"]]),
        "counts": np.concatenate([np.zeros(0, np.int64), *pools["counts"]]),
        "names": np.array([name for part in pools["names"] for name in part.tolist()], dtype=str),
    }
    return {"profile": body, **{name: array for name, array in arrays.items() if array.size}}


def unpacked(plain: Mapping[str, Any]) -> Profile:
    """Return the profile that `packed` was given; UsageError for anything else."""
    empty = {"floats": np.zeros(0), "counts": np.zeros(0, np.int64), "names": np.zeros(0, str)}
    pools = {name: np.asarray(plain.get(name, nothing)) for name, nothing in empty.items()}

    def get(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return None if value == "" else value
        if value.keys() != {"in", "at", "shape"}:
            return {name: get(part) for name, part in value.items()}
        shape = tuple(map(int, value["shape"].split("x")))
        stop = int(value["at"]) + int(np.prod(shape))
        part = pools[value["in"]][int(value["at"]) : stop].reshape(shape)
        return part.tolist() if value["in"] == "names" else part

    try:
        return from_plain(get(plain["profile"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"a profile can't be read ({type(error).__name__}: {error}): record the reference anew"
        ) from None

"""What a result was made from, as a value and as text to be kept beside the result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from .._json import Json, json_text
from ..errors import GoldenError
from ..fingerprints.digest import Fingerprint
from .bounds import MAX_DEPTH, bounded

__all__ = ["AREAS", "UNKNOWN", "WRITTEN", "Area", "Provenance", "dumps", "from_json", "loads", "to_json"]

Area: TypeAlias = Literal["code", "data", "artifacts", "environment"]
AREAS: Final[tuple[Area, ...]] = get_args(Area)
UNKNOWN: Final = "unknown"
WRITTEN: Final = "written"
"""Name and kind of the part of the artifacts that holds what a test itself wrote: an effect, and never a reason."""
SCHEMA: Final = 1
_LARGEST: Final = 64 * 2**20
"""Characters beyond which a text is no provenance of ours: ours are some kilobytes, and bounded."""
_HELP: Final = "Put it back from version control, or record it again"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Code, data, artifacts and environment of one result, each a fingerprint whose parts have the names that people use.

    An area that is None was not recorded; one without parts was looked at, and there was nothing. Areas are cut to a
    bounded size (`bounds.bounded`) and their parts sorted, so that two of them compare whatever order they came in.
    """

    code: Fingerprint | None = None
    """Parts by qualified name (`train.fit_head`), packages as `package NAME` of kind `package`, and one of kind `ran`."""
    data: Fingerprint | None = None
    """Parts by path or name, with the columns, chunks or files below."""
    artifacts: Fingerprint | None = None
    environment: Fingerprint | None = None
    commit: str = UNKNOWN
    dirty: bool | None = None

    def __post_init__(self) -> None:
        for area in AREAS:
            tree: Fingerprint | None = getattr(self, area)
            object.__setattr__(self, area, None if tree is None else bounded(tree))

    def area(self, name: Area) -> Fingerprint | None:
        """Return one of the four."""
        tree: Fingerprint | None = getattr(self, name)
        return tree


def dumps(provenance: Provenance) -> str:
    """Return the text of a provenance: JSON, one part a line, free of times, and the same for the same provenance."""
    return json_text({**to_json(provenance), "schema": SCHEMA})


def loads(text: str, place: str = "the provenance") -> Provenance:
    """Return the provenance that a text holds: `loads(dumps(p)) == p`, texts included.

    place: what the text is called in the GoldenError that says what is wrong with it. Fields that are not known are
    ignored, since a later version may have written them.
    """
    if len(text) > _LARGEST:
        raise GoldenError(f"{place} is too large: {len(text):,} characters. {_HELP}")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        what = "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        raise GoldenError(f"{place} is not whole: {what}. {_HELP}") from None
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise GoldenError(f"{place} has schema {schema}, this version knows {SCHEMA}: update pytest-mlrepro")
    return from_json(data, place)


def to_json(provenance: Provenance) -> dict[str, Json]:
    """Return what JSON can hold of a provenance, for a text that holds it among other things."""
    areas = {name: provenance.area(name) for name in AREAS}
    trees: dict[str, Json] = {name: None if tree is None else _tree_json(tree) for name, tree in areas.items()}
    return {**trees, "commit": provenance.commit, "dirty": provenance.dirty}


def from_json(data: Json, place: str = "the provenance") -> Provenance:
    """Return the provenance that `to_json` was given; raises GoldenError as `loads` does."""
    fields = _fields(data, place)
    areas = {name: _area(fields.get(name), f"{place}: {name}") for name in AREAS}
    dirty = fields.get("dirty")
    if dirty is not None and not isinstance(dirty, bool):
        raise _wrong(f"{place}: dirty", "true, false or null", dirty)
    return Provenance(**areas, commit=_string(fields, "commit", place, UNKNOWN), dirty=dirty)


def _tree_json(tree: Fingerprint) -> dict[str, Json]:
    entry: dict[str, Json] = {"digest": tree.digest, "kind": tree.kind}
    if tree.text:
        entry["text"] = tree.text
    if tree.parts:
        entry["parts"] = [{"name": name, **_tree_json(part)} for name, part in tree.parts]
    return entry


def _area(data: Json, place: str) -> Fingerprint | None:
    return None if data is None else _tree(data, place, 0)


def _tree(data: Json, place: str, depth: int) -> Fingerprint:
    if depth > MAX_DEPTH:
        raise GoldenError(f"{place} nests too deeply: more than {MAX_DEPTH} levels. {_HELP}")
    fields = _fields(data, place)
    parts = fields.get("parts", [])
    if not isinstance(parts, list):
        raise _wrong(f"{place}: parts", "a list", parts)
    inner = tuple(_named(part, place, at, depth) for at, part in enumerate(parts))
    text = _string(fields, "text", place, "")
    return Fingerprint(_string(fields, "digest", place), _string(fields, "kind", place), inner, text)


def _named(data: Json, place: str, at: int, depth: int) -> tuple[str, Fingerprint]:
    name = _string(_fields(data, f"{place}, part {at + 1}"), "name", f"{place}, part {at + 1}")
    return name, _tree(data, f"{place}, part {at + 1}", depth + 1)


def _fields(data: Json, place: str) -> dict[str, Json]:
    if not isinstance(data, dict):
        raise _wrong(place, "an object", data)
    return data


def _string(fields: dict[str, Json], name: str, place: str, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise _wrong(f"{place}: {name}", "some text", value)
    return value


def _wrong(place: str, expected: str, value: Json) -> GoldenError:
    found = "nothing" if value is None else f"a value of type {type(value).__name__}"
    return GoldenError(f"{place} should be {expected}, and is {found}. {_HELP}")

"""What is signed: an in-toto Statement over every file of a store, with the checkpoint as its predicate.

Written as JSON directly: the protobuf classes of in-toto-attestation turn the integer 7 into 7.0.
https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from .._json import Json
from ..errors import GoldenError
from . import checkpoint
from .checkpoint import Checkpoint
from .names import NAMESPACE
from .stock import Holding

__all__ = ["MEDIA_TYPE", "STORE", "TYPE", "Signed", "parsed", "statement", "store_statement"]

TYPE = "https://in-toto.io/Statement/v1"
MEDIA_TYPE = "application/vnd.in-toto+json"
STORE = f"{NAMESPACE}predicate:golden-store:1"


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signed statement about a store says."""

    point: Checkpoint
    files: dict[str, str]
    """SHA-256 of each file of each golden, by its path below the root directory."""
    expires: str | None

    @property
    def is_expired(self) -> bool:
        """Tell whether its time is over, by the clock of this machine."""
        return self.expires is not None and datetime.fromisoformat(self.expires) < datetime.now(UTC)


def statement(subjects: dict[str, str], kind: str, predicate: Json) -> dict[str, Json]:
    """Return a Statement about files, given as path and SHA-256."""
    return {
        "_type": TYPE,
        "subject": [{"name": name, "digest": {"sha256": subjects[name]}} for name in sorted(subjects)],
        "predicateType": kind,
        "predicate": predicate,
    }


def store_statement(held: list[Holding], *, expires: str | None = None, time: str | None = None) -> Json:
    """Return the Statement about a whole store, as it is now or was at a time."""
    subjects = {file.path: file.sha256 for one in held for file in one.files}
    predicate = {"checkpoint": checkpoint.to_json(checkpoint.taken(held, time)), "expires": expires}
    return statement(subjects, STORE, predicate)


def parsed(payload: bytes, place: str) -> Signed:
    """Return what a payload says whose signature was checked already; GoldenError for another kind of statement."""
    try:
        data = json.loads(payload)
        if data["_type"] != TYPE or data["predicateType"] != STORE:
            raise GoldenError(f"{place} is signed, and is no statement about goldens: it is {data['predicateType']!r}")
        point = checkpoint.from_json(data["predicate"]["checkpoint"], f"the statement in {place}")
        files = {one["name"]: one["digest"]["sha256"] for one in data["subject"]}
        return Signed(point, files, data["predicate"]["expires"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise GoldenError(f"{place} is signed, and is no statement about goldens: it lacks {error}") from None

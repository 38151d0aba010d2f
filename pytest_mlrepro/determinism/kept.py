"""What one run gave, put aside so that a later run can be held against it, whatever becomes of the value meanwhile."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..compare.difference import Comparison
from ..compare.tolerance import Tolerances, tolerances
from ..compare.walk import compare
from ..errors import GoldenError
from ..fingerprints import fingerprint_node
from ..golden.codecs import decode
from ..golden.store import Staging
from ..values.describe import describe
from ..values.node import Node

__all__ = ["EXACT", "Kept"]

EXACT = tolerances(rtol=0.0, atol=0.0)
MANIFEST = "result.json"


@dataclass(frozen=True)
class Kept:
    """The result of one run."""

    digest: str
    node: Node | None
    """None where the value has a digest and can't be stored, such as an array of objects."""
    staging: Staging

    @classmethod
    def of(cls, value: object, folder: Path | None = None) -> Kept:
        """Put a value aside as it is now, in `folder` or one of its own; FingerprintError if it has no stable form."""
        node, staging = describe(value), Staging(folder)
        digest = fingerprint_node(node).digest
        try:
            staging.add("result", node, EXACT)
        except GoldenError:
            return cls(digest, None, staging)
        return cls(digest, staging.checks["result"].node(staging.folder), staging)

    def write(self) -> None:
        """Say in the folder what lies there, for `read` by another process."""
        checks = self.staging.checks
        entry = {"digest": self.digest, "value": checks["result"].value if checks else None}
        (self.staging.folder / MANIFEST).write_text(json.dumps(entry), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Kept | None:
        """Return what another process wrote; None if it didn't come so far."""
        try:
            entry = json.loads((folder / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        node = None if entry["value"] is None else decode(entry["value"], lambda array: folder / str(array["file"]))
        return cls(entry["digest"], node, Staging(folder))

    def differs(self, later: Kept, allowed: Tolerances = EXACT) -> Comparison | str | None:
        """Return how a later run differs from this one by more than is allowed, or None."""
        if self.digest == later.digest:
            return None
        if self.node is None or later.node is None:
            return "the digests differ; what holds objects can't be put aside, so there is no more to show"
        found = compare(self.node, later.node, allowed)
        return None if found.ok else found

    def discard(self) -> None:
        """Remove what was put aside."""
        self.staging.discard()

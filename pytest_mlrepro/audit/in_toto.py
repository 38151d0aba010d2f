"""In-toto Statements: one for each golden, which binds its files to what they were made from and to their history.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

from pathlib import Path

from .._json import Json
from ..pipeline.facts import step_to_json
from .facts import Made, Thing, check_kind, made
from .names import NAMESPACE, number_free, short_name
from .statement import statement, store_statement
from .stock import Holding

__all__ = ["GOLDEN", "golden_statement", "statements"]

GOLDEN = f"{NAMESPACE}predicate:golden-run:1"


def statements(held: list[Holding], root: Path) -> dict[str, Json]:
    """Return a Statement for each golden by its file name, and `store`, which covers all as of the last change."""
    found: dict[str, Json] = {short_name(one.folder): golden_statement(one, root) for one in held}
    last = max(str(one.entries[-1]["time"]) for one in held)
    return {**found, "store": store_statement(held, time=last)}


def golden_statement(held: Holding, root: Path) -> Json:
    """Return the Statement about one golden: its files are the subject, the rest is the predicate."""
    sources = made(held, root)
    predicate = {
        "test": held.test,
        "folder": held.folder,
        "seal": held.golden.seal,
        "variant": dict(held.golden.variant),
        "checks": [
            {
                "name": name,
                "kind": check_kind(check),
                "digest": check.digest,
                "tolerance": check.tolerance,
            }
            for name, check in sorted(held.golden.checks.items())
        ],
        "madeFrom": _sources(sources),
        "steps": [step_to_json(step) for step in held.golden.steps],
        "history": [dict(entry) for entry in held.entries],
    }
    return statement({file.path: file.sha256 for file in held.files}, GOLDEN, number_free(predicate))


def _sources(sources: Made) -> Json:
    return {
        "code": [*map(_thing, sources.code)],
        "data": [*map(_thing, sources.data)],
        "artifacts": [*map(_thing, sources.artifacts)],
        "environment": [*map(_thing, sources.environment)],
        "packages": [{"name": name, "version": version} for name, version in sources.packages],
        "commit": sources.commit,
        "dirty": sources.dirty,
    }


def _thing(thing: Thing) -> Json:
    return {"name": thing.name, "kind": thing.kind, "digest": thing.digest, "text": thing.text}

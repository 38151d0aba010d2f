"""A golden: the recorded checks of one test, and `golden.json`, its form on disk.

The file has sorted keys and one field a line, and carries a *seal*: the digest of the file with the seal left empty. So
whatever a hand or a merge changed in it is noticed before anything is compared with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from blake3 import blake3

from .._json import Json, json_text
from ..compare.tolerance import Tolerance, Tolerances, from_json, to_json
from ..errors import GoldenError
from ..pipeline.facts import Step, step_from_json, step_to_json
from ..records import TestId
from ..values.node import Node
from .codecs import array_files, decode
from .conflict import conflict_text, has_markers
from .files import PROVENANCE, STEPS
from .objects import Objects, is_object
from .read_progress import telling
from .sound import checked_entry, checked_value, guarded

__all__ = [
    "CONTRACT",
    "DRIFT",
    "FILE",
    "RATCHET",
    "RATE",
    "Golden",
    "Recorded",
    "dumps",
    "loads",
    "titled",
    "variant_text",
]

FILE = "golden.json"
SCHEMA = 1
OLDEST = 1
"""The oldest schema that is read as it is; `mlrepro migrate` lifts older ones."""
WITH_STEPS = 2
"""The schema of a golden with steps of a pipeline, which a version that doesn't know them must not take for one without."""
LFS = "version https://git-lfs.github.com/spec/"
RATE = "false_alarm_rate"
"""What a distribution has in the place of tolerances."""
RATCHET = "max_drop"
"""What a baseline of robust accuracy has in the place of tolerances."""
DRIFT = "drift"
"""What the profile of a drift check has in their place."""
CONTRACT = "contract"
"""What a contract has in their place."""
EXACT = Tolerances(Tolerance(rtol=0.0, atol=0.0))


@dataclass(frozen=True, slots=True)
class Recorded:
    """One check as it was recorded: its digest settles the equal case, the rest is read only when it must be."""

    digest: str
    tolerance: Json
    value: Json
    provenance: Json = None
    """`{"file", "size", "blake3"}` of what the value was made from; None where that was not recorded."""
    objects: Objects | None = field(default=None, compare=False, repr=False)
    """Where its large arrays lie; None for what the configuration above its folder says."""

    @property
    def tolerances(self) -> Tolerances:
        """Return what was allowed when the check was recorded; of a distribution or a profile, nothing."""
        return EXACT if {RATE, DRIFT, CONTRACT} & {*self.tolerance} else from_json(self.tolerance)

    def node(self, folder: Path) -> Node:
        """Return the value, its arrays to be read from `folder`, or from where large ones lie."""
        node = decode(self.value, partial(self._find, folder))
        return node if self.objects is None else telling(node, self.objects.tell)

    def _find(self, folder: Path, entry: Json) -> Path:
        return self.near(folder).path(folder, entry) if is_object(entry) else folder / entry["file"]

    def near(self, folder: Path) -> Objects:
        """Return where large arrays lie, of the golden in `folder`."""
        return self.objects or Objects.near(folder)

    def is_here(self, folder: Path) -> bool:
        """Tell whether all arrays lie on this machine."""
        objects = self.near(folder) if any(map(is_object, self.arrays())) else None
        return objects is None or all(objects.here(folder, entry) is not None for entry in self.arrays())

    def arrays(self) -> list[dict[str, Json]]:
        """Return `{"file", "size", "blake3"}` of each array."""
        return array_files(self.value)

    def files(self) -> list[dict[str, Json]]:
        """Return the same of each array and of the provenance; GoldenError for a name with a way in it."""
        if self.provenance is None:
            return self.arrays()
        if not PROVENANCE.fullmatch(self.provenance["file"]):
            raise GoldenError(f"a golden names a file that no golden writes: {self.provenance['file']!r}")
        return [*self.arrays(), self.provenance]

    @classmethod
    def of(
        cls, digest: str, allowed: Tolerances | Mapping[str, Json], value: Json, objects: Objects | None = None
    ) -> Recorded:
        """Return a new record."""
        tolerance = to_json(allowed) if isinstance(allowed, Tolerances) else dict(allowed)
        return cls(digest, tolerance, value, objects=objects)


@dataclass(frozen=True, slots=True)
class Golden:
    """All recorded checks of one test; the unnamed check has the name ""."""

    test: str
    """The test's name within its file, as pytest prints it."""
    file: str
    """The way from the golden's folder to the test's file, with slashes."""
    checks: Mapping[str, Recorded]
    variant: Mapping[str, str] = field(default_factory=dict)
    seal: str = ""
    steps: tuple[Step, ...] = ()
    """The steps of its pipeline, in the order in which they ended."""
    details: Json = None
    """`{"file", "size", "blake3"}` of what the steps were made of; None where there are no steps."""

    @classmethod
    def of(
        cls,
        test: TestId,
        folder: Path,
        checks: Mapping[str, Recorded],
        steps: tuple[Step, ...] = (),
        details: Json = None,
        variant: Mapping[str, str] | None = None,
    ) -> Golden:
        """Return the golden of `test` that lies in `folder`."""
        return cls(test.name, _way(test.file, folder.parent), checks, variant or {}, steps=steps, details=details)

    def files(self) -> list[dict[str, Json]]:
        """Return `{"file", "size", "blake3"}` of everything that belongs to it; GoldenError for a name with a way in it."""
        found = [entry for check in self.checks.values() for entry in check.files()]
        if self.details is None:
            return found
        if not STEPS.fullmatch(self.details["file"]):
            raise GoldenError(f"a golden names a file that no golden writes: {self.details['file']!r}")
        return [*found, self.details]

    def is_of(self, test: TestId, folder: Path) -> bool:
        """Tell whether this golden, which lies in `folder`, was recorded by `test`."""
        return self.test == test.name and self.file == _way(test.file, folder.parent)

    def nodeid(self, folder: Path, root: Path) -> str:
        """Return the node id of the test, seen from the root directory."""
        return f"{Path(os.path.relpath(folder / self.file, root)).as_posix()}::{self.test}"

    def title(self, folder: Path, root: Path) -> str:
        """Return the node id, and the variant behind it if the golden is of one."""
        return titled(self.nodeid(folder, root), self.variant)


def titled(nodeid: str, variant: Mapping[str, str]) -> str:
    """Return how a golden is called: by its test's node id, and its variant if it has one."""
    return f"{nodeid} ({variant_text(variant)})" if variant else nodeid


def variant_text(variant: Mapping[str, str]) -> str:
    """Return `device=cuda, numpy=2`."""
    return ", ".join(f"{key}={value}" for key, value in variant.items())


@lru_cache(maxsize=8)  # tests come module by module
def _way(file: Path, module_folder: Path) -> str:
    """Return the way to a test's file from a golden's folder in `module_folder`."""
    return f"../{Path(os.path.relpath(file, module_folder)).as_posix()}"


def dumps(golden: Golden) -> tuple[str, str]:
    """Return the text of `golden.json` and its seal."""
    data = {
        "checks": {name: _check_json(check) for name, check in golden.checks.items()},
        "file": golden.file,
        "schema": SCHEMA,
        "seal": "",
        "test": golden.test,
        "variant": dict(golden.variant),
    }
    if golden.steps:
        steps = [step_to_json(step) for step in golden.steps]
        data |= {"schema": WITH_STEPS, "steps": steps, "details": golden.details}
    text = json_text(data)
    seal = _seal(text)
    return text.replace('\n "seal": ""', f'\n "seal": "{seal}"', 1), seal


def _check_json(check: Recorded) -> Json:
    data = {"digest": check.digest, "tolerance": check.tolerance, "value": check.value}
    return data if check.provenance is None else {**data, "provenance": check.provenance}


def loads(text: str, path: Path, objects: Objects | None = None) -> Golden:
    """Parse `golden.json`; raise GoldenError for one that is not whole and unchanged.

    objects: where its large arrays lie, if the configuration above `path` doesn't say it.
    """
    data = sealed(text, path)
    if data["schema"] < OLDEST:
        raise GoldenError(f"{path} has schema {data['schema']}, which an older version wrote: run  mlrepro migrate")
    return golden_of(data, objects)


def sealed(text: str, path: Path) -> Json:
    """Return the content of a `golden.json` of any schema up to the present one; GoldenError if it isn't as it was written."""
    text = text.replace("\r\n", "\n")
    try:
        data = json.loads(text)
        seal, schema = data["seal"], data["schema"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise GoldenError(_unreadable(text, path, error)) from None
    if not isinstance(schema, int) or not isinstance(seal, str) or schema > WITH_STEPS:
        raise GoldenError(f"{path} has schema {schema!r}, this version knows {WITH_STEPS}: update pytest-mlrepro")
    if _seal(text.replace(f'\n "seal": "{seal}"', '\n "seal": ""', 1)) != seal:
        raise GoldenError(
            f"{path} was edited by hand or damaged: its content does not match its seal.\n"
            f"Put it back with  git checkout -- {path}  or record it again"
        )
    return data


def golden_of(data: Json, objects: Objects | None = None) -> Golden:
    """Return the golden that the content of a `golden.json` is, of a schema of today; GoldenError for what is none."""
    return guarded(lambda: _golden(data, objects))


def _golden(data: Json, objects: Objects | None) -> Golden:
    checks = {name: _check(check, objects) for name, check in data["checks"].items()}
    steps = tuple(map(step_from_json, data.get("steps", ())))
    details = None if data.get("details") is None else checked_entry(data["details"])
    texts = (data["test"], data["file"], *data["variant"].values())
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{texts!r:.80} are no texts")
    return Golden(data["test"], data["file"], checks, data["variant"], data["seal"], steps, details)


def _check(data: Json, objects: Objects | None) -> Recorded:
    provenance = data.get("provenance")
    if not isinstance(data["digest"], str) or not isinstance(data["tolerance"], dict):
        raise TypeError(f"{data!r:.80} is no check")
    checked_value(data["value"])
    checked_rule(data["tolerance"])
    return Recorded(
        data["digest"],
        data["tolerance"],
        data["value"],
        None if provenance is None else checked_entry(provenance),
        objects,
    )


def checked_rule(tolerance: Json) -> None:
    """Refuse what no check allows in place of tolerances, which are checked when they are asked for."""
    for name in (RATE, RATCHET, CONTRACT):
        if name in tolerance and (isinstance(tolerance[name], bool) or not isinstance(tolerance[name], int | float)):
            raise TypeError(f"{name} = {tolerance[name]!r:.40}")
    if DRIFT in tolerance and not isinstance(tolerance[DRIFT], dict):
        raise TypeError(f"{DRIFT} = {tolerance[DRIFT]!r:.40}")


def _seal(text: str) -> str:
    return f"blake3:{blake3(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _unreadable(text: str, path: Path, error: Exception) -> str:
    if text.startswith(LFS):
        return f"{path} is a Git LFS pointer, not the golden: run  git lfs pull"
    if has_markers(text):
        return f"{path} has merge conflicts: {conflict_text(path.parent)}"
    if isinstance(error, ValueError):
        return f"{path} is not whole: {error}. Put it back from version control, or record it again"
    return f"{path} is no golden: it lacks {error}"

"""Proposals: what a golden would become, kept under `.mlrepro/pending/` until a person accepts or rejects it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import GoldenError
from ..provenance.written import Written, changed_code, checked
from . import history
from .files import STEPS, copy_whole, write_whole
from .layout import is_leaf, leaf, pending_folder
from .private import private_folder
from .record import FILE, Golden, Recorded, dumps, titled
from .store import details_of, load, provenance_of, save, verify_arrays
from .suite import SKIPPED
from .timings import keep_timings

__all__ = ["Proposal", "accept", "propose", "read_all", "read_folder", "reject", "withdraw"]

FACTS = "proposal.json"
SCHEMA = 1
LONGEST = 16_000
"""Characters of what is told of one check."""
NAMED = 8
"""Changed definitions that are named one by one."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A golden that waits for a decision."""

    test: str
    """The test's id, for people."""
    golden: str
    """The golden's folder, relative to the root directory, with slashes."""
    base: str | None
    """Seal of the golden that the proposal would replace; None where there is none."""
    change: str
    """The greatest difference, in words."""
    why: str
    """What changed with it since the golden was recorded, in one line; "" where nothing differs."""
    new: tuple[str, ...]
    changed: tuple[str, ...]
    dropped: tuple[str, ...]
    time: str
    folder: Path
    steps: tuple[str, ...] = ()
    """Names of the steps of its pipeline that are new, other than recorded, or gone."""
    variant: Mapping[str, str] = field(default_factory=dict)
    code: Written = field(default_factory=dict)
    """The project's code that the values were made from, as it was written then; {} where that is unknown."""
    told: Mapping[str, str] = field(default_factory=dict)
    """What the failure said of checks whose words need data that no golden keeps, by name."""

    @property
    def title(self) -> str:
        """What the proposal is called: the node id, and the variant if it is for one."""
        return titled(self.test, self.variant)


def propose(
    root: Path,
    target: Path,
    old: Golden | None,
    new: Golden,
    *,
    arrays: Iterable[Path],
    test: str,
    change: str,
    why: str,
    code: Written,
    told: Mapping[str, str],
) -> Path:
    """Write what the golden in `target` would become, with its new `arrays`, and return the proposal's folder.

    `proposal.json` comes last: a folder without it is no proposal.
    """
    before: Mapping[str, Recorded] = old.checks if old else {}
    folder = pending_folder(root, target)
    facts = {
        "base": old.seal if old else None,
        "change": change,
        "code": code,
        "changed": sorted(name for name in new.checks if name in before and new.checks[name] != before[name]),
        "dropped": sorted(before.keys() - new.checks.keys()),
        "golden": target.relative_to(root).as_posix(),
        "new": sorted(new.checks.keys() - before.keys()),
        "schema": SCHEMA,
        "steps": _changed_steps(old, new),
        "test": test,
        "time": history.now(),
        "told": {name: words[:LONGEST] for name, words in told.items()},
        "variant": dict(new.variant),
        "why": why,
    }
    _clear(folder, root)
    for path in arrays:
        copy_whole(path, folder / path.name)
        if STEPS.fullmatch(path.name):
            keep_timings(folder, path.parent, [step.name for step in new.steps])
    write_whole(folder / FILE, dumps(new)[0])
    write_whole(folder / FACTS, json.dumps(facts, sort_keys=True, indent=1) + "\n")
    return folder


def _changed_steps(old: Golden | None, new: Golden) -> list[str]:
    before = {step.name: step for step in old.steps} if old else {}
    after = {step.name: step for step in new.steps}
    return sorted(name for name in {**before, **after} if before.get(name) != after.get(name))


def _clear(folder: Path, root: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
        private_folder(root)
        folder.mkdir(parents=True)
    except OSError as error:
        raise GoldenError(f"can't make the folder {folder}: {error.strerror or error}") from error


def read_all(root: Path) -> list[Proposal]:
    """Return all proposals, by test; raise GoldenError for one that is damaged."""
    return read_folder(root / ".mlrepro" / "pending")


def read_folder(folder: Path) -> list[Proposal]:
    """Return the proposals in a folder, by test; raise GoldenError for one that is damaged."""
    return sorted(_proposals(folder), key=lambda proposal: proposal.title)


def _proposals(folder: Path) -> Iterator[Proposal]:
    for path in sorted(folder.glob(f"*/{FACTS}")):
        try:
            yield _proposal(json.loads(path.read_text("utf-8")), path.parent)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise GoldenError(
                f"{path} is damaged, or not a proposal ({error}). Remove the folder {path.parent} and run its test again"
            ) from None


def _proposal(data: dict[str, Any], folder: Path) -> Proposal:
    """Return the proposal of a parsed `proposal.json`; raise an error of Python's for one that is none."""
    if data.pop("schema") != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    data.setdefault("steps", [])
    for key in ("new", "changed", "dropped", "steps"):
        if not isinstance(data[key], list) or not all(isinstance(name, str) for name in data[key]):
            raise ValueError(f"{key!r} is no list of names")
        data[key] = tuple(data[key])
    data.setdefault("why", "")
    data["code"] = checked(data.get("code", {}))
    for key in ("variant", "told"):
        texts = data.setdefault(key, {})
        if not isinstance(texts, dict) or not all(isinstance(value, str) for value in texts.values()):
            raise ValueError(f"{key!r} is no mapping of names to texts")
    for key in ("test", "golden", "change", "time", "why"):
        if not isinstance(data[key], str):
            raise ValueError(f"{key!r} is no text")
    return Proposal(**data, folder=folder)


def accept(proposal: Proposal, *, root: Path, reason: str) -> Path:
    """Make the proposal the golden, with an entry in its history; remove the proposal last. Return the golden's folder.

    Raises GoldenError if the golden has changed since the proposal was made, or the proposal is damaged.
    """
    target = _target(proposal, root)
    new, old = _new(proposal), load(target)
    _require_of_test(proposal, new, target, root)
    if old is not None and old.seal == new.seal:  # accepted before, and interrupted then
        _remove(proposal.folder)
        return target
    if (old.seal if old else None) != proposal.base:
        raise GoldenError(
            f"the golden of {proposal.title} has changed since this proposal was made: run the test again, then accept"
        )
    _require_same_code(proposal, root)
    for check in new.checks.values():
        _verify_either(check, proposal.folder, target)
    if new.details is not None and new.files():  # whose names are checked
        details_of(new, proposal.folder if (proposal.folder / new.details["file"]).exists() else target)
    save(target, new, proposal.folder, action="accept", reason=reason, change=proposal.change, root=root)
    _remove(proposal.folder)
    return target


def _require_same_code(proposal: Proposal, root: Path) -> None:
    """Raise GoldenError if the values come from code that isn't there any more: nobody could make them again."""
    changed = changed_code(proposal.code, root)
    if changed:
        more = [f"… and {len(changed) - NAMED} more"] if len(changed) > NAMED else []
        lines = "\n".join(f"  {line}" for line in [*changed[:NAMED], *more])
        raise GoldenError(
            f"the proposal of {proposal.title} was made from code that has changed since:\n{lines}\n"
            f"Run the test again, then accept what it proposes:\n  pytest '{proposal.test}'"
        )


def _new(proposal: Proposal) -> Golden:
    try:
        new = load(proposal.folder)
    except GoldenError as error:
        raise GoldenError(f"the proposal of {proposal.test} is damaged: run the test again. {error}") from None
    if new is None:
        raise GoldenError(f"the proposal of {proposal.test} is damaged, it lacks its {FILE}: run the test again")
    return new


def _remove(folder: Path) -> None:
    """Remove a proposal: out of the way in one step first, so that a crash leaves the whole of it or none."""
    doomed = folder.parent.parent / f"removed-{os.getpid()}-{folder.name}"
    try:
        folder.rename(doomed)
        try:
            shutil.rmtree(doomed)
        except OSError:
            doomed.rename(folder)
            raise
    except OSError as error:
        raise GoldenError(f"can't remove the proposal {folder}: {error.strerror or error}") from error


def _verify_either(check: Recorded, proposed: Path, standing: Path) -> None:
    """Check the files where they lie: changed ones with the proposal, kept ones with the golden."""
    own = any((proposed / entry["file"]).exists() for entry in check.arrays())
    verify_arrays(check, proposed if own else standing, fetch=False)
    there = check.provenance is not None and (proposed / check.files()[-1]["file"]).exists()
    provenance_of(check, proposed if there else standing)


def _target(proposal: Proposal, root: Path) -> Path:
    """Return the golden's folder; a proposal may come from another machine, so it may not point out of the root."""
    path = PurePosixPath(proposal.golden)
    target = root / path
    if path.is_absolute() or ".." in path.parts or not target.resolve().is_relative_to(root.resolve()):
        raise GoldenError(f"{proposal.folder / FACTS} points outside of {root}: {proposal.golden!r}")
    hidden = not SKIPPED.isdisjoint(path.parts)  # there no golden is ever found again
    if hidden or not is_leaf(target.name) or pending_folder(root, target).name != proposal.folder.name:
        raise GoldenError(
            f"{proposal.folder / FACTS} was changed by hand: {proposal.golden!r} is not what it proposes for"
        )
    return target


def _require_of_test(proposal: Proposal, new: Golden, target: Path, root: Path) -> None:
    """Raise GoldenError unless what is proposed is of the test that it is shown as, and lies where that test's golden lies."""
    same = new.nodeid(target, root) == proposal.test and dict(new.variant) == dict(proposal.variant)
    if not same or leaf(new.test, PurePosixPath(new.file).name, new.variant) != target.name:
        raise GoldenError(
            f"{proposal.folder / FACTS} was changed by hand: what it proposes is not the golden of {proposal.title}"
        )


def reject(proposal: Proposal) -> None:
    """Remove the proposal; the golden stays as it is."""
    _remove(proposal.folder)


def withdraw(root: Path, target: Path) -> None:
    """Remove the proposal for the golden in `target`, if there is one: its test passes again."""
    if target.is_relative_to(root):
        shutil.rmtree(pending_folder(root, target), ignore_errors=True)

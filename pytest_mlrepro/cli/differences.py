"""The command `diff`: two goldens, one golden at two revisions, or a golden and its proposal."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from .._json import json_text
from ..errors import GoldenError, UsageError
from ..golden.layout import is_leaf
from ..golden.past import extract, past_goldens
from ..provenance.objects import Repository, repository
from ..report.differences import differences, lines
from ..report.ranges import Changes, change_of, changes_between, json_of, markdown, text
from ..report.reasons import Side, proposal_sides
from .entry import main, reported
from .finding import golden_folders, listed, loaded, one_proposal, title

__all__ = ["diff"]


@main.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "markdown", "json")),
    default="text",
    show_default=True,
    help="For a terminal, a pull request, or a program.",
)
@click.pass_obj
@reported
def diff(root: Path, first: str, second: str | None, form: str) -> None:
    """Compare two goldens, or all goldens of two git revisions: why they differ, then by how much.

    A and B are node ids, parts of one, or folders of goldens, each with @REVISION after it if the golden of then is meant;
    or A alone is REVISION..REVISION (or REVISION...REVISION: since both parted), and all goldens of both are compared:

    \b
      mlrepro diff tests/test_m.py::test_a@HEAD~1 tests/test_m.py::test_a
      mlrepro diff test_a test_b
      mlrepro diff test_a          (against the proposal that waits)
      mlrepro diff main...HEAD --format markdown

    Values are compared within the tolerance that A was recorded with.

    Exit status: 0 equal, also if only within the tolerance; 1 different; 2 error.
    """
    with tempfile.TemporaryDirectory(prefix="mlrepro-") as scratch:
        revisions = _range(first, root) if second is None else None
        if revisions is not None:
            repo, sides, commits = revisions
            changes = changes_between(repo, sides, commits, root, Path(scratch))
            different, shown = bool(changes.found), [*_shown(changes, form)]
        else:
            old, new = _sides(first, second, root, Path(scratch))
            found = differences(old, new)
            different = found.any
            shown = [*lines(old, new, found)] if form == "text" else [*_shown(_pair(old, new), form)]
    for line in shown:
        click.echo(line)
    sys.exit(1 if different else 0)


def _shown(changes: Changes, form: str) -> Iterator[str]:
    if form == "json":
        yield json_text(json_of(changes)).rstrip()
    else:
        yield from (markdown if form == "markdown" else text)(changes)


def _pair(old: Side, new: Side) -> Changes:
    """Return what two goldens that were named come to, in the form of all that changed between two revisions."""
    change = change_of(old, new, test=new.title, variant=new.golden.variant, folder=new.folder.name)
    same = not change.checks and not change.why
    return Changes((old.title, new.title), ("", ""), () if same else (change,), int(same))


def _range(operand: str, root: Path) -> tuple[Repository, tuple[str, str], tuple[str, str]] | None:
    """Return the two revisions that `A..B` means, and their commits; None for another operand."""
    if ".." not in operand or _now(operand, root) is not None:
        return None
    one, dots, two = operand.partition("..." if "..." in operand else "..")
    repo = repository(root)
    if repo is None:
        raise GoldenError(f"{operand}: {root} lies in no git repository, or git doesn't answer")
    sides = one or "HEAD", two or "HEAD"
    commits = [repo.commit(side) for side in sides]
    for side, commit in zip(sides, commits, strict=True):
        if commit is None:
            raise UsageError(f"{operand}: git knows no revision {side!r} (and no test has that whole text in its id)")
    old, new = str(commits[0]), str(commits[1])
    if dots == "...":
        base = repo.merge_base(old, new)
        if base is None:
            raise UsageError(f"{operand}: the two revisions have no commit in common")
        return repo, (f"where {sides[0]} and {sides[1]} parted", sides[1]), (base, new)
    return repo, sides, (old, new)


def _sides(first: str, second: str | None, root: Path, scratch: Path) -> tuple[Side, Side]:
    """Return what is to be compared; goldens of the past are written into `scratch`."""
    if second is not None:
        return _side(first, root, scratch / "A"), _side(second, root, scratch / "B")
    old, new = proposal_sides(one_proposal(root, first), root)
    if old is None:
        raise UsageError(f"nothing is recorded yet for {first!r}, there is only a proposal: see  mlrepro show")
    return old, new


def _side(operand: str, root: Path, scratch: Path) -> Side:
    """Return the golden that is meant: as it is now, or as it was at the revision behind the last @."""
    found = _now(operand, root)
    if found is not None:
        return Side(title(found, root), loaded(found), found)
    test, at, revision = operand.rpartition("@")
    if not at or not test:
        raise UsageError(f"no golden is of a test {operand!r}, or of one with that in its id: see  mlrepro status")
    return _then(test, revision, root, scratch)


def _now(operand: str, root: Path) -> Path | None:
    """Return the golden's folder that an operand means as a whole; None for none, UsageError for several."""
    for folder in (Path.cwd() / operand, root / operand):
        if folder.is_dir() and is_leaf(folder.name):
            return folder.resolve()
    named = {folder: title(folder, root) for folder in golden_folders(root)}
    return _picked(operand, named)


def _picked(operand: str, named: dict[Path, str]) -> Path | None:
    exact = [folder for folder, name in named.items() if name == operand]
    found = exact or [folder for folder, name in named.items() if operand in name]
    if len(found) > 1:
        raise UsageError(
            f"{operand!r} is in the ids of {len(found)} tests: name one of\n{listed(named[f] for f in found)}"
        )
    return found[0] if found else None


def _then(test: str, revision: str, root: Path, scratch: Path) -> Side:
    """Return a golden as it was at a revision, found by its node id of then, or by its folder."""
    repo = repository(root)
    if repo is None:
        raise GoldenError(f"{test}@{revision}: {root} lies in no git repository, or git doesn't answer")
    commit = repo.commit(revision)
    if commit is None:
        raise UsageError(
            f"{test}@{revision}: git knows no revision {revision!r} (and no test has that whole text in its id)"
        )
    past = {Path(folder): name for name, folder in past_goldens(repo, commit, root)}
    wanted = (root / test).resolve()
    inside = wanted.relative_to(repo.top) if wanted.is_relative_to(repo.top) else None
    found = inside if inside in past else _picked(test, past)
    if found is None:
        raise UsageError(_not_then(test, revision, commit, past))
    scratch.mkdir()
    golden = extract(repo, commit, found.as_posix(), scratch)
    return Side(f"{past[found]} at {revision} ({commit[:10]})", golden, scratch)


def _not_then(test: str, revision: str, commit: str, past: dict[Path, str]) -> str:
    """Say that there was no such golden, and name those of tests that were called alike, since files are renamed."""
    where = revision if commit.startswith(revision) else f"{revision} ({commit[:10]})"
    name = test.rpartition("::")[2]
    alike = [other for other in past.values() if other.rpartition("::")[2] == name]
    if alike:
        return f"at {where} there was no golden of {test}, but of\n{listed(iter(alike))}"
    return f"at {where} there was no golden of {test} (goldens of then: {len(past)})"

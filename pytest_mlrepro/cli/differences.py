"""The command `diff`: two goldens, one golden at two revisions, or a golden and its proposal."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from ..errors import GoldenError, UsageError
from ..golden.layout import is_leaf
from ..golden.past import extract, past_goldens
from ..provenance.objects import repository
from ..report.differences import differences, lines
from ..report.reasons import Side, proposal_sides
from .entry import main, reported
from .finding import golden_folders, listed, loaded, one_proposal, title

__all__ = ["diff"]


@main.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@click.pass_obj
@reported
def diff(root: Path, first: str, second: str | None) -> None:
    """Compare two goldens, or one golden at two git revisions: why they differ, then by how much.

    A and B are node ids, parts of one, or folders of goldens, each with @REVISION after it if the golden of then is meant:

    \b
      mlrepro diff tests/test_m.py::test_a@HEAD~1 tests/test_m.py::test_a
      mlrepro diff test_a test_b
      mlrepro diff test_a          (against the proposal that waits)

    Values are compared within the tolerance that A was recorded with.

    Exit status: 0 equal, also if only within the tolerance; 1 different; 2 error.
    """
    with tempfile.TemporaryDirectory(prefix="mlrepro-") as scratch:
        old, new = _sides(first, second, root, Path(scratch))
        found = differences(old, new)
        shown = list(lines(old, new, found))
    for line in shown:
        click.echo(line)
    sys.exit(1 if found.any else 0)


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

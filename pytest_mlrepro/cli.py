"""The command `mlrepro`: look at goldens, decide on proposals, verify what is stored."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Literal, ParamSpec

import click

from .errors import GoldenError, MlreproError, UsageError
from .golden import history, pending, store
from .golden.layout import is_leaf
from .golden.record import FILE, Golden
from .report.contents import contents

__all__ = ["main"]

P = ParamSpec("P")
ROOT_MARKS = (".mlrepro", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", ".git")
SKIPPED = {".git", ".mlrepro", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache"}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pytest-mlrepro")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Root directory of the tests, as pytest prints it (default: found from here upwards).",
)
@click.pass_context
def main(context: click.Context, root: Path | None) -> None:
    """Golden runs: what is recorded, what waits for a decision, and whether all is as it was written.

    A golden is recorded by pytest: `pytest --golden=record`.
    """
    context.obj = (root or find_root(Path.cwd())).resolve()


def reported(function: Callable[P, None]) -> Callable[P, None]:
    """Print an error of ours as one message, and leave with status 2."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except MlreproError as error:
            click.secho(f"mlrepro: {error}".encode("utf-8", "backslashreplace").decode(), fg="red", err=True)
            sys.exit(2)

    return run


@main.command()
@click.pass_obj
@reported
def status(root: Path) -> None:
    """List the goldens and the proposals that wait."""
    proposals = {proposal.golden: proposal for proposal in pending.read_all(root)}
    waiting, found = len(proposals), 0
    for folder in golden_folders(root):
        found += 1
        _print_golden(folder, root, proposals.pop(folder.relative_to(root).as_posix(), None))
    for proposal in proposals.values():
        _print_state("pending", proposal.test, f"{_summary(proposal)}; nothing is recorded yet")
    if not found and not waiting:
        click.echo(f"no golden and no proposal under {root}\nto record goldens:  pytest --golden=record")
        return
    click.echo(f"{_count(found, 'golden')}, {_count(waiting, 'proposal')} waiting for a decision")
    if waiting:
        click.echo("look:  mlrepro show TEST   decide:  mlrepro accept TEST --reason '…'  or  mlrepro reject TEST")


@main.command()
@click.argument("test")
@click.pass_obj
@reported
def show(root: Path, test: str) -> None:
    """Show what is recorded for TEST: a node id, or a part of one."""
    folders = [folder for folder in golden_folders(root) if test in _title(folder, root)]
    proposals = [proposal for proposal in pending.read_all(root) if test in proposal.test]
    if not folders and not proposals:
        raise UsageError(f"no golden or proposal is of a test with {test!r} in its id: see  mlrepro status")
    for folder in folders:
        golden = _loaded(folder)
        click.secho(_title(folder, root), bold=True)
        click.echo(f"  in {folder.relative_to(root)}")
        click.echo("\n".join(f"  {line}" for line in contents(golden, folder)))
        for entry in history.read(folder):
            click.echo(_plain(f"  {entry['time']}  {entry['action']} by {entry['author']}: {entry['reason']}"))
    for proposal in proposals:
        click.secho(f"{proposal.test}  (proposal of {proposal.time})", bold=True)
        click.echo("\n".join(f"  {line}" for line in _proposed(proposal)))


@main.command()
@click.argument("tests", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every proposal.")
@click.option("--reason", required=True, help="Why the goldens change; kept in their history.")
@click.pass_obj
@reported
def accept(root: Path, tests: tuple[str, ...], everything: bool, reason: str) -> None:
    """Make proposals the goldens. TESTS are node ids, or parts of them."""
    if not reason.strip():
        raise UsageError("--reason must say why the goldens change")
    for proposal in chosen(root, tests, everything):
        folder = pending.accept(proposal, root=root, reason=reason)
        click.echo(f"accepted {proposal.test} ({_summary(proposal)}) into {folder.relative_to(root)}")


@main.command()
@click.argument("tests", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every proposal.")
@click.pass_obj
@reported
def reject(root: Path, tests: tuple[str, ...], everything: bool) -> None:
    """Remove proposals; the goldens stay as they are. TESTS are node ids, or parts of them."""
    for proposal in chosen(root, tests, everything):
        pending.reject(proposal)
        click.echo(f"rejected {proposal.test} ({_summary(proposal)})")


@main.command()
@click.pass_obj
@reported
def verify(root: Path) -> None:
    """Check every golden: that it is whole, that each array is the one recorded, and that its history is unbroken."""
    bad = total = 0
    for folder in golden_folders(root):
        total += 1
        for problem in store.problems(folder):
            bad += 1
            click.secho(_plain(problem), fg="red")
    if bad:
        click.echo(f"{_count(bad, 'problem')} in {_count(total, 'golden')}")
        sys.exit(1)
    if not total:
        click.echo(f"no golden under {root}: nothing was verified")
        return
    click.echo(f"{_count(total, 'golden')} verified: as written, with an unbroken history")
    click.echo("unanchored: a history whose end was cut off with its golden put back, or that was")
    click.echo("written anew from its start, can't be told without a checkpoint kept elsewhere")


def find_root(start: Path) -> Path:
    """Return the nearest folder from `start` upwards that looks like the root directory of tests, else `start`."""
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in ROOT_MARKS):
            return folder
    return start


def golden_folders(root: Path) -> Iterator[Path]:
    """Yield the folders of all goldens below `root`, also those whose recording was interrupted.

    The folder's name tells: a `history.jsonl` elsewhere is somebody's training log.
    """
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in SKIPPED)
        path = Path(folder)
        if is_leaf(path.name) and (FILE in files or history.FILE in files):
            yield path


def chosen(root: Path, tests: tuple[str, ...], everything: bool) -> list[pending.Proposal]:
    """Return the proposals that are meant: an exact node id means that test alone, a part of one all that match."""
    proposals = pending.read_all(root)
    if everything and tests:
        raise UsageError("name tests or say --all, not both")
    if not proposals:
        raise UsageError(
            "no proposal waits for a decision: a run of pytest makes one when a golden is missing or differs"
        )
    if everything:
        return proposals
    if not tests:
        raise UsageError("name the tests (node ids, or parts of them), or say --all")
    picked = []
    for test in tests:
        exact = [proposal for proposal in proposals if proposal.test == test]
        found = exact or [proposal for proposal in proposals if test in proposal.test]
        if not found:
            raise UsageError(f"no proposal is of a test {test!r}, or of one with that in its id: see  mlrepro status")
        picked += [proposal for proposal in found if proposal not in picked]
    return picked


def _print_golden(folder: Path, root: Path, proposal: pending.Proposal | None) -> None:
    try:
        golden = _loaded(folder)
        entries = history.read(folder)
    except GoldenError as error:
        _print_state("damaged", folder.relative_to(root).as_posix(), str(error))
        return
    facts = _count(len(golden.checks), "check")
    if entries:
        facts += f", {entries[-1]['action']} {entries[-1]['time']}: {entries[-1]['reason']}"
    title = golden.nodeid(folder, root)
    _print_state("pending" if proposal else "recorded", title, f"{_summary(proposal)}; {facts}" if proposal else facts)


def _print_state(state: Literal["recorded", "pending", "damaged"], title: str, facts: str) -> None:
    """Print two lines, the state first: ids are long, and a table would fold them."""
    color = {"recorded": "green", "pending": "yellow", "damaged": "red"}[state]
    click.echo(f"{click.style(f'{state:8}', fg=color)}  {_plain(title)}\n{'':8}  {_plain(facts)}")


def _plain(text: str) -> str:
    """Return text with what would move the cursor, colour the terminal or break the line written as an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _summary(proposal: pending.Proposal) -> str:
    parts = (("new", proposal.new), ("changed", proposal.changed), ("dropped", proposal.dropped))
    return ", ".join(f"{len(names)} {word}" for word, names in parts if names) or "nothing"


def _proposed(proposal: pending.Proposal) -> Iterator[str]:
    for word, names in (("new", proposal.new), ("changed", proposal.changed), ("dropped", proposal.dropped)):
        if names:
            yield f"{word}: {', '.join(name or '(unnamed)' for name in names)}"
    if proposal.change:
        yield f"greatest change: {proposal.change}"
    # what it keeps lies with the golden, and is shown there
    yield from contents(_loaded(proposal.folder), proposal.folder, {*proposal.new, *proposal.changed})


def _loaded(folder: Path) -> Golden:
    golden = store.load(folder)
    if golden is None:
        raise GoldenError(f"{folder} holds no {FILE}: a recording was interrupted, record the test again")
    return golden


def _title(folder: Path, root: Path) -> str:
    """Return the node id of the test that a golden belongs to, as far as its place tells."""
    try:
        golden = _loaded(folder)
    except GoldenError:
        return folder.relative_to(root).as_posix()
    return golden.nodeid(folder, root)

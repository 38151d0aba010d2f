"""The command `mlrepro`: look at goldens, decide on proposals, verify what is stored."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

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
            click.secho(f"mlrepro: {error}", fg="red", err=True)
            sys.exit(2)

    return run


@main.command()
@click.pass_obj
@reported
def status(root: Path) -> None:
    """List the goldens and the proposals that wait."""
    proposals = {proposal.golden: proposal for proposal in pending.read_all(root)}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("test", "checks", "state", "last change", "reason"):
        table.add_column(column, overflow="fold")
    found = 0
    for folder in golden_folders(root):
        found += 1
        proposal = proposals.pop(folder.relative_to(root).as_posix(), None)
        table.add_row(*_status_row(folder, root, proposal))
    for proposal in proposals.values():
        table.add_row(Text(proposal.test), str(len(proposal.new)), _waiting(proposal), proposal.time, "")
    if not found and not proposals:
        click.echo(f"no golden and no proposal under {root}: record with  pytest --golden=record")
        return
    Console(soft_wrap=False).print(table)
    waiting = len(pending.read_all(root))
    click.echo(f"\n{found} golden{'s' * (found != 1)}, {waiting} waiting for a decision")


@main.command()
@click.argument("test")
@click.pass_obj
@reported
def show(root: Path, test: str) -> None:
    """Show what is recorded for TEST: a node id, or a part of one."""
    folders = [folder for folder in golden_folders(root) if test in _title(folder, root)]
    proposals = [proposal for proposal in pending.read_all(root) if test in proposal.test]
    if not folders and not proposals:
        raise UsageError(f"no golden or proposal of a test that matches {test!r}: see  mlrepro status")
    for folder in folders:
        golden = _loaded(folder)
        click.secho(_title(folder, root), bold=True)
        click.echo(f"  in {folder.relative_to(root)}")
        click.echo("\n".join(f"  {line}" for line in contents(golden, folder)))
        for entry in history.read(folder):
            click.echo(f"  {entry['time']}  {entry['action']} by {entry['author']}: {entry['reason']}")
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
            click.secho(problem, fg="red")
    if bad:
        click.echo(f"{bad} problem{'s' * (bad != 1)} in {total} goldens")
        sys.exit(1)
    click.echo(f"{total} goldens are as they were written")
    if total:
        click.echo(
            "unanchored: that no history was cut short or written anew can't be told without a checkpoint elsewhere"
        )


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
    if everything:
        return proposals
    if not tests:
        raise UsageError("name the tests (node ids, or parts of them), or say --all")
    picked = []
    for test in tests:
        exact = [proposal for proposal in proposals if proposal.test == test]
        found = exact or [proposal for proposal in proposals if test in proposal.test]
        if not found:
            raise UsageError(f"no proposal of a test that matches {test!r}: see  mlrepro status")
        picked += [proposal for proposal in found if proposal not in picked]
    return picked


def _status_row(folder: Path, root: Path, proposal: pending.Proposal | None) -> tuple[str | Text, ...]:
    try:
        golden = _loaded(folder)
        last = history.read(folder)[-1:] or [{"time": "unknown", "reason": ""}]
    except GoldenError as error:
        return Text(str(folder.relative_to(root))), "", Text(f"damaged: {error}", style="red"), "", ""
    state = _waiting(proposal) if proposal else Text("recorded", style="green")
    return (
        Text(_title(folder, root)),
        str(len(golden.checks)),
        state,
        str(last[0]["time"]),
        Text(str(last[0]["reason"])),
    )


def _waiting(proposal: pending.Proposal) -> Text:
    return Text(f"pending: {_summary(proposal)}", style="yellow")


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

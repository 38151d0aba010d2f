"""Large arrays in their store: `gc` removes what nothing refers to, `fetch` and `push` bring them here and there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from .._json import Json
from ..errors import GoldenError, UsageError
from ..golden.garbage import Garbage, garbage, kept_here, uses
from ..golden.objects import Objects, is_object
from ..golden.stores import Store
from .entry import main, reported
from .finding import golden_folders, loaded, title
from .words import count, plain

__all__ = ["fetch", "gc", "push"]

DAY = 24 * 3600
SHOWN = 20


@main.command()
@click.option("--yes", is_flag=True, help="Remove them. Without it they are listed only.")
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=14,
    show_default=True,
    metavar="DAYS",
    help="Keep what was written so lately: a golden that refers to it may not have reached this clone yet.",
)
@click.pass_obj
@reported
def gc(root: Path, yes: bool, grace: float) -> None:
    """List the arrays in the store that nothing refers to; with --yes, remove them.

    Kept is whatever a golden or a proposal of this checkout (or of another work tree of its repository) refers to, whatever a
    golden of any commit refers to that a branch, remote branch, tag, stash or reflog of this clone leads to, and what is
    younger than the grace. A clone that doesn't know all branches or the whole history removes nothing. What another
    project keeps in the same place is not known here: give each project a place of its own.

    Exit status: 0, also if something was listed; 2 if it can't be told what is referred to.
    """
    objects = _objects(root)
    used = uses(root)
    where = f"{count(used.commits, 'version')} of goldens in git" if used.in_git else "no git repository"
    click.echo(
        f"referred to: {count(len(used.here), 'object')} by goldens and proposals here, {len(used.git)} by {where}"
    )
    assert objects.store is not None  # else `_objects` had raised
    left = _collect(objects.store, garbage(objects.store, used, grace * DAY), grace, yes=yes)
    if objects.store.is_remote:
        copies = kept_here(objects)
        left += _collect(copies, garbage(copies, used, grace * DAY), grace, yes=yes)
    if left and used.in_git:
        click.echo("branches that others have pushed since are not known here: run  git fetch --all  first")
    if left:
        click.echo("to remove them:  mlrepro gc --yes")


def _collect(store: Store, found: Garbage, grace: float, *, yes: bool) -> int:
    """Say what a store holds, remove what nothing needs if asked; return how many files are left to be removed."""
    young = f", {found.young} not yet referred to and younger than {grace:g} days" if found.young else ""
    click.echo(f"{plain(store.shown)}: {count(found.used, 'object')} in use{young}")
    size = sum(one.size for one in found.unused)
    for one in found.unused[:SHOWN]:
        click.echo(f"  unused  {one.name}  {one.size:,} bytes")
    if len(found.unused) > SHOWN:
        click.echo(f"  … and {len(found.unused) - SHOWN} more")
    if yes:
        for one in found.unused:
            store.remove(one.name)
    if found.unused:
        click.echo(f"  {'removed' if yes else 'unused'}: {count(len(found.unused), 'file')}, {size:,} bytes")
    return 0 if yes else len(found.unused)


@main.command()
@click.argument("tests", nargs=-1)
@click.pass_obj
@reported
def fetch(root: Path, tests: tuple[str, ...]) -> None:
    """Bring the arrays of goldens from the store into this checkout, so that tests need it no more.

    TESTS are node ids, or parts of them; without any, all goldens.
    """
    objects = _objects(root)
    done = _each(root, tests, lambda folder, entry: bool(objects.checked(folder, entry)))
    click.echo(f"{count(done, 'array')} here, each as it was recorded")


@main.command()
@click.argument("tests", nargs=-1)
@click.pass_obj
@reported
def push(root: Path, tests: tuple[str, ...]) -> None:
    """Put the arrays of goldens that this checkout has into the store, where they are missing or damaged.

    TESTS are node ids, or parts of them; without any, all goldens.
    """
    objects = _objects(root)

    def put(folder: Path, entry: Json) -> bool:
        here = objects.here(folder, entry)
        if here is not None:
            objects.put(objects.checked(folder, entry), entry)
        return here is not None

    done = _each(root, tests, put)
    click.echo(f"{count(done, 'array')} in the store, each as it was recorded")


def _each(root: Path, tests: tuple[str, ...], deal: Callable[[Path, Json], bool]) -> int:
    """Deal with each array of goldens that may lie in a store; return how many were dealt with. Status 1 where some were not."""
    done, troubles = 0, 0
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    for folder in _chosen(root, tests):
        for entry in (
            entry for check in loaded(folder).checks.values() for entry in check.arrays() if is_object(entry)
        ):
            try:
                dealt = deal(folder, entry)
                said = "" if dealt else f"{entry['file']} is not in this checkout"
            except GoldenError as error:
                dealt, said = False, str(error)
            click.echo(clear, nl=False, err=True)
            done += dealt
            if not dealt:
                troubles += 1
                click.secho(f"{plain(title(folder, root))}: {said}", fg="red", err=True)
    if troubles:
        click.echo(f"{count(done, 'array')} done, {troubles} not")
        sys.exit(1)
    return done


def _chosen(root: Path, tests: tuple[str, ...]) -> Iterator[Path]:
    folders = {folder: title(folder, root) for folder in golden_folders(root)}
    for test in tests:
        if not any(test in name for name in folders.values()):
            raise UsageError(f"no golden is of a test with {test!r} in its id: see  mlrepro status")
    yield from (folder for folder, name in folders.items() if not tests or any(test in name for test in tests))


def _objects(root: Path) -> Objects:
    objects = Objects.near(root, tell=_tell if sys.stderr.isatty() else lambda _: None)
    if objects.store is None:
        raise UsageError(
            "the configuration of pytest has no mlrepro_store, so all arrays lie beside their goldens and none is left over"
        )
    return objects


def _tell(words: str) -> None:
    click.echo(f"\r\x1b[K{words}", nl=False, err=True)

"""Keeping a store in order: `prune` lists what no test needs any more, `migrate` brings older goldens to the present form."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from .._json import json_text
from ..errors import GoldenError
from ..golden import migrations
from ..golden.last_run import LastRun
from ..golden.prune import Listing, listing, remove
from .entry import main, reported
from .finding import golden_folders
from .words import count, plain, plain_lines

__all__ = ["migrate", "prune"]

SCHEMA = 1


@main.command()
@click.option("--yes", is_flag=True, help="Remove what is listed, without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON; with --yes also remove.")
@click.pass_obj
@reported
def prune(root: Path, yes: bool, as_json: bool) -> None:
    """List the goldens that no test needs any more; remove them after a yes.

    A golden is obsolete if its test passed without asking for it, or is gone. Only a whole run can tell: all tests,
    none left out, no module that skipped itself. What another run left out stays, and so does every golden of a variant.

    Exit status: 0 done, or nothing to do; 1 something is obsolete and was not removed; 2 error.
    """
    found = listing(root)
    if as_json:
        click.echo(json_text(_json(found, removed=yes)), nl=False)
    else:
        _print(found)
    if not found.obsolete:
        return
    if not yes and not (not as_json and _asked(len(found.obsolete))):
        if not as_json:
            click.echo("nothing was removed. To remove them:  mlrepro prune --yes")
        sys.exit(1)
    for entry in found.obsolete:
        remove(root, entry)
    if not as_json:
        click.echo(
            f"removed {count(len(found.obsolete), 'golden')}; version control has them, as far as they were committed"
        )


def _asked(number: int) -> bool:
    """Ask, where somebody can answer."""
    return sys.stdin.isatty() and click.confirm(f"remove {'it' if number == 1 else f'these {number}'}?", default=False)


def run_words(run: LastRun | None) -> str:
    """Return what is known of the last run, and what to do for a whole one."""
    if run is None:
        return "no run is on record, so none can be told obsolete: run all tests, from the root directory:  pytest"
    when = datetime.fromtimestamp(run.began, UTC).isoformat(timespec="seconds")
    if run.partial:
        return (
            f"the last run ({when}) was no whole one: {run.partial}\n"
            "none can be told obsolete: run all tests, from the root directory:  pytest"
        )
    return f"as the last run found ({when}, whole)"


def _print(found: Listing) -> None:
    if found.run is None or found.run.partial:
        click.echo(plain_lines(run_words(found.run)))
        return
    if not found.obsolete and not found.kept:
        click.echo(f"no golden is obsolete, {run_words(found.run)}")
        return
    if found.obsolete:
        click.echo(f"{count(len(found.obsolete), 'obsolete golden')}, {run_words(found.run)}:")
    for entry in found.obsolete:
        click.echo(f"  {plain(entry.test)}  ({plain(entry.why)})\n    {plain(entry.folder)}")
    if found.kept:
        click.echo("obsolete in that run, and kept:")
    for entry, why in found.kept:
        click.echo(f"  {plain(entry.test)}  ({plain(why)})")


@main.command()
@click.pass_obj
@reported
def migrate(root: Path) -> None:
    """Bring goldens of an older schema to the present one: the same values, with an entry in each history.

    Exit status: 0 all goldens are of a schema that this version reads; 2 error, such as a golden of a newer version.
    """
    schemas: Counter[int] = Counter()
    refused = []
    for folder in golden_folders(root):
        try:
            done = migrations.migrate(folder, root)
            schemas[migrations.schema_of(folder)] += 1
        except GoldenError as error:
            refused.append(str(error))
            continue
        if done is not None:
            click.echo(f"migrated {folder.relative_to(root)} from schema {done[0]} to {done[1]}")
    for schema, number in sorted(schemas.items()):
        click.echo(f"{count(number, 'golden')} of schema {schema}, which this version reads")
    if refused:
        raise GoldenError("\n".join(refused))
    if not schemas:
        click.echo(f"no golden under {root}")


def _json(found: Listing, *, removed: bool) -> dict[str, object]:
    run = found.run
    return {
        "schema": SCHEMA,
        "run": None if run is None else {"began": run.began, "complete": not run.partial, "partial": run.partial},
        "obsolete": [{"test": e.test, "golden": e.folder, "why": e.why} for e in found.obsolete],
        "kept": [{"test": e.test, "golden": e.folder, "why": why} for e, why in found.kept],
        "removed": removed,
    }

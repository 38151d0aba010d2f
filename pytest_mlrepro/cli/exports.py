"""The command `export`: goldens in the formats that archives and auditors read."""

from __future__ import annotations

from pathlib import Path

import click

from ..audit.export import FORMATS, SUMS, VERIFIER, Format
from ..audit.export import export as write
from ..audit.keys import private_key
from ..audit.stock import require_whole
from .entry import main, reported
from .words import count, plain

__all__ = ["export"]


@main.command()
@click.argument("form", metavar="FORMAT", type=click.Choice(FORMATS))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to write: empty, or not there yet."
)
@click.option("--data", is_flag=True, help="Put in the data and model files that goldens were made from (ro-crate).")
@click.option(
    "--key", type=click.Path(dir_okay=False, path_type=Path), help="Private key that signs each statement (in-toto)."
)
@click.pass_obj
@reported
def export(root: Path, form: Format, output: Path, data: bool, key: Path | None) -> None:
    """Write all goldens with their histories in a standard format, for archives and auditors.

    \b
    FORMAT is one of
      in-toto      a statement for each golden and one for all
      prov         W3C PROV-JSON: changes, people, sources, steps
      openlineage  events: a run for each change, one for each step
      cyclonedx    ML-BOM 1.6 with model cards
      ro-crate     everything, described: goldens with arrays, provenance, lineage, and --data

    The records of the goldens lie beside it, and verify.py, which checks them with Python's standard library alone.
    A store with problems is not exported.
    """
    signer = None if key is None else private_key(key)
    held = require_whole(root, nothing="nothing was exported")
    done = write(form, held, root, output, data=data, signer=signer)
    entries = count(sum(one.count for one in held), "change")
    click.echo(
        f"exported {count(len(held), 'golden')} with {entries} on record as {form}: {done.files} files in {output}"
    )
    for reason in done.left_out:
        click.secho(plain(f"left out  {reason}"), fg="yellow")
    click.echo(f"keep elsewhere, the SHA-256 of {SUMS}:  {done.sha256}")
    click.echo(f"to verify it without mlrepro:  python -I -S {output / VERIFIER} --expect {done.sha256}")

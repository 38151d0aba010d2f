"""The commands `sign` and `checkpoint`: notes of a store that its own files can't be changed behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from .._canonical import canonical
from ..audit import checkpoint as checkpoints
from ..audit.envelope import FILE, sealed
from ..audit.keys import private_key
from ..audit.statement import store_statement
from ..audit.stock import require_whole
from ..errors import GoldenError, UsageError
from ..golden.files import write_whole
from .entry import main, reported
from .words import count

__all__ = ["checkpoint", "sign"]

FILES = click.Path(dir_okay=False, path_type=Path)


@main.command()
@click.option("--key", type=FILES, required=True, help="Private key (PEM or OpenSSH): Ed25519, ECDSA or RSA.")
@click.option("-o", "--output", type=FILES, help=f"Where to write it (default: {FILE} in the root directory).")
@click.option("--expires", type=float, metavar="DAYS", help="Days from now after which it counts no more.")
@click.pass_obj
@reported
def sign(root: Path, key: Path, output: Path | None, expires: float | None) -> None:
    """Sign all goldens with their histories, as they are now: a DSSE envelope around an in-toto statement.

    \b
      openssl genpkey -algorithm ed25519 -out KEY.pem      (once; keep it out of the repository)
      openssl pkey -in KEY.pem -pubout -out KEY.pub
      mlrepro sign --key KEY.pem
      mlrepro verify --key KEY.pub

    The password of a key that has one is read from the variable MLREPRO_KEY_PASSWORD. A store with problems is not signed.
    """
    until, signer = _until(expires), private_key(key)
    held = require_whole(root, nothing="nothing was signed")
    text, by = sealed(canonical(store_statement(held, expires=until)).encode(), signer)
    path = output or root / FILE
    _write(path, text)
    entries = sum(one.count for one in held)
    click.echo(f"signed by the key {by}: {count(len(held), 'golden')}, {count(entries, 'change')} on record, in {path}")
    if until is not None:
        click.echo(f"it counts until {until}")


@main.command()
@click.option("-o", "--output", type=FILES, help="Where to write it (default: print it).")
@click.pass_obj
@reported
def checkpoint(root: Path, output: Path | None) -> None:
    """Write how long each history is and what it ends in, to be kept where those who change goldens can't write.

    \b
      mlrepro checkpoint -o /elsewhere/2026-11.json
      mlrepro verify --checkpoint /elsewhere/2026-11.json
    """
    point = checkpoints.taken(require_whole(root, nothing="no checkpoint was made"))
    if output is None:
        click.echo(checkpoints.written(point), nl=False)
        return
    _write(output, checkpoints.written(point))
    goldens, entries = count(len(point.marks), "golden"), count(point.count, "change")
    click.echo(
        f"{goldens}, {entries} on record, head {point.head}\nin {output}: keep it elsewhere, write-once if you can"
    )


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except GoldenError as error:
        why = error.__cause__.strerror if isinstance(error.__cause__, OSError) else error
        raise UsageError(f"-o {path} can't be written: {why}") from None


def _until(days: float | None) -> str | None:
    if days is None:
        return None
    if not 0 < days < 36_525:
        raise UsageError(f"--expires must be a number of days above 0 and below 100 years, got {days:g}")
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")

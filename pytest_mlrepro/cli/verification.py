"""The command `verify`: is every golden as it was written, and is that anchored in something kept elsewhere or signed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from ..audit import anchors
from ..audit.envelope import FILE
from ..audit.stock import Holding, holding
from ..errors import GoldenError, UsageError
from ..golden import store
from .entry import main, reported
from .finding import golden_folders
from .words import count, plain

__all__ = ["verify"]

FILES = click.Path(dir_okay=False, path_type=Path)


@main.command()
@click.option("--key", type=FILES, metavar="PUB", help="Public key: the store, or the checkpoint, is signed by it.")
@click.option("--signature", type=FILES, help=f"Where the signature lies (default: {FILE} in the root directory).")
@click.option("--checkpoint", type=FILES, help="What  mlrepro checkpoint  (or  sign) wrote some time ago.")
@click.pass_obj
@reported
def verify(root: Path, key: Path | None, signature: Path | None, checkpoint: Path | None) -> None:
    """Check every golden: that it is whole, that each array is the one recorded, and that its history is unbroken.

    A history whose end was cut off, or that was written anew, shows only against what was kept elsewhere: a --checkpoint (which
    histories may have grown from), or against a signature (--key), which fits no store but the one that was signed.

    Exit status: 0 all is well; 1 something is not as it was; 2 error.
    """
    if signature is not None and key is None:
        raise UsageError("--signature is checked with a public key: give it with  --key FILE")
    folders = list(golden_folders(root))
    problems = [problem for folder in folders for problem in store.problems(folder)]
    said = []
    for anchored in _anchored(folders, root, key, signature, checkpoint):
        problems += anchored.problems
        said.append(anchored.said)
    for problem in problems:
        click.secho(plain(problem), fg="red")
    if problems:
        click.echo(f"{count(len(problems), 'problem')} in {count(len(folders), 'golden')}")
        sys.exit(1)
    if not folders:
        click.echo(f"no golden under {root}: nothing was verified")
        return
    click.echo(f"{count(len(folders), 'golden')} verified: as written, with an unbroken history")
    for line in said or _UNANCHORED:
        click.echo(plain(line))


_UNANCHORED = (
    "unanchored: a history whose end was cut off with its golden put back, or that was",
    "written anew from its start, can't be told without a checkpoint kept elsewhere",
    "to make one:  mlrepro checkpoint -o FILE   or sign:  mlrepro sign --key KEY.pem",
)


def _readable(folders: list[Path], root: Path) -> tuple[list[Holding], set[str]]:
    """Return the goldens that can be read, and the folders of the others: what is wrong with those is told anyway."""
    found, unreadable = [], set()
    for folder in folders:
        try:
            found.append(holding(folder, root))
        except GoldenError:
            unreadable.add(folder.relative_to(root).as_posix())
    empty = {one.folder for one in found if not one.count}
    return [one for one in found if one.count], unreadable | empty


def _anchored(
    folders: list[Path], root: Path, key: Path | None, signature: Path | None, checkpoint: Path | None
) -> list[anchors.Anchored]:
    if key is None and checkpoint is None:
        return []
    held, unreadable = _readable(folders, root)
    found = []
    if checkpoint is not None:
        found.append(_told(lambda: anchors.by_checkpoint(held, checkpoint, key, unreadable)))
    if key is not None and (signature is not None or not any(one.signed for one in found)):
        found.append(_told(lambda: anchors.by_signature(held, signature or root / FILE, key, unreadable)))
    return found


def _told(ask: Callable[[], anchors.Anchored]) -> anchors.Anchored:
    """Take what is damaged, or signed by somebody else, for a problem among the others; a usage error ends the command."""
    try:
        return ask()
    except GoldenError as error:
        return anchors.Anchored((str(error),), signed=True)

"""Looking at what is stored: `show`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from ..errors import GoldenError, UsageError
from ..golden import history, pending
from ..golden.suite import metrics_recorded
from ..report.contents import contents
from ..report.origins import origins
from ..report.reasons import proposal_sides, reasons
from ..report.steps import steps_of
from .entry import main, reported
from .finding import golden_folders, loaded, title
from .words import plain

__all__ = ["show"]


@main.command()
@click.argument("test")
@click.option("--provenance", "full", is_flag=True, help="List everything that the values were made from.")
@click.pass_obj
@reported
def show(root: Path, test: str, full: bool) -> None:
    """Show what is recorded for TEST, and what it was made from. TEST is a node id, or a part of one.

    Of a proposal that waits, why the values changed comes first.
    """
    folders = [folder for folder in golden_folders(root) if test in title(folder, root)]
    proposals = [proposal for proposal in pending.read_all(root) if test in proposal.title]
    if not folders and not proposals:
        raise UsageError(f"no golden or proposal is of a test with {test!r} in its id: see  mlrepro status")
    metrics = metrics_recorded(root)
    for folder in folders:
        golden = loaded(folder)
        click.secho(title(folder, root), bold=True)
        click.echo(f"  in {folder.relative_to(root)}")
        _indented(contents(golden, folder, elsewhere=_but(metrics, folder)))
        _indented(steps_of(golden))
        _indented(origins(golden, folder, full=full))
        for entry in history.read(folder):
            click.echo(plain(f"  {entry['time']}  {entry['action']} by {entry['author']}: {entry['reason']}"))
    for proposal in proposals:
        click.secho(f"{proposal.title}  (proposal of {proposal.time})", bold=True)
        _indented(_proposed(proposal, root, full=full, elsewhere=_but(metrics, root / proposal.golden)))


def _but(metrics: dict[Path, int], folder: Path) -> int:
    """Return how many metrics the other goldens have."""
    return sum(count for other, count in metrics.items() if other != folder)


def _indented(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(f"  {line}".rstrip())


def _proposed(proposal: pending.Proposal, root: Path, *, full: bool, elsewhere: int) -> Iterator[str]:
    new = loaded(proposal.folder)
    yield from _reason(proposal, root)
    for word, names in (("new", proposal.new), ("changed", proposal.changed), ("dropped", proposal.dropped)):
        if names:
            yield f"{word}: {', '.join(name or '(unnamed)' for name in names)}"
    if proposal.change:
        yield f"greatest change: {proposal.change}"
    # what it keeps lies with the golden, and is shown there
    own = {*proposal.new, *proposal.changed}
    yield from contents(new, proposal.folder, own, elsewhere=elsewhere)
    if proposal.steps:
        yield f"steps that are new, other than recorded, or gone: {', '.join(proposal.steps)}"
        yield from steps_of(new)
    yield from origins(new, proposal.folder, own, full=full)


def _reason(proposal: pending.Proposal, root: Path) -> Iterator[str]:
    """Yield the conclusion that stood in the failure, then what shows it."""
    try:
        old, new = proposal_sides(proposal, root)
    except GoldenError as error:
        yield from filter(None, (plain(proposal.why), plain(str(error))))
        return
    if old is not None:
        yield from reasons(old, new, proposal.changed)

"""Deciding on proposals: `accept` and `reject`."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import UsageError
from ..golden import pending
from .entry import main, reported
from .finding import chosen
from .words import summary

__all__ = ["accept", "reject"]


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
        click.echo(f"accepted {proposal.test} ({summary(proposal)}) into {folder.relative_to(root)}")


@main.command()
@click.argument("tests", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every proposal.")
@click.pass_obj
@reported
def reject(root: Path, tests: tuple[str, ...], everything: bool) -> None:
    """Remove proposals; the goldens stay as they are. TESTS are node ids, or parts of them."""
    for proposal in chosen(root, tests, everything):
        pending.reject(proposal)
        click.echo(f"rejected {proposal.test} ({summary(proposal)})")

"""Deciding on proposals: `pending` lists them, `accept` and `reject` decide, for people and for scripts."""

from __future__ import annotations

from pathlib import Path

import click

from .._json import Json, json_text
from ..errors import GoldenError, UsageError
from ..golden import pending as store
from ..golden.pending import Proposal
from ..provenance.written import changed_code
from .choosing import NONE, chosen, from_option, keyword_option, proposals_of
from .entry import main, reported
from .words import count, plain, summary

__all__ = ["accept", "pending", "reject"]

SCHEMA = 1


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@keyword_option
@from_option
@click.pass_obj
@reported
def pending(root: Path, as_json: bool, keyword: str | None, source: Path | None) -> None:
    """List the proposals that wait for a decision, and why they were made."""
    with proposals_of(root, source) as found:
        if keyword is not None and found:
            found = chosen(found, (), keyword, everything=False)
        if as_json:
            click.echo(
                json_text({"schema": SCHEMA, "pending": [_json(proposal, root) for proposal in found]}), nl=False
            )
            return
        if not found:
            click.echo(NONE)
            return
        for proposal in found:
            _print(proposal, root)
        click.echo(
            f"{count(len(found), 'proposal')}: decide with  mlrepro review" + (f" --from {source}" if source else "")
        )


def _json(proposal: Proposal, root: Path) -> Json:
    return {
        "test": proposal.test,
        "variant": dict(proposal.variant),
        "golden": proposal.golden,
        "replaces": proposal.base,
        "time": proposal.time,
        "new": list(proposal.new),
        "changed": list(proposal.changed),
        "dropped": list(proposal.dropped),
        "steps": list(proposal.steps),
        "change": proposal.change,
        "why": proposal.why,
        "code_changed_since": changed_code(proposal.code, root),
    }


def _print(proposal: Proposal, root: Path) -> None:
    click.secho(plain(proposal.title), bold=True)
    for line in filter(None, (summary(proposal), proposal.why, proposal.change)):
        click.echo(f"  {plain(line)}")
    stale = changed_code(proposal.code, root)
    if stale:
        more = f" (and {len(stale) - 1} more)" if len(stale) > 1 else ""
        click.secho(f"  the code has changed since: {stale[0]}{more}; run the test again", fg="yellow")


@main.command()
@click.argument("tests", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every proposal.")
@keyword_option
@from_option
@click.option("--reason", required=True, help="Why the goldens change; kept in their history.")
@click.pass_obj
@reported
def accept(
    root: Path, tests: tuple[str, ...], everything: bool, keyword: str | None, source: Path | None, reason: str
) -> None:
    """Make proposals the goldens. TESTS are node ids, or parts of them.

    A proposal is refused if its golden, or the code that its values were made from, has changed since. The others that
    were named are accepted all the same, and the exit status is 2.
    """
    if not reason.strip():
        raise UsageError("--reason must say why the goldens change")
    refused = []
    with proposals_of(root, source) as found:
        for proposal in chosen(found, tests, keyword, everything):
            try:
                folder = store.accept(proposal, root=root, reason=reason)
            except GoldenError as error:
                refused.append(str(error))
                continue
            click.echo(
                f"accepted {plain(proposal.title)} ({summary(proposal)}) into {plain(str(folder.relative_to(root)))}"
            )
    if refused:
        raise GoldenError("\n".join(refused))


@main.command()
@click.argument("tests", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every proposal.")
@keyword_option
@click.pass_obj
@reported
def reject(root: Path, tests: tuple[str, ...], everything: bool, keyword: str | None) -> None:
    """Remove proposals; the goldens stay as they are. TESTS are node ids, or parts of them."""
    for proposal in chosen(store.read_all(root), tests, keyword, everything):
        store.reject(proposal)
        click.echo(f"rejected {plain(proposal.title)} ({summary(proposal)})")

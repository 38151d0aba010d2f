"""The command `explain`: why a test's values changed, and by reruns which of the suspects carries the change."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..bisect.case import Case
from ..bisect.search import search
from ..bisect.tries import Try
from ..bisect.verdict import lines, outcome_words
from ..errors import GoldenError, UsageError
from ..golden.pending import Proposal
from ..golden.reason import so_far
from ..golden.store import provenance_of
from ..provenance.record import Provenance
from ..report.reasons import Side, proposal_sides, reasons
from .entry import main, reported
from .finding import one_proposal
from .words import plain

__all__ = ["explain"]


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("test")
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
@click.option("--bisect", is_flag=True, help="Rerun TEST with what changed put back, one at a time.")
@click.option("--timeout", type=float, default=600.0, show_default=True, help="Seconds for one rerun.")
@click.pass_obj
@reported
def explain(root: Path, test: str, pytest_args: tuple[str, ...], bisect: bool, timeout: float) -> None:
    """Say why the values of TEST changed: the conclusion, then what shows it. TEST has failed before.

    With --bisect it is rerun in a copy of the project (a temporary git worktree; yours stays as it is) with each changed
    function, file and variable put back as the golden had it, to find out which of them carries the change. Options of
    pytest that every rerun needs may follow after -- .

    Exit status of --bisect: 0 a carrier was found; 1 none was; 2 error.
    """
    proposal = one_proposal(root, test)
    old, new = proposal_sides(proposal, root)
    if old is None or not (proposal.changed or proposal.steps):
        raise UsageError(f"nothing that is recorded for {proposal.test} differs: see  mlrepro show '{proposal.test}'")
    if not bisect:
        _explained(proposal, old, new)
        return
    if not proposal.changed:
        raise UsageError(
            "--bisect reruns until a value is as it was, and only steps differ: give the first of them check=True, "
            "record it at the old state, and run the test again"
        )
    if timeout <= 0:
        raise UsageError(f"--timeout must be a number of seconds above 0, got {timeout:g}")
    try:
        verdict = search(_case(root, proposal, old, new, pytest_args, timeout), _progress)
    except KeyboardInterrupt:
        click.secho("mlrepro: interrupted; the copy of the project is removed", fg="red", err=True)
        sys.exit(130)
    for number, line in enumerate(map(plain, lines(verdict))):
        click.secho(line, bold=not number, fg=("green" if verdict.carried else "yellow") if not number else None)
    sys.exit(0 if verdict.carried else 2 if verdict.found.answer == "broken" else 1)


def _explained(proposal: Proposal, old: Side, new: Side) -> None:
    for line in reasons(old, new, proposal.changed):
        click.secho(line, bold=not line.startswith(" "))
    click.echo("\nNext:")
    for what, command in (
        ("by how much it differs:", f"mlrepro diff '{proposal.test}'"),
        *([("the graph of its steps:", f"mlrepro lineage '{proposal.test}'")] if new.golden.steps else []),
        ("to find out by reruns what carries the change:", f"mlrepro explain --bisect '{proposal.test}'"),
        ("to make the new values the golden:", f"mlrepro accept '{proposal.test}' --reason '…'"),
    ):
        click.echo(f"  {what}\n    {plain(command)}")


def _case(root: Path, proposal: Proposal, old: Side, new: Side, arguments: tuple[str, ...], timeout: float) -> Case:
    """Return what is asked, by the first check that differs and was recorded with what it was made from."""
    name = next((name for name in proposal.changed if old.golden.checks[name].provenance), proposal.changed[0])
    then, now = provenance_of(old.golden.checks[name], old.folder), provenance_of(new.golden.checks[name], new.folder)
    if Provenance() in (then, now):
        raise GoldenError(
            f"{proposal.test} was recorded without what it was made from: nothing tells what to put back. Record it again"
        )
    digests = {changed: new.golden.checks[changed].digest for changed in proposal.changed}
    return Case(proposal.test, root, old.folder, so_far(then, now), now, digests, Path.cwd(), arguments, timeout)


def _progress(done: Try) -> None:
    """Tell of each rerun as it ends, where somebody is watching."""
    if sys.stderr.isatty():
        names = " + ".join(unit.label for unit in done.units) or "nothing put back"
        click.secho(plain(f"… {names}: {outcome_words(done)}")[:79], dim=True, err=True)

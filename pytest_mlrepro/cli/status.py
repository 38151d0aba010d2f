"""The command `status`: each test with a golden or a proposal, and how it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import click

from .._json import Json, json_text
from ..errors import GoldenError
from ..golden import history, pending
from ..golden.last_run import verified
from ..golden.pending import Proposal
from ..golden.prune import Listing, listing
from ..golden.record import FILE, Golden
from .entry import main, reported
from .finding import golden_folders, loaded
from .words import count, plain, summary

__all__ = ["status"]

State: TypeAlias = Literal["golden", "pending", "obsolete", "unverified", "damaged"]
COLORS: dict[State, str] = {
    "golden": "green",
    "pending": "yellow",
    "obsolete": "magenta",
    "unverified": "cyan",
    "damaged": "red",
}
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Line:
    """A golden or a proposal, and how it stands."""

    state: State
    title: str
    facts: str
    data: dict[str, Json] = field(default_factory=dict)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the states as JSON.")
@click.pass_obj
@reported
def status(root: Path, as_json: bool) -> None:
    """List goldens and proposals by test, each with its state.

    \b
      golden      recorded, and its test has passed with it
      pending     a proposal waits for a decision
      obsolete    no test needs it, as the last whole run found
      unverified  recorded, and no run has passed with it since
      damaged     it can't be read
    """
    found = listing(root)
    lines = [*_lines(root, found)]
    if as_json:
        click.echo(json_text(_json(found, lines)), nl=False)
        return
    if not lines:
        click.echo(f"no golden and no proposal under {root}\nto record goldens:  pytest --golden=record")
        return
    for line in lines:
        click.echo(f"{click.style(f'{line.state:10}', fg=COLORS[line.state])}  {plain(line.title)}")
        click.echo(f"{'':10}  {plain(line.facts)}")
    _print_sums(lines, found)


def _lines(root: Path, found: Listing) -> Iterator[Line]:
    proposals = {proposal.golden: proposal for proposal in pending.read_all(root)}
    held, unneeded = verified(root), {entry.folder: entry.why for entry in found.obsolete}
    for folder in golden_folders(root):
        place = folder.relative_to(root).as_posix()
        yield _of_golden(folder, root, proposals.pop(place, None), held.get(folder), unneeded.get(place))
    for proposal in proposals.values():
        data = {**_about(proposal.test, proposal.variant, proposal.golden), "proposal": _proposal(proposal)}
        yield Line("pending", proposal.title, f"{summary(proposal)}; nothing is recorded yet", data)


def _of_golden(folder: Path, root: Path, proposal: Proposal | None, held: float | None, unneeded: str | None) -> Line:
    place = folder.relative_to(root).as_posix()
    try:
        golden = loaded(folder)
        entries = history.read(folder)
    except GoldenError as error:
        return Line("damaged", place, str(error), {"test": None, "variant": {}, "golden": place, "why": str(error)})
    last = entries[-1] if entries else None
    facts = ", ".join(filter(None, (_counts(golden), _last(last))))
    data = {
        **_about(golden.nodeid(folder, root), golden.variant, place),
        "checks": len(golden.checks),
        "steps": len(golden.steps),
        "last_change": None if last is None else {key: last[key] for key in ("action", "author", "time", "reason")},
        "proposal": None if proposal is None else _proposal(proposal),
    }
    name = golden.title(folder, root)
    if proposal is not None:
        return Line("pending", name, f"{summary(proposal)}; {facts}", data)
    if unneeded is not None:
        return Line("obsolete", name, f"{unneeded}; {facts}", {**data, "why": unneeded})
    known = held is not None and (folder / FILE).stat().st_mtime <= held
    return Line("golden" if known else "unverified", name, facts, data)


def _about(test: str, variant: Json, place: str) -> dict[str, Json]:
    return {"test": test, "variant": dict(variant), "golden": place}


def _proposal(proposal: Proposal) -> Json:
    return {"time": proposal.time, "summary": summary(proposal), "change": proposal.change, "why": proposal.why}


def _counts(golden: Golden) -> str:
    parts = (count(len(golden.checks), "check") if golden.checks or not golden.steps else "",
             count(len(golden.steps), "step") if golden.steps else "")  # fmt: skip
    return ", ".join(filter(None, parts))


def _last(entry: history.Entry | None) -> str:
    return "" if entry is None else f"{entry['action']} {entry['time']}: {entry['reason']}"


def _print_sums(lines: list[Line], found: Listing) -> None:
    states = Counter(line.state for line in lines)
    goldens = sum("checks" in line.data or line.state == "damaged" for line in lines)
    said = [count(goldens, "golden"), f"{count(states['pending'], 'proposal')} waiting for a decision"]
    said += [f"{states[state]} {state}" for state in ("obsolete", "unverified", "damaged") if states[state]]
    click.echo(", ".join(said))
    if states["pending"]:
        click.echo("decide:  mlrepro review   why:  mlrepro explain TEST   in a script:  mlrepro accept -k EXPR")
    if states["obsolete"]:
        click.echo("to look at what is obsolete, and remove it:  mlrepro prune")
    elif states["unverified"]:
        click.echo("unverified: their tests have not passed with them since they were written:  pytest")
    if found.run is not None and found.run.partial:
        click.echo(plain(f"none can be told obsolete: the last run was no whole one, {found.run.partial}"))


def _json(found: Listing, lines: list[Line]) -> Json:
    run = found.run
    return {
        "schema": SCHEMA,
        "run": None if run is None else {"began": run.began, "complete": not run.partial, "partial": run.partial},
        "tests": [{"state": line.state, **line.data} for line in lines],
    }

"""The command `review`: one proposal after the other is shown as its failure was, and decided on with one key."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from ..errors import GoldenError, UsageError
from ..golden import pending as store
from ..golden.pending import Proposal
from ..report.proposed import proposed
from .choosing import NONE, chosen, from_option, keyword_option, proposals_of
from .entry import main, reported
from .words import count, plain, plain_lines, summary

__all__ = ["review"]

NO_REASON = "accepted in review, no reason given"
KEYS = {
    "a": "accept",
    "r": "reject",
    "s": "skip",
    "t": "accept all of this test",
    "l": "accept all that are left",
    "q": "quit",
}
UNANSWERED = (
    "there is no terminal to ask in, and no answer on standard input. In a script, look with  mlrepro pending --json  "
    "and decide with  mlrepro accept -k EXPR --reason '…'  or  mlrepro reject -k EXPR"
)


@main.command()
@click.argument("tests", nargs=-1)
@keyword_option
@from_option
@click.pass_obj
@reported
def review(root: Path, tests: tuple[str, ...], keyword: str | None, source: Path | None) -> None:
    """Go through the proposals one by one: look at each as its failure showed it, then accept, reject or skip it.

    On a terminal one key answers; otherwise answers are lines of standard input: a letter, and after an acceptance the
    reason (an empty line for none). TESTS are node ids, or parts of them.
    """
    with proposals_of(root, source) as found:
        if not found:
            click.echo(NONE)
            return
        if tests or keyword is not None:
            found = chosen(found, tests, keyword, everything=False)
        _Review(root, found, local=source is None).run()


class _Review:
    """One sitting: what is left, and what was decided."""

    def __init__(self, root: Path, proposals: list[Proposal], *, local: bool) -> None:
        self._root, self._left, self._local = root, list(proposals), local
        self._total = len(proposals)
        self._reason = ""
        self._accepted = self._rejected = self._failed = 0
        self._decide: dict[str, Callable[[Proposal], None]] = {
            "a": lambda proposal: self._accept([proposal]),
            "r": self._reject,
            "s": lambda proposal: None,
            "t": lambda proposal: self._accept([proposal, *self._siblings(proposal)]),
            "l": lambda proposal: self._accept([proposal, *self._left]),
        }

    def run(self) -> None:
        """Ask until nothing is left; an interruption keeps what was decided, and so does the end of the answers."""
        try:
            while self._left:
                proposal = self._left.pop(0)
                self._show(proposal)
                key = self._key(proposal)
                if key == "q":
                    break
                self._decide[key](proposal)
        except (KeyboardInterrupt, click.Abort):
            click.echo("\ninterrupted")
        finally:
            self._tell()
        if self._failed:
            sys.exit(2)

    def _show(self, proposal: Proposal) -> None:
        number = self._total - len(self._left)
        click.secho(f"\n[{number} of {self._total}] {plain(proposal.title)}", bold=True, nl=False)
        click.echo(f"  ({summary(proposal)})")
        try:
            for line in proposed(proposal, self._root, draw=_can_draw()):
                click.echo(f"  {plain(line)}".rstrip())
        except GoldenError as error:
            click.secho(plain_lines(f"  {error}"), fg="red")

    def _siblings(self, proposal: Proposal) -> list[Proposal]:
        """Return what is left of the same test function: other parameters, other variants."""
        test = proposal.test.partition("[")[0]
        return [other for other in self._left if other.test.partition("[")[0] == test]

    def _key(self, proposal: Proposal) -> str:
        offered = {"t": len(self._siblings(proposal)), "l": len(self._left)}
        keys = {key: what for key, what in KEYS.items() if offered.get(key, 1)}
        said = ", ".join(
            f"[{key}] {what}" + (f" ({offered[key] + 1})" if key in offered else "") for key, what in keys.items()
        )
        while True:
            click.echo(f"{said}? ", nl=False)
            key = _answer()
            if key in keys:
                click.echo(keys[key] if sys.stdin.isatty() else "")
                return key
            click.echo(f"\n{key!r} is none of these keys")

    def _ask_reason(self) -> str:
        """Ask why; an empty answer is the reason given last, or none."""
        click.echo(f"reason (Enter: {plain(self._reason) or 'none'}): ", nl=False)
        given = sys.stdin.readline()
        if not sys.stdin.isatty():
            click.echo("")
        self._reason = given.strip() or self._reason
        return self._reason or NO_REASON

    def _accept(self, proposals: list[Proposal]) -> None:
        reason = self._ask_reason()
        for proposal in proposals:
            if proposal in self._left:
                self._left.remove(proposal)
            try:
                folder = store.accept(proposal, root=self._root, reason=reason)
            except GoldenError as error:
                self._failed += 1
                click.secho(plain_lines(f"not accepted: {error}"), fg="red")
                continue
            self._accepted += 1
            click.secho(
                f"accepted {plain(proposal.title)} into {plain(str(folder.relative_to(self._root)))}", fg="green"
            )

    def _reject(self, proposal: Proposal) -> None:
        store.reject(proposal)
        self._rejected += 1
        where = "" if self._local else " for this sitting; what was downloaded stays"
        click.secho(f"rejected {plain(proposal.title)}{where}", fg="yellow")

    def _tell(self) -> None:
        left = self._total - self._accepted - self._rejected
        click.echo(f"\n{count(self._accepted, 'golden')} accepted, {self._rejected} rejected, {left} left as they were")


def _answer() -> str:
    """Return the next key on a terminal, else the first letter of the next line; UsageError where there is none."""
    if sys.stdin.isatty():
        return click.getchar().lower()
    line = sys.stdin.readline()
    if not line:
        raise UsageError(UNANSWERED)
    return line.strip().lower()[:1]


def _can_draw() -> bool:
    """Tell whether what is printed to can hold block characters."""
    try:
        "█▁·…".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True

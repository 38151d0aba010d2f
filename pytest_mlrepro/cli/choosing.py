"""Which proposals a command is about: of this checkout or of a folder from elsewhere, by test, by expression, or all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import UsageError
from ..golden import pending
from ..golden.incoming import read_incoming
from ..golden.pending import Proposal
from .finding import listed, matching
from .keywords import keyword_filter

__all__ = ["chosen", "from_option", "keyword_option", "proposals_of"]

F = TypeVar("F", bound=Callable[..., Any])

NONE = "no proposal waits for a decision: a run of pytest makes one when a golden is missing or differs"


def from_option(function: F) -> F:
    """Add the option --from."""
    return click.option(
        "--from",
        "source",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Proposals of another machine: a folder with the .mlrepro/pending of, for example, a CI job.",
    )(function)


def keyword_option(function: F) -> F:
    """Add the option -k."""
    return click.option("-k", "keyword", metavar="EXPR", help="Proposals whose test matches, as with pytest -k.")(
        function
    )


@contextmanager
def proposals_of(root: Path, source: Path | None) -> Iterator[list[Proposal]]:
    """Give the proposals that wait here; of another machine, copies that are good until the end."""
    if source is None:
        yield pending.read_all(root)
        return
    with tempfile.TemporaryDirectory(prefix="mlrepro-") as scratch:
        yield read_incoming(source, Path(scratch) / "pending", root)


def chosen(proposals: list[Proposal], tests: tuple[str, ...], keyword: str | None, everything: bool) -> list[Proposal]:
    """Return the proposals that are meant: an exact node id means that test alone, a part of one all that match."""
    if everything and (tests or keyword is not None):
        raise UsageError("name tests or say --all, not both" if tests else "give -k or say --all, not both")
    if not proposals:
        raise UsageError(NONE)
    if everything:
        return proposals
    if not tests and keyword is None:
        raise UsageError("name the tests (node ids, or parts of them), or -k EXPR, or say --all")
    picked = _by_name(proposals, tests) if tests else proposals
    if keyword is not None:
        fits = keyword_filter(keyword)
        found = [proposal for proposal in picked if fits(proposal.title)]
        if not found:
            raise UsageError(f"no proposal matches -k {keyword!r}; there are\n{listed(p.title for p in picked)}")
        return found
    return picked


def _by_name(proposals: list[Proposal], tests: tuple[str, ...]) -> list[Proposal]:
    picked: list[Proposal] = []
    for test in tests:
        found = matching(proposals, test)
        if not found:
            raise UsageError(f"no proposal is of a test {test!r}, or of one with that in its id: see  mlrepro status")
        picked += [proposal for proposal in found if proposal not in picked]
    return picked

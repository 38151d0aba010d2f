"""Which commits may have the state that a golden was recorded in."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UsageError
from ..golden.record import FILE
from ..provenance.objects import Repository
from ..provenance.record import UNKNOWN
from .case import Case
from .units import read

__all__ = ["Commits", "commits_of"]


@dataclass(frozen=True, slots=True)
class Commits:
    """The commits that may have what the golden was made from, the likeliest first."""

    names: tuple[str, ...]
    sure: str = ""
    """The one whose files are what was there at the recording, as nothing differed from it; "" if none is."""
    doubt: str = ""
    """What a person should know if none is."""


def commits_of(case: Case, repo: Repository) -> Commits:
    """Return where the old state can be had; raise UsageError if it can't."""
    recorded = repo.commit(case.old.commit) if case.old.commit != UNKNOWN else None
    own = _commit_of_golden(case, repo)
    if recorded is None and own is None:
        raise UsageError(_no_commit(case))
    if case.old.dirty is False and recorded is not None:
        return Commits(tuple(dict.fromkeys(filter(None, (recorded, own)))), sure=recorded)
    names = tuple(dict.fromkeys(filter(None, (own, recorded))))
    if case.old.commit == UNKNOWN:
        why = "The golden was recorded before there was a commit"
    elif recorded is None:
        why = f"The golden's commit {case.old.commit[:10]} is not in this repository"
    else:
        why = f"The golden was recorded with uncommitted changes on top of {recorded[:10]}"
    where = "the commit that the golden came with" if own else "the commit before them"
    return Commits(names, doubt=f"{why}: what is put back is from {names[0][:10]}, {where}.")


def _no_commit(case: Case) -> str:
    if case.old.commit == UNKNOWN:
        why = "the golden says of no commit that it was recorded at, and isn't committed itself"
    else:
        why = f"the golden's commit {case.old.commit[:10]} is not in this repository (rebased, or a shallow clone?)"
    return (
        f"{why}: there is no old state to put back.\n"
        "git fetch --unshallow  may bring it; else compare by hand, from what  mlrepro explain  names"
    )


def _commit_of_golden(case: Case, repo: Repository) -> str | None:
    """Return the commit in which the golden became what it is now; None if it isn't committed as it is."""
    try:
        path = (case.golden.resolve() / FILE).relative_to(repo.top).as_posix()
    except ValueError:
        return None
    latest = repo.log(path, 1)
    entry = repo.entry(latest[0], path) if latest else None
    if entry is None or repo.content(entry) != read(repo.top / path):
        return None
    return latest[0]

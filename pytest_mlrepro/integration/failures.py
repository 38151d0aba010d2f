"""Failures of ours as users see them: the message alone where no line of theirs failed, and none of our own frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from ..errors import MlreproError

if TYPE_CHECKING:
    from ..seeding import EntropySite, SeedScope

__all__ = ["fail", "forbid", "plainly", "raised_here", "trim"]

PACKAGE = str(Path(__file__).parent.parent)


def forbid(scope: SeedScope, seen: int) -> None:
    """Fail a phase in which the test drew without a seed and swallowed the error."""
    if len(scope.violations) > seen:
        pytest.fail("\n".join(_forbidden(site) for site in scope.violations[seen:]), pytrace=False)


def _forbidden(site: EntropySite) -> str:
    return f"unseeded entropy is forbidden in this test: {site.kind} was drawn at {site.file}:{site.line}"


def raised_here(error: Exception) -> bool:
    """Tell whether an error comes from this package and not from what the test or a library did."""
    entry = error.__traceback__
    while entry is not None and entry.tb_next is not None:
        entry = entry.tb_next
    return entry is not None and entry.tb_frame.f_code.co_filename.startswith(PACKAGE)


def trim(error: Exception) -> None:
    """Cut the frames of this package off the end of a traceback: what failed is the user's line above them."""
    last, entry = None, error.__traceback__
    while entry is not None:
        if not entry.tb_frame.f_code.co_filename.startswith(PACKAGE):
            last = entry
        entry = entry.tb_next
    if last is not None:
        last.tb_next = None


@contextmanager
def plainly() -> Iterator[None]:
    """Show a failure of ours as its message alone: no line of the user's is in its traceback."""
    try:
        yield
    except (MlreproError, AssertionError) as error:
        failure: Exception = error
    else:
        return
    fail(failure)


def fail(error: Exception) -> NoReturn:
    """Raise the failure that shows the message of an error, with the kind of error where it is not a check that failed."""
    prefix = f"{type(error).__name__}: " if isinstance(error, MlreproError) else ""
    raise pytest.fail.Exception(f"{prefix}{error}", pytrace=False) from None

"""One run of one test: what belongs to it, and what is asked of it as it ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..errors import MlreproError, UsageError
from ..records import TestId
from ..session import Session
from .failures import plainly, raised_here, trim
from .markers import Plan
from .properties import VARIANT
from .watching import Watched

if TYPE_CHECKING:
    from ..golden.case import GoldenCase
    from ..seeding import SeedScope
    from .robustness import Robustness

__all__ = ["Case", "chosen_variant", "note", "require_declared", "scope_of", "test_id"]


class Case:
    """What belongs to one run of one test. No dataclass: making one takes a millisecond of every start of pytest."""

    __slots__ = ("failed_here", "golden", "item", "passed", "plan", "refused", "robustness", "scope", "watched")

    def __init__(self, item: pytest.Item | None = None) -> None:
        self.item = item
        self.plan: Plan | None = None
        self.scope: SeedScope | None = None
        self.golden: GoldenCase | None = None
        self.robustness: Robustness | None = None
        self.passed = False
        self.failed_here = False
        self.refused: UsageError | None = None
        self.watched: Watched | None = None


def test_id(item: pytest.Item) -> TestId:
    """Return which test this is."""
    return TestId(item.path, item.nodeid.partition("::")[2] or item.name)


def chosen_variant(session: Session, item: pytest.Item, test: TestId) -> tuple[Path, Mapping[str, str]]:
    """Return the golden that a test is held against where variants are declared, and tell which it is."""
    from ..golden.layout import golden_folder
    from ..golden.record import variant_text
    from ..golden.variants import choose

    settings = session.settings
    choice = choose(
        lambda variant: golden_folder(test, root=settings.root, golden_dir=settings.golden_dir, variant=variant),
        session.present(),
        settings.variant,
    )
    told = (VARIANT, variant_text(choice.variant))
    if told not in item.user_properties:  # a test may run more than once
        item.user_properties.append(told)
    return choice.folder, choice.variant


def scope_of(seeding: Plan) -> SeedScope:
    """Return the scope that a test with such a plan runs in, not yet entered."""
    from ..seeding import SeedScope

    return SeedScope(seeding.seed, entropy=seeding.entropy, deterministic=seeding.deterministic)


def require_declared(case: Case) -> None:
    """Fail a test that declares a path which isn't there, also while its golden needs no provenance."""
    if case.plan is not None and (case.plan.data or case.plan.artifacts) and case.watched is not None:
        with plainly():
            case.watched.sources.declared()


def note(case: Case, error: Exception) -> None:
    """Add to a failure what the user needs to know beside it."""
    for text in [*_hints(case, error), *(case.golden.notes if case.golden else [])]:
        error.add_note(text)
    case.failed_here = case.failed_here or raised_here(error)
    if isinstance(error, (MlreproError, AssertionError)):
        trim(error)


def _hints(case: Case, error: Exception) -> list[str]:
    if case.scope is None:
        return []
    from ..seeding import deterministic_hint

    hint = deterministic_hint(error)
    return [hint] if hint else []

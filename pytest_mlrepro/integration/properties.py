"""What a test tells by user properties of its reports: so it reaches JUnit files and the process that pytest-xdist reports to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest

from ..records import Check

__all__ = [
    "CACHED",
    "ENTROPY",
    "PROPERTY",
    "REMARK",
    "SPREAD",
    "VARIANT",
    "VERDICT",
    "cached_steps",
    "entropy_sites",
    "name_in",
    "named",
    "outcomes",
    "remarks",
    "spreads",
    "variant_of",
    "verdicts",
]

ENTROPY = "mlrepro.entropy"
"""User property of each line that drew without a seed in a seeded test: `mlrepro.entropy:FILE:LINE`, kind of source."""
CACHED = "mlrepro.cached"
"""User property of each pipeline step with `cache=True`: `mlrepro.cached:NAME`, what became of it."""
PROPERTY = "mlrepro.golden"
"""User property (so that it reaches JUnit and other processes) of each golden check: `mlrepro.golden:NAME`, outcome."""
VARIANT = "mlrepro.variant"
"""User property of each test with a golden, where variants are declared: the one it was held against, "" for that for all."""
VERDICT = "mlrepro.verdict"
"""User property of each check with a verdict of its own, such as drift: `mlrepro.verdict:NAME`, its facts as JSON."""
SPREAD = "mlrepro.spread"
"""User property of each value that may differ in a varied run, and does: `mlrepro.spread:VARIATION:LABEL`, how far."""
REMARK = "mlrepro.distribution"
"""User property of each distribution check that passed: `mlrepro.distribution:NAME`, what change it would have seen."""

_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|\\\\(?=u)")
_WRITTEN: Final = re.compile(r"\\u([0-9a-f]{4})")


def named(kind: str, name: str) -> str:
    """Return the name of a property: of a kind, about a check that is called so; `name_in` is the inverse.

    Characters that no XML may hold are written as `\\u0000`, as pytest puts names into JUnit files as they are.
    """
    return f"{kind}:{_UNFIT.sub(_written, name)}"


def _written(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def name_in(key: str, kind: str) -> str:
    """Return what a property of a kind is about."""
    return _WRITTEN.sub(lambda match: chr(int(match[1], 16)), key[len(kind) + 1 :])


def outcomes(report: pytest.TestReport) -> Iterator[Check]:
    """Return the golden checks that a test's last report tells of, wherever it ran."""
    for key, value in report.user_properties:
        if key.startswith(f"{PROPERTY}:"):
            yield Check(name_in(key, PROPERTY), value)  # type: ignore[arg-type]  # an Outcome, written by us


def remarks(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    """Return the names of the checks of a test that have something to say although they passed, and what."""
    for key, value in report.user_properties:
        if key.startswith(REMARK):
            yield name_in(key, REMARK), str(value)


def entropy_sites(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    """Return the lines that drew without a seed, and the kind of source, that a test's last report tells of."""
    for key, value in report.user_properties:
        if key.startswith(ENTROPY):
            yield name_in(key, ENTROPY), str(value)


def spreads(report: pytest.TestReport) -> Iterator[tuple[str, str, str]]:
    """Return the variation, the value and how far it may be away elsewhere, that a test's last report tells of."""
    for key, value in report.user_properties:
        if key.startswith(SPREAD):
            variation, _, label = name_in(key, SPREAD).partition(":")
            yield variation, label, str(value)


def cached_steps(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    """Return the steps with `cache=True` that a test's last report tells of, and what became of each."""
    for key, value in report.user_properties:
        if key.startswith(CACHED):
            yield name_in(key, CACHED), str(value)


def verdicts(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    """Return the checks of a test that have a verdict of their own, and its facts as JSON."""
    for key, value in report.user_properties:
        if key.startswith(VERDICT):
            yield name_in(key, VERDICT), str(value)


def variant_of(report: pytest.TestReport) -> str | None:
    """Return which variant's golden a test was held against; None where none is declared."""
    return next((str(value) for key, value in report.user_properties if key == VARIANT), None)

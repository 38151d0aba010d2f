"""What a test tells by user properties of its reports: so it reaches JUnit files and the process that pytest-xdist reports to."""

from __future__ import annotations

from collections.abc import Iterator

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


def outcomes(report: pytest.TestReport) -> Iterator[Check]:
    """Return the golden checks that a test's last report tells of, wherever it ran."""
    for key, value in report.user_properties:
        if key.startswith(PROPERTY):
            yield Check(key[len(PROPERTY) + 1 :], value)  # type: ignore[arg-type]  # an Outcome, written by us


def remarks(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    """Return the names of the checks of a test that have something to say although they passed, and what."""
    for key, value in report.user_properties:
        if key.startswith(REMARK):
            yield key[len(REMARK) + 1 :], str(value)


def entropy_sites(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    """Return the lines that drew without a seed, and the kind of source, that a test's last report tells of."""
    for key, value in report.user_properties:
        if key.startswith(ENTROPY):
            yield key[len(ENTROPY) + 1 :], str(value)


def spreads(report: pytest.TestReport) -> Iterator[tuple[str, str, str]]:
    """Return the variation, the value and how far it may be away elsewhere, that a test's last report tells of."""
    for key, value in report.user_properties:
        if key.startswith(SPREAD):
            variation, _, label = key[len(SPREAD) + 1 :].partition(":")
            yield variation, label, str(value)


def cached_steps(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    """Return the steps with `cache=True` that a test's last report tells of, and what became of each."""
    for key, value in report.user_properties:
        if key.startswith(CACHED):
            yield key[len(CACHED) + 1 :], str(value)


def verdicts(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    """Return the checks of a test that have a verdict of their own, and its facts as JSON."""
    for key, value in report.user_properties:
        if key.startswith(VERDICT):
            yield key[len(VERDICT) + 1 :], str(value)


def variant_of(report: pytest.TestReport) -> str | None:
    """Return which variant's golden a test was held against; None where none is declared."""
    return next((str(value) for key, value in report.user_properties if key == VARIANT), None)

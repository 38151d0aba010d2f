"""The errors of this package: a user's mistake or a broken store. A failed check is an `AssertionError`."""

from __future__ import annotations

__all__ = ["FingerprintError", "GoldenError", "MissingDependencyError", "MlreproError", "ServingError", "UsageError"]


class MlreproError(Exception):
    """Base of every error that this package raises on purpose."""


class UsageError(MlreproError):
    """An argument, marker or option that can't be right: names it, what came, and what is expected."""


class GoldenError(MlreproError):
    """A golden that can't be read, trusted or written: names the file, what is wrong, and what to do."""


class FingerprintError(MlreproError):
    """A value that has no canonical form: names the place inside the value, its type, and what to do."""


class MissingDependencyError(MlreproError):
    """An optional library that is needed and not installed: names the command that installs it."""


class ServingError(MlreproError):
    """A served model that can't be reached, or answers otherwise than the protocol says: names the address and the answer."""

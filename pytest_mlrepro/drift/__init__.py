"""Is it still the data that we trained on: a compact profile of the reference, and tests of a sample against it."""

from __future__ import annotations




__all__: list[str] = []

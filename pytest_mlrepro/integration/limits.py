"""The time limit that pytest-timeout gives a test is for each of its runs, and not for the start of other processes."""

from __future__ import annotations

import sys
from typing import Any

import pytest

__all__ = ["pause", "restart"]


def pause(item: pytest.Item) -> None:
    """Stop the clock of a test; nothing without pytest-timeout, or where it times the body alone."""
    if _settings(item) is not None:
        item.ihook.pytest_timeout_cancel_timer(item=item)


def restart(item: pytest.Item) -> None:
    """Give a test its whole time again."""
    settings = _settings(item)
    if settings is not None:
        item.ihook.pytest_timeout_cancel_timer(item=item)
        item.ihook.pytest_timeout_set_timer(item=item, settings=settings)


def _settings(item: pytest.Item) -> Any:
    """Return what pytest-timeout holds a test to, as its own hook around the protocol asks; None for no limit."""
    module = sys.modules.get("pytest_timeout")
    ask = getattr(module, "_get_item_settings", None)
    if ask is None or not hasattr(item.config.hook, "pytest_timeout_set_timer"):
        return None
    settings = ask(item)
    limited = settings.timeout is not None and settings.timeout > 0
    return settings if limited and not settings.func_only else None

"""Which files a stretch of a program opens: data that it reads, and what it writes."""

from __future__ import annotations

from .tracker import FileTracker, Tracking

__all__ = ["FileTracker", "Tracking"]

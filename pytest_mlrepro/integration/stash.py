"""Where the plugin's state hangs on pytest's configuration."""

from __future__ import annotations

import pytest

from .phases import Phases

__all__ = ["PHASES"]

PHASES = pytest.StashKey[Phases]()

"""What a result depends on beside code and data: machine, interpreter, libraries, their threads, switches and variables."""

from __future__ import annotations

from .packages import is_tool
from .whole import environment_of, fingerprint_environment

__all__ = ["environment_of", "fingerprint_environment", "is_tool"]

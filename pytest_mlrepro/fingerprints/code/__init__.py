"""Code: what some functions reach, read from live objects and their source."""

from __future__ import annotations

from .named import codes_named
from .project import project_of
from .ran import Ran
from .whole import RAN, changed_code, fingerprint_code, without_ran

__all__ = ["RAN", "Ran", "changed_code", "codes_named", "fingerprint_code", "project_of", "without_ran"]

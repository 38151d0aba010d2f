"""Digests of values, files, code and environment: equal content, equal digest, on every machine and in every process."""

from __future__ import annotations

from .anything import fingerprint
from .digest import Fingerprint
from .values import fingerprint_node

__all__ = ["Fingerprint", "fingerprint", "fingerprint_node"]

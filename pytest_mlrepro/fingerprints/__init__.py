"""Digests of values: equal content, equal digest, on every machine and in every process."""

from __future__ import annotations

from .digest import Fingerprint
from .values import fingerprint, fingerprint_node

__all__ = ["Fingerprint", "fingerprint", "fingerprint_node"]

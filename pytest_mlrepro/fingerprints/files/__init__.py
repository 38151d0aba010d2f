"""Files and folders by their bytes and names: data, and saved models with the parts that their formats name."""

from __future__ import annotations

from .declared import declared_paths
from .stat_cache import StatCache
from .whole import fingerprint_artifact, fingerprint_path

__all__ = ["StatCache", "declared_paths", "fingerprint_artifact", "fingerprint_path"]

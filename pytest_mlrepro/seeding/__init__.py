"""Every random source seeded, and put back."""

from .everything import seed_everything
from .scope import SeedScope
from .stream import EntropySite, UnseededEntropyError
from .torch_rngs import deterministic_hint

__all__ = ["EntropySite", "SeedScope", "UnseededEntropyError", "deterministic_hint", "seed_everything"]

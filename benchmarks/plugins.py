"""The plugins that are compared, by the modules that pytest is told to load."""

from __future__ import annotations

__all__ = ["PEERS", "PLUGINS"]

PLUGINS: dict[str, tuple[str, ...]] = {
    "bare": (),
    "mlrepro": ("pytest_mlrepro.plugin",),
    "randomly": ("pytest_randomly",),
    "syrupy": ("syrupy",),
    "regressions": ("pytest_datadir.plugin", "pytest_regressions.plugin"),
}
PEERS = ("randomly", "syrupy", "regressions")

"""Where the goldens of a project lie, read from pytest's settings file by a command that does not run pytest."""

from __future__ import annotations

import configparser
import tomllib
from pathlib import Path
from typing import Any, Final

__all__ = ["golden_dir_of"]

NAME: Final = "mlrepro_golden_dir"
DEFAULT: Final = "__golden__"
FILES: Final = (
    ("pytest.ini", "pytest"),
    (".pytest.ini", "pytest"),
    ("pyproject.toml", ""),
    ("tox.ini", "pytest"),
    ("setup.cfg", "tool:pytest"),
)
"""In the order in which pytest looks, with the section that it reads."""


def golden_dir_of(root: Path) -> str:
    """Return the setting `mlrepro_golden_dir` of the root directory; what `-c` or `-o` say of a run is not known here."""
    for name, section in FILES:
        path = root / name
        found = _of_toml(path) if name.endswith(".toml") else _of_ini(path, section)
        if found is not None or (name in ("pytest.ini", ".pytest.ini") and path.is_file()):
            return str((found or {}).get(NAME, DEFAULT)).replace("\\", "/").rstrip("/")
    return DEFAULT


def _of_ini(path: Path, section: str) -> dict[str, Any] | None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(path.read_text("utf-8"))
    except (OSError, ValueError, configparser.Error):
        return None
    return dict(parser[section]) if parser.has_section(section) else None


def _of_toml(path: Path) -> dict[str, Any] | None:
    try:
        tool = tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("pytest")
    except (OSError, ValueError, AttributeError):
        return None
    if not isinstance(tool, dict):
        return None
    inner = tool.get("ini_options", tool)
    return inner if isinstance(inner, dict) else None

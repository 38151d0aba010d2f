"""Where a project keeps goldens and large arrays, read from its configuration of pytest by commands, which run without pytest."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..errors import UsageError

__all__ = ["LIMIT", "configured", "golden_dir_of", "read_size"]

LIMIT: Final = "1 MiB"
"""Of the file of an array: smaller ones stay beside `golden.json`, where profiles of drift checks are too."""
_FILES: Final = (
    ("pytest.toml", "pytest"),
    (".pytest.toml", "pytest"),
    ("pytest.ini", "pytest"),
    (".pytest.ini", "pytest"),
    ("pyproject.toml", "tool.pytest"),
    ("pyproject.toml", "tool.pytest.ini_options"),
    ("tox.ini", "pytest"),
    ("setup.cfg", "tool:pytest"),
)
"""In the order in which pytest looks at them."""
_ALWAYS: Final = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
"""Files that count even if they say nothing."""
_UNITS: Final = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def configured(folder: Path) -> tuple[Path, str, int]:
    """Return the nearest folder, from `folder` upwards, whose configuration has `mlrepro_store`; its value; the limit.

    Without one it is `folder` itself, "" and the default. What `pytest -o` or `-c` says is not known here.
    """
    for place in (folder, *folder.parents):
        values = _values(place)
        if str(values.get("mlrepro_store", "")).strip():
            return place, str(values["mlrepro_store"]).strip(), read_size(values.get("mlrepro_store_limit", LIMIT))
    return folder, "", read_size(LIMIT)


def golden_dir_of(root: Path) -> str:
    """Return the setting `mlrepro_golden_dir` of a root directory."""
    return str(_values(root).get("mlrepro_golden_dir", "__golden__")).replace("\\", "/").rstrip("/")


def read_size(text: object) -> int:
    """Return the bytes that a text like `1048576` or `1 MiB` means; UsageError for any other."""
    found = re.fullmatch(r"\s*(\d{1,18})\s*(B|KiB|MiB|GiB)?\s*", str(text))
    if found is None:
        raise UsageError(f"mlrepro_store_limit must be a size such as 1048576, 512 KiB or 1 MiB, got {text!r}")
    return int(found[1]) * _UNITS[found[2] or ""]


def _values(place: Path) -> Mapping[str, Any]:
    """Return what a folder's configuration of pytest says; nothing where there is none, or it can't be read."""
    for name, section in _FILES:
        path = place / name
        if path.is_file():
            try:
                found = _toml(path, section) if path.suffix == ".toml" else _ini(path, section)
            except (OSError, ValueError, configparser.Error):
                continue  # pytest says what is wrong with it
            if found is not None or name in _ALWAYS:
                return found or {}
    return {}


def _toml(path: Path, section: str) -> Mapping[str, Any] | None:
    data: Any = tomllib.loads(path.read_text("utf-8"))
    for name in section.split("."):
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, dict) and (section != "tool.pytest" or {*data} != {"ini_options"}) else None


def _ini(path: Path, section: str) -> Mapping[str, Any] | None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(path.read_text("utf-8"), str(path))
    return dict(parser[section]) if parser.has_section(section) else None

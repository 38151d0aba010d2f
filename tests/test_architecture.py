"""The floors of docs/architecture.md, held by reading imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "pytest_mlrepro"
FLOORS = {
    "records": 0, "errors": 0, "_lazy": 0, "_json": 0, "_imports": 0, "_canonical": 0,
    "values": 1, "served": 1, "_frames": 1,
    "fingerprints": 2, "compare": 2, "seeding": 2, "tracking": 2,
    "provenance": 3, "pipeline": 3, "robustness": 3, "contracts": 3, "drift": 3,
    "golden": 4, "strategies": 4,
    "session": 5, "report": 5, "bisect": 5, "determinism": 5, "audit": 5,
    "plugin": 6, "integration": 6, "cli": 6,
}  # fmt: skip
NEIGHBOURS = {("report", "session"), ("plugin", "integration"), ("_lazy", "errors")}
"""On one floor: a run is shown by reading the session, and the plugin hands on to its own rooms."""
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem != "__init__")


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Yield the absolute names of the modules that a file imports, also inside functions."""
    package = ["pytest_mlrepro", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{stem}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_downward_only(path: Path) -> None:
    here = room(path)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "pytest_mlrepro" or len(parts) < 2:
            continue
        there = parts[1]
        assert there in FLOORS, f"{path.name} imports {name}, which is in no room"
        allowed = there == here or FLOORS[there] < FLOORS[here] or (here, there) in NEIGHBOURS
        assert allowed, f"{here} (floor {FLOORS[here]}) imports {name} (floor {FLOORS[there]})"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_the_door_knows_pytest(path: Path) -> None:
    if room(path) not in ("plugin", "integration"):
        assert not [name for name in imported(path) if name.split(".")[0] in ("pytest", "_pytest", "pluggy")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_optional_libraries_are_never_imported(path: Path) -> None:
    optional = {"torch", "sklearn", "pandas", "polars", "pyarrow", "scipy", "hypothesis", "xdist", "randomly"}
    optional |= {"safetensors", "h5py", "onnx", "joblib", "foolbox", "eagerpy", "narwhals", "duckdb", "cleanlab"}
    optional |= {"securesystemslib", "cryptography", "prov", "openlineage", "cyclonedx", "packageurl", "rocrate"}
    optional |= {"fsspec", "s3fs"}
    assert not [name for name in imported(path) if name.split(".")[0] in optional]


def test_every_room_stands_on_a_floor() -> None:
    rooms = {room(path) for path in MODULES}
    assert rooms == set(FLOORS)


def test_the_verifier_of_exports_imports_the_standard_library_alone() -> None:
    path = PACKAGE / "audit" / "standalone.py"
    ast.parse(path.read_text("utf-8"), feature_version=(3, 9))
    assert {name.split(".")[0] for name in imported(path)} <= sys.stdlib_module_names

"""Stores of goldens for tests of audits: written as a recording writes them, with what the format may hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from pytest_mlrepro.compare.tolerance import tolerances
from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.fingerprints.combined import combined
from pytest_mlrepro.fingerprints.digest import Fingerprint
from pytest_mlrepro.golden import store
from pytest_mlrepro.golden.record import Golden
from pytest_mlrepro.provenance.record import Provenance
from pytest_mlrepro.records import TestId
from pytest_mlrepro.values.describe import describe

COMPAT = Path(__file__).parent.parent / "compat"
A, B = "__golden__/test_m/test_a-01234567", "__golden__/test_m/test_b-89abcdef"


def save(
    root: Path, value: object, reason: str, *, leaf: str = "test_a-01234567", provenance: Provenance | None = None
) -> Path:
    """Save a golden of one check, and return its folder."""
    folder = root / "__golden__" / "test_m" / leaf
    staging = store.Staging()
    checks = value if isinstance(value, dict) else {"w": value}
    for name, checked in checks.items():
        staging.add(name, describe(checked), tolerances())
    if provenance is not None:
        staging.made_from(provenance)
    golden = Golden.of(TestId(root / "test_m.py", leaf.rpartition("-")[0]), folder, staging.checks)
    try:
        store.save(folder, golden, staging.folder, action="update", reason=reason, change=None, root=root)
    finally:
        staging.discard()
    return folder


def two(root: Path) -> Path:
    """Write a store of two goldens, one of which was changed twice."""
    for number in range(3):
        save(root, np.arange(3.0) + number, f"reason {number}")
    save(root, {"": 0.25, "layers": {"loss": 0.5, "epochs": 3}}, "first", leaf="test_b-89abcdef")
    return root


def area(kind: str, parts: dict[str, Fingerprint]) -> Fingerprint:
    return combined(kind, list(parts.items()))


def part(kind: str, text: str) -> Fingerprint:
    return Fingerprint(fingerprint(f"{kind} {text}").digest, kind, (), text)


def sourced(root: Path) -> Path:
    """Write a store whose golden was made from files, functions, packages and settings, also oddly named ones."""
    (root / "data").mkdir()
    for name in ("plain.csv", "with space#1 & 100%.csv"):
        (root / "data" / name).write_text(f"a\n{name}\n", "utf-8")
    (root / "model.bin").write_bytes(b"\0" * 100)
    (root / "changed.csv").write_text("before", "utf-8")
    data = {f"data/{name}": fingerprint(root / "data" / name) for name in ("plain.csv", "with space#1 & 100%.csv")}
    data |= {"changed.csv": fingerprint(root / "changed.csv"), "gone.csv": part("file", "1 B")}
    data |= {
        "/etc/elsewhere.csv": part("file", "2 B"),
        "table": part("pandas.DataFrame", ""),
        "\udcff": part("file", ""),
    }
    (root.parent / "outside.csv").write_text("outside", "utf-8")
    data["../outside.csv"] = fingerprint(root.parent / "outside.csv")
    (root / "changed.csv").write_text("after", "utf-8")
    provenance = Provenance(
        code=area("code", {"m.fit": part("function", "m.py:1"), "package numpy": part("package", "2.0")}),
        data=area("data", data),
        artifacts=area("artifacts", {"model.bin": fingerprint(root / "model.bin")}),
        environment=area("environment", {"package scikit-learn": part("environment.numeric", "1.9"), "CPU": part("x", "Z")}),
        commit="0" * 40,
        dirty=True,
    )  # fmt: skip
    odd = {"": 1.5, 'é "q" <b>&\n\u2028': float("nan"), "\udc80": 2, "s": np.array(["a", "ß"]), "big": 2**80}
    save(root, odd, "first\u2028 \udcff <script>", provenance=provenance)
    return root


def kept(root: Path) -> Path:
    """Copy the stores of former versions, with and without steps and provenance."""
    for version in ("golden-1", "golden-2"):
        shutil.copytree(COMPAT / version / "__golden__", root / "__golden__", dirs_exist_ok=True)
    return root

"""An audit from end to end, each command in a process of its own: a real model, real keys, and somebody who rewrites history."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("pandas")
for library in ("securesystemslib", "cryptography", "rocrate", "prov", "openlineage.client", "cyclonedx"):
    pytest.importorskip(library)

MODEL = """
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

DATA = Path(__file__).parent / "data" / "wine.csv"
C = 0.5


def load():
    return pd.read_csv(DATA)


def scale(frame):
    return StandardScaler().fit_transform(frame.drop(columns="target"))


def fit(x, y):
    return LogisticRegression(C=C, max_iter=500).fit(x, y)


@pytest.mark.repro
def test_wine(pipeline, golden):
    frame = pipeline.step("load", load)
    x = pipeline.step("scale", scale, frame)
    model = pipeline.step("fit", fit, x, frame["target"].to_numpy(), check=True)
    golden.check({"accuracy": float(model.score(x, frame["target"]))}, "metrics")


def test_contract(contract):
    contract.check(load(), "wine")
"""
FORMATS = ("in-toto", "prov", "openlineage", "cyclonedx", "ro-crate")


class Checkout:
    """A project with its own processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "pytest.ini").write_text("[pytest]\n", "utf-8")
        (root / "test_wine.py").write_text(MODEL, "utf-8")
        from sklearn.datasets import load_wine

        (root / "data").mkdir()
        load_wine(as_frame=True).frame.to_csv(root / "data" / "wine.csv", index=False)

    def python(self, *arguments: str, code: int = 0) -> str:
        env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.root, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def pytest(self, *arguments: str) -> None:
        self.python("-m", "pytest", "-q", "-p", "pytest_mlrepro.plugin", "-p", "no:cacheprovider", *arguments)

    def mlrepro(self, *arguments: str, code: int = 0) -> str:
        return self.python("-c", "from pytest_mlrepro.cli import main; main()", *arguments, code=code)

    def change(self, c: str, reason: str) -> None:
        text = (self.root / "test_wine.py").read_text("utf-8")
        line = next(line for line in text.splitlines() if line.startswith("C = "))
        (self.root / "test_wine.py").write_text(text.replace(line, f"C = {c}"), "utf-8")
        self.pytest("--golden=update", "--golden-reason", reason)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, str]:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "KEY.pem", tmp_path / "KEY.pub"
    private.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo))
    return str(private), str(public)


@pytest.mark.slow
def test_an_audit_from_end_to_end(tmp_path: Path, keys: tuple[str, str]) -> None:
    (tmp_path / "project").mkdir()
    project = Checkout(tmp_path / "project")
    project.pytest("--golden=record")
    project.change("0.7", "weaker regularisation")
    goldens = project.root / "__golden__"
    shutil.copytree(goldens, tmp_path / "of-then")
    project.change("0.9", "weaker still")
    point = str(tmp_path / "point.json")
    project.mlrepro("checkpoint", "-o", point)
    project.mlrepro("sign", "--key", keys[0])
    project.mlrepro("verify", "--key", keys[1], "--checkpoint", point)

    # an archive in each format, that stands without us
    for form in FORMATS:
        out = tmp_path / form
        text = project.mlrepro("export", form, "-o", str(out), *(["--data"] if form == "ro-crate" else []))
        digest = next(line for line in text.splitlines() if "SHA256SUMS" in line).split()[-1]
        assert "unanchored" not in project.python("-I", "-S", str(out / "verify.py"), "--expect", digest, "--deep")
    assert (tmp_path / "ro-crate" / "data" / "data" / "wine.csv").read_bytes() == (
        project.root / "data/wine.csv"
    ).read_bytes()
    bom = json.loads((tmp_path / "cyclonedx" / "bom.cdx.json").read_text("utf-8"))
    assert {"numpy", "pandas", "scikit-learn"} <= {one["name"] for one in bom["components"] if one["type"] == "library"}
    cards = [one["modelCard"] for one in bom["components"] if "modelCard" in one]
    assert any("metrics.accuracy" in json.dumps(card) for card in cards)

    # the last change is taken back without a trace: every file agrees with every other
    shutil.rmtree(goldens)
    shutil.copytree(tmp_path / "of-then", goldens)
    assert "unanchored" in project.mlrepro("verify")
    for anchor in (("--checkpoint", point), ("--key", keys[1])):
        assert "test_wine" in (found := project.mlrepro("verify", *anchor, code=1))
        assert "history.jsonl has 2 entries, and had 3 at the " in found

    # the whole is recorded anew, with a better story
    shutil.rmtree(goldens)
    project.pytest("--golden=record")
    assert "unanchored" in project.mlrepro("verify")
    for anchor in (("--checkpoint", point), ("--key", keys[1])):
        found = project.mlrepro("verify", *anchor, code=1)
        assert "its end was cut off" in found
        assert "the history was written anew" in found

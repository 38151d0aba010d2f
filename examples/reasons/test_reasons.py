"""Five planted changes, each in a copy of this project: the first line of the failure names the one that was planted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SAME = "code, data, artifacts and the rest of the environment are the same"


@pytest.fixture
def project(tmp_path):
    copy = tmp_path / "project"
    shutil.copytree(
        HERE, copy, ignore=shutil.ignore_patterns("__pycache__", ".mlrepro", "test_reasons.py", "__golden__")
    )
    assert "1 recorded" in run(copy, "--golden=record")
    return copy


def run(project, *options, expect=0, **variables):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "SERVING_NOISE")}
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, encoding="utf-8", env=kept | variables)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def first_line(project, **variables):
    """Return the first line of the failure."""
    text = run(project, expect=1, **variables)
    return next(line.partition("AssertionError: ")[2] for line in text.splitlines() if "AssertionError: " in line)


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def test_nothing_planted(project):
    assert "1 passed" in run(project)


def test_a_constant_of_a_helper(project):
    edit(project / "scaling.py", "SPREAD = 2.0", "SPREAD = 2.5")
    assert first_line(project) == (
        "predictions changed: scaling.SPREAD changed; data, artifacts and environment are the same"
    )


def test_a_cell_of_the_data(project):
    table = project / "data" / "tumours.csv"
    rows = table.read_text("utf-8").splitlines()
    rows[7] = ",".join(["30.0", *rows[7].split(",")[1:]])
    table.write_text("\n".join(rows) + "\n", "utf-8")
    assert first_line(project) == (
        "predictions changed: data/tumours.csv changed; code, artifacts and environment are the same"
    )


def test_a_layer_of_the_saved_model(project):
    import torch

    state = torch.load(project / "model.pt", weights_only=True)
    state["2.weight"] += 0.25
    torch.save(state, project / "model.pt")
    assert first_line(project) == (
        "predictions changed: model.pt['2.weight'] changed; code, data and environment are the same"
    )


def test_the_version_of_a_package(project):
    packages = project / "packages" / "site-packages"
    edit(packages / "tinyscale" / "__init__.py", "abs(values)", "abs(values) ** 2")
    (packages / "tinyscale-1.0.0.dist-info").rename(packages / "tinyscale-1.1.0.dist-info")
    edit(packages / "tinyscale-1.1.0.dist-info" / "METADATA", "Version: 1.0.0", "Version: 1.1.0")
    assert first_line(project) == f"predictions changed: tinyscale 1.0.0 → 1.1.0; {SAME}"


def test_an_unseeded_generator(project):
    assert first_line(project, SERVING_NOISE="0.01") == (
        "predictions changed, though nothing else did: not reproducible (code, data, artifacts and environment are the same)"
    )

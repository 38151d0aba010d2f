"""Each of the four steps is broken in turn, in a copy of this project: the first line of the failure names it and its reason."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def project(tmp_path):
    copy = tmp_path / "project"
    shutil.copytree(HERE, copy, ignore=shutil.ignore_patterns("__pycache__", ".mlrepro", "test_steps.py", "__golden__"))
    assert "4 recorded" in run(copy, "--golden=record")
    return copy


def run(project, *options, expect=0, **variables):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "FLOW_NOISE")}
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, encoding="utf-8", env=kept | variables)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def failure(project, **variables):
    """Return the first line of the failure, and what it says of the consequences."""
    lines = run(project, expect=1, **variables).splitlines()
    (first,) = [line for line in lines if line.startswith("first step that parts:")]
    (consequences,) = [line for line in lines if line.startswith("consequences:")]
    return first, consequences


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def test_nothing_is_broken(project):
    assert "1 passed" in run(project)


def test_load_reads_another_file(project):
    edit(project / "data" / "wine.csv", "14.23,1.71,", "14.23,1.72,")
    assert failure(project) == (
        "first step that parts: load (other inputs (path), same code, other output): path changed",
        "consequences: clean, featurise, train",
    )


def test_clean_has_another_limit(project):
    edit(project / "flow.py", "LONGEST = 4.0", "LONGEST = 3.0")
    assert failure(project) == (
        "first step that parts: clean (same inputs, other code, other output): flow.LONGEST changed",
        "consequences: featurise, train",
    )


def test_featurise_runs_on_another_version_of_a_package(project):
    packages = project / "packages" / "site-packages"
    edit(packages / "tinyscale" / "__init__.py", "abs(values)", "abs(values) ** 2")
    (packages / "tinyscale-1.0.0.dist-info").rename(packages / "tinyscale-1.1.0.dist-info")
    edit(packages / "tinyscale-1.1.0.dist-info" / "METADATA", "Version: 1.0.0", "Version: 1.1.0")
    assert failure(project) == (
        "first step that parts: featurise (same inputs, same code, other output): tinyscale 1.0.0 → 1.1.0",
        "consequences: train",
    )


def test_featurise_draws_from_an_unseeded_generator(project):
    assert failure(project, FLOW_NOISE="0.01") == (
        "first step that parts: featurise (same inputs, same code, other output): not reproducible, since nothing else changed",
        "consequences: train",
    )


def test_train_scales_otherwise(project):
    edit(project / "flow.py", "StandardScaler()", "StandardScaler(with_mean=False)")
    first, consequences = failure(project)
    assert first == "first step that parts: train (same inputs, other code, other output): flow.train changed"
    assert consequences == "consequences: none; no other step comes from it and differs"
    assert "step 'standardscaler' inside the Pipeline parts first" in run(project, expect=1)


def test_train_is_given_another_strength(project):
    edit(project / "test_flow.py", 'wine["cultivar"], check', 'wine["cultivar"], strength=0.5, check')
    first, _ = failure(project)
    assert (
        first
        == "first step that parts: train (other inputs (strength), same code, other output): strength is newly used"
    )

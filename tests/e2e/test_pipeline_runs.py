"""Pipelines in whole processes: with pytest-xdist, with real frameworks, and two processes that share stored outputs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FLOWS = """
import numpy as np
import pytest

def load(n):
    return {"X": np.random.rand(50, 3), "y": np.arange(50) % 2, "n": n}

def scale(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)

class TestFlow:
    shift = 0.5

    def moved(self, X):
        return X + self.shift

    @pytest.mark.repro
    @pytest.mark.parametrize("n", range(4))
    def test_flow(self, pipeline, n):
        raw = pipeline.step("load", load, n)
        X = pipeline.step("scale", scale, raw["X"], check=True)
        moved = pipeline.step("move", self.moved, X, cache=True)
        pipeline.step("mean", np.mean, moved)
"""
SKLEARN = """
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SCALER = StandardScaler

@pytest.mark.repro
def test_flow(pipeline):
    X, y = pipeline.step("load", load_iris, return_X_y=True)
    X_train, X_test, y_train, y_test = pipeline.step("split", train_test_split, X, y, random_state=0)
    model = make_pipeline(SCALER(), LogisticRegression(max_iter=1000))
    pipeline.step("train", model.fit, X_train, y_train)
    labels = pipeline.step("predict", model.predict, X_test)
    pipeline.step("score", lambda: float((labels == y_test).mean()))
"""
TORCH = """
import pytest
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)

    def forward(self, x):
        return torch.tanh(self.layer(x))

def train(net, X, y):
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(5):
        optimiser.zero_grad()
        ((net(X) - y) ** 2).mean().backward()
        optimiser.step()

@pytest.mark.repro
def test_flow(pipeline):
    X = pipeline.step("load", torch.rand, 20, 3)
    y = pipeline.step("target", lambda: X.sum(dim=1, keepdim=True), cache=True)
    net = pipeline.step("build", Net)
    pipeline.step("train", train, net, X, y)
    pipeline.step("predict", net, X)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", "utf-8")
    return tmp_path


def run(project: Path, *options: str, expect: int = 0, module: str = "pytest") -> str:
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_ADDOPTS")}
    kept |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    plugins = ["-q", "-p", "pytest_mlrepro.plugin", "-p", "no:cacheprovider"] if module == "pytest" else []
    start = ["-m", "pytest"] if module == "pytest" else ["-c", "from pytest_mlrepro.cli import main; main()"]
    command = [sys.executable, *start, *plugins, *options]
    done = subprocess.run(command, cwd=project, env=kept, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def goldens(project: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in project.rglob("__golden__/**/*")
        if path.is_file() and path.name not in ("timings.json", "history.jsonl")
    }


@pytest.mark.skipif(find_spec("xdist") is None, reason="needs pytest-xdist")
def test_parallel_recording_gives_the_same_goldens_as_serial(project: Path) -> None:
    (project / "test_m.py").write_text(FLOWS, "utf-8")
    run(project, "--golden=record")
    serial = goldens(project)
    assert len([name for name in serial if name.endswith("golden.json")]) == 4
    shutil.rmtree(project / "__golden__")
    run(project, "--golden=record", "-p", "xdist.plugin", "-n", "2")
    assert goldens(project) == serial
    assert "4 reused" in run(project, "-p", "xdist.plugin", "-n", "2")
    (project / "test_m.py").write_text(FLOWS.replace("X.std(axis=0)", "X.std(axis=0, ddof=1)"), "utf-8")
    text = run(project, "-p", "xdist.plugin", "-n", "2", expect=1)
    assert (
        text.count("\nfirst step that parts: scale (same inputs, other code, other output): test_m.scale changed") == 4
    )
    run(project, "accept", "--all", "--reason", "ddof", module="cli")
    run(project)
    run(project, "verify", module="cli")


@pytest.mark.skipif(find_spec("sklearn") is None, reason="needs scikit-learn")
def test_a_pipeline_of_scikit_learn(project: Path) -> None:
    path = project / "test_m.py"
    path.write_text(SKLEARN, "utf-8")
    run(project, "--golden=record")
    run(project)
    tree = run(project, "lineage", "test_flow", module="cli")
    for line in (
        "arrays[0] ← load[0]",
        "X ← split[0]",
        "y ← split[2]",
        "self ← train",
        "X ← split[1]",
        "labels ← predict",
    ):
        assert line in tree
    assert "· standardscaler: StandardScaler" in tree
    path.write_text(SKLEARN.replace("SCALER()", "SCALER(with_mean=False)"), "utf-8")
    text = run(project, expect=1)
    assert "first step that parts: train (other inputs (self), same code, other output): self['standardscaler']" in text
    assert "step 'standardscaler' inside the Pipeline parts first" in text
    path.write_text(SKLEARN.replace("random_state=0", "random_state=1"), "utf-8")
    text = run(project, expect=1)
    assert (
        "first step that parts: split (other inputs (random_state), same code, other output): random_state changed"
        in text
    )
    assert "random_state changed (0 → 1)" in text
    assert "consequences: train, predict" in text


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
def test_a_model_that_a_step_trains_in_place(project: Path) -> None:
    path = project / "test_m.py"
    path.write_text(TORCH, "utf-8")
    run(project, "--golden=record")
    assert "1 reused" in run(project)
    tree = run(project, "lineage", "test_flow", module="cli")
    for line in ("net ← build", "X ← load", "y ← target", "changes net in place", "self ← train: net"):
        assert line in tree, tree
    path.write_text(TORCH.replace("torch.tanh(self.layer(x))", "torch.tanh(self.layer(x)) * 1.5"), "utf-8")
    text = run(project, expect=1)
    assert "first step that parts: train (same inputs, other code, other output): test_m.Net.forward changed" in text
    assert "consequences: predict" in text


def test_two_processes_share_stored_outputs(project: Path) -> None:
    (project / "test_m.py").write_text(
        "import numpy as np\n"
        "def test_flow(pipeline):\n"
        "    for n in range(30):\n"
        "        pipeline.step(f's{n}', lambda n: np.arange(n * 100.0), n, cache=True)\n",
        "utf-8",
    )
    run(project, "--golden=record")
    shutil.rmtree(project / ".mlrepro" / "cache" / "steps")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pytest_mlrepro.plugin", "-p", "no:cacheprovider"]
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    running = [subprocess.Popen(command, cwd=project, env=kept, stdout=subprocess.PIPE) for _ in range(3)]
    assert [(process.wait(), process.communicate()[0].count(b"damaged"))[0] for process in running] == [0, 0, 0]
    assert "30 reused" in run(project)
    assert [path.name for path in (project / ".mlrepro" / "cache" / "steps").glob(".*")] == [".gitignore"]

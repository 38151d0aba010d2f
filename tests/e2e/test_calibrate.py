"""A real model, calibrated over threads and instruction sets: what the child on older instructions gives is within."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mlrepro.determinism.vary import VARIATIONS, child_environment

TEST = """
import pytest
import torch

@pytest.mark.repro(vary=("threads", "isa"))
def test_m(golden):
    model = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.Tanh(), torch.nn.Linear(128, 10))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    inputs, labels = torch.randn(256, 64), torch.randint(10, (256,))
    for _ in range(20):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        optimiser.step()
    golden.check({"loss": loss.detach(), "weights": model.state_dict(), "steps": 20}, tolerance="calibrate")
"""


def pytest_in(folder: Path, *args: str, **variables: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pytest_mlrepro.plugin", "-p", "no:cacheprovider", *args]
    env = {**os.environ, "OMP_NUM_THREADS": "2", **variables}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.stdout + done.stderr


@pytest.mark.slow
def test_a_training_is_calibrated_and_holds_on_another_instruction_set(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "test_m.py").write_text(TEST, "utf-8")
    assert "1 passed" in pytest_in(tmp_path, "--golden=record")
    (golden,) = tmp_path.rglob("golden.json")
    tolerance = json.loads(golden.read_text("utf-8"))["checks"][""]["tolerance"]
    assert tolerance["calibrated"]["vary"] == ["plain", "threads", "isa"]
    assert tolerance["calibrated"]["largest"]
    assert "1 passed" in pytest_in(tmp_path)
    (tmp_path / "test_m.py").write_text(TEST.replace('(vary=("threads", "isa"))', ""), "utf-8")
    assert "1 passed" in pytest_in(tmp_path, **child_environment([VARIATIONS["isa"]]))
    (tmp_path / "test_m.py").write_text(TEST.replace("lr=0.1", "lr=0.1001"), "utf-8")
    assert "1 failed" in pytest_in(tmp_path)

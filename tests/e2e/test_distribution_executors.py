"""Seeds of a distribution on threads, on processes and one after the other: the same golden, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TEST = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
import pytest
import work

@pytest.mark.repro
def test_m(golden):
    with POOL as pool:
        golden.check_distribution(FN, executor=pool)
"""
WORK = """
import random
import time
import uuid
import numpy as np

def train(seed):
    first = np.random.normal() + random.random()
    time.sleep(0.001)
    return {"a": first + np.random.normal(), "b": np.random.default_rng().normal(), "c": uuid.uuid4().int % 1000}

def failing(seed):
    return 1 / (seed - 7)
"""
POOLS = {
    "threads": "ThreadPoolExecutor(3)",
    "fork": "ProcessPoolExecutor(2, mp_context=multiprocessing.get_context('fork'))",
    "spawn": "ProcessPoolExecutor(2, mp_context=multiprocessing.get_context('spawn'))",
}


def run(folder: Path, pool: str, *args: str, function: str = "work.train") -> str:
    (folder / "work.py").write_text(WORK, "utf-8")
    (folder / "test_m.py").write_text(TEST.replace("POOL", pool).replace("FN", function), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pytest_mlrepro.plugin", "-p", "no:cacheprovider", *args]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.stdout + done.stderr


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    assert "1 passed" in run(tmp_path, "nullcontext()", "--golden=record")
    return tmp_path


@pytest.mark.parametrize("pool", POOLS)
def test_every_executor_gives_the_values_of_a_serial_run(recorded: Path, pool: str) -> None:
    text = run(recorded, POOLS[pool])
    assert "1 passed" in text
    assert "p =" not in text  # which stands where a value isn't as recorded, to the last bit


def test_what_raises_in_a_worker_names_its_seed(recorded: Path) -> None:
    text = run(recorded, POOLS["spawn"], function="work.failing")
    assert "ZeroDivisionError" in text
    assert "raised in the run of seed 7" in text


def test_a_function_that_no_worker_can_import_is_refused(recorded: Path) -> None:
    text = run(recorded, POOLS["spawn"], function="lambda seed: 1.0")
    assert "UsageError: golden.check_distribution: the executor can't send 'test_m.<locals>.<lambda>'" in text

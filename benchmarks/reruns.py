"""What it costs to ask whether a test repeats: whole runs of pytest, in terms of the same test without the question."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from measuring import Sample, interleaved, pytest_process
from plugins import PLUGINS
from showing import Row, show

TEST = """
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

@pytest.mark.repro({asked})
def test_fit(repro):
    features, target = load_digits(return_X_y=True)
    model = RandomForestClassifier({trees}, random_state=0).fit(features, target)
    repro.checkpoint("importances", model.feature_importances_)
"""
ASKED = {
    "seeded only": "",
    "reruns=2": "reruns=2",
    "threads and folders": "vary=('threads', 'folders')",
    "hash seed and malloc, in a child": "vary=('hashseed', 'malloc')",
    "instruction set, in a child": "vary='isa'",
    "all of these": "reruns=2, vary=('threads', 'folders', 'hashseed', 'malloc', 'isa')",
}


def measure(*, quick: bool) -> list[Row]:
    """Print and return what each way of rerunning adds to a run with one test."""
    rounds, trees = (1, 5) if quick else (7, 300)
    with tempfile.TemporaryDirectory() as name:
        works = {}
        for number, (what, asked) in enumerate(ASKED.items()):
            folder = Path(name) / str(number)
            folder.mkdir()
            (folder / "pytest.ini").write_text("[pytest]\n")
            (folder / "test_it.py").write_text(TEST.format(asked=asked, trees=trees))
            works[what] = partial(_run, folder)
        cost = interleaved(works, rounds)
    plain = cost["seeded only"]
    rows = [Row(what, cost[what], "seeded only", plain, unit="s") for what in ASKED if what != "seeded only"]
    return show("Asking whether a test repeats", rows, f"Whole runs of pytest, medians of {rounds} interleaved rounds.")


def _run(folder: Path) -> Sample:
    return pytest_process(folder, plugins=PLUGINS["mlrepro"])

"""Hypothesis keeps exploring, and replays what our sources drew in a failing example."""

import os
import random
import subprocess
import sys

import hypothesis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro.seeding import SeedScope, UnseededEntropyError

FREE = settings(database=None, derandomize=False, max_examples=30, deadline=None)


def test_examples_differ_between_runs_under_one_seed():
    runs = []
    for _ in range(3):
        found = []

        @FREE
        @given(st.integers(0, 2**60))
        def explore(x):
            found.append(x)  # noqa: B023  # called in this turn of the loop

        with SeedScope(1):
            explore()
        runs.append(tuple(found))
    assert len(set(runs)) == 3


@pytest.mark.parametrize(
    "source",
    [
        lambda: np.random.default_rng().random(),
        lambda: random.Random().random(),
        lambda: int.from_bytes(os.urandom(4)) / 2**32,
        lambda: pytest.importorskip("torch").rand(1).item(),
        lambda: random.random(),
    ],
)
def test_sources_start_afresh_in_each_example(source):
    seen = []

    @FREE
    @given(st.integers())
    def law(x):
        seen.append(source())

    with SeedScope(1):
        law()
    assert len(seen) > 5
    assert len(set(seen)) == 1


def test_failing_example_replays_without_being_flaky():
    @FREE
    @given(st.floats(0, 1))
    def law(x):
        assert np.random.default_rng().random() < 0.5 or x < 0.5

    torch = pytest.importorskip("torch")

    @FREE
    @given(st.floats(0, 1))
    def torch_law(x):
        assert torch.rand(1).item() + np.random.default_rng().random() + x < 0.9

    for seed in range(6):
        for f in (law, torch_law):
            with SeedScope(seed):
                try:
                    f()
                except hypothesis.errors.Flaky:
                    pytest.fail("flaky")
                except AssertionError:
                    pass


def test_generators_that_strategies_make_are_seeded():
    seen = []

    @FREE
    @given(st.builds(np.random.default_rng))
    def law(generator):
        seen.append(generator.random())

    for _ in range(2):
        with SeedScope(1):
            law()
    assert len(set(seen)) == 1


def test_position_outside_examples_is_put_back():
    torch = pytest.importorskip("torch")

    @FREE
    @given(st.integers())
    def law(x):
        torch.rand(3)
        draw()

    def draw():
        return os.urandom(4)

    def after(examples):
        with SeedScope(1):
            first = draw()
            examples()
            return first, draw(), torch.rand(1).item()

    assert after(law) == after(lambda: None)


def test_forbid_inside_an_example():
    @FREE
    @given(st.integers())
    def law(x):
        np.random.default_rng()

    with SeedScope(1, entropy="forbid") as scope, pytest.raises(UnseededEntropyError):
        law()
    assert {site.file for site in scope.violations} == {__file__}


def test_scope_inside_an_example():
    seen = []

    @FREE
    @given(st.integers())
    def law(x):
        with SeedScope(3):
            seen.append(os.urandom(4))

    law()
    with SeedScope(1):
        law()
    assert len(set(seen)) == 1


def test_without_a_scope_torch_is_left_alone():
    torch = pytest.importorskip("torch")
    with SeedScope(0):
        pass  # registers with hypothesis
    seen = []

    @FREE
    @given(st.integers())
    def law(x):
        seen.append(torch.rand(1).item())

    law()
    assert len(set(seen)) == len(seen)


def test_engine_that_starts_inside_a_scope_keeps_real_entropy():
    # It makes its own generator once in a process, so that only a fresh process shows where that comes from.
    code = (
        "from pytest_mlrepro.seeding import SeedScope\n"
        "from hypothesis import given, settings, strategies as st\n"
        "found = []\n"
        "@settings(database=None, derandomize=False, max_examples=30)\n"
        "@given(st.integers(0, 2**60))\n"
        "def explore(x): found.append(x)\n"
        "with SeedScope(1, entropy='forbid') as scope: explore()\n"
        "print(found, scope.violations)\n"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120) for _ in range(2)]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stderr
    assert runs[0].stdout != runs[1].stdout
    assert all(run.stdout.endswith("[]\n") for run in runs)

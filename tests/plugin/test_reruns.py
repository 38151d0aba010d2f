"""What @repro(reruns=n) holds against what, in this process, and what a failure says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pytest_mlrepro.determinism.culprit
import pytest_mlrepro.determinism.holding
import pytest_mlrepro.determinism.ladder
import pytest_mlrepro.integration.rerunner  # noqa: F401  # as in project.py: numpy can be imported only once
from tests.plugin.project import Project

HEAD = "import itertools, os, random, warnings\nimport numpy as np\nimport pytest\nCOUNT = itertools.count()\n"
TWICE = "@pytest.mark.repro(reruns=2)\n"
MODULE_RNG = "@pytest.fixture(scope='module')\ndef rng():\n    return np.random.default_rng(0)\n"


def test_a_test_that_repeats_passes_and_runs_as_often_as_it_was_asked_to(project: Project) -> None:
    project.write(
        HEAD + "SEEN = []\n@pytest.mark.repro(reruns=4)\ndef test_m(repro):\n    SEEN.append(1)\n"
        "    repro.checkpoint('draws', np.random.default_rng().random(3))\n"
        "def test_n():\n    assert len(SEEN) == 4\n"
    )
    project.run().assert_outcomes(passed=2)


def test_a_value_that_does_not_repeat_fails_at_its_line_with_both_values(project: Project) -> None:
    project.write(
        HEAD + TWICE + "def test_m(repro):\n    repro.checkpoint('a', 1)\n    repro.checkpoint('b', next(COUNT))\n"
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">       repro.checkpoint('b', next(COUNT))",
            "*AssertionError: not reproducible: checkpoint 'b' differs in a second run of the same code",
            "*value: expected 0, actual 1*",
        ]
    )
    assert "pytest_mlrepro/" not in result.stdout.str()


def test_a_golden_check_is_held_too_and_told_before_the_golden(project: Project) -> None:
    project.write(HEAD + "@pytest.mark.repro\ndef test_m(golden):\n    golden.check(1, 'x')\n")
    project.record()
    project.write(HEAD + TWICE + "def test_m(golden):\n    golden.check(1, 'x')\n")
    project.run().assert_outcomes(passed=1)
    project.write(HEAD + TWICE + "def test_m(golden):\n    golden.check(1 + next(COUNT), 'x')\n")
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*not reproducible: golden 'x' differs in a second run*"])


def test_a_golden_that_changed_is_no_matter_of_reruns(project: Project) -> None:
    project.write(HEAD + TWICE + "def test_m(golden):\n    golden.check(1, 'x')\n")
    project.record()
    project.write(HEAD + TWICE + "def test_m(golden):\n    golden.check(2, 'x')\n")
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*x changed: test_m.test_m changed*"])
    assert "not reproducible" not in result.stdout.str()
    project.write(HEAD + TWICE + "def test_m(golden):\n    golden.check(1, 'y')\n")
    result = project.run()
    result.stdout.fnmatch_lines(["*no golden is recorded yet*"])
    assert "not reproducible" not in result.stdout.str()


@pytest.mark.parametrize("arguments", ["", "repro", "golden"])
def test_a_test_that_gives_nothing_to_compare_fails(project: Project, arguments: str) -> None:
    project.write(HEAD + TWICE + f"def test_m({arguments}):\n    pass\n")
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*gives nothing to compare*"])
    assert "differs" not in result.stdout.str()


def test_reruns_are_bit_for_bit_unless_the_check_has_a_tolerance_of_its_own(project: Project) -> None:
    body = "def test_m(golden):\n    golden.check(1.0 + next(COUNT) * 1e-12, 'x'{})\n"
    project.write(HEAD + body.format(""))
    project.record()
    for tolerance, passed in (("", 0), (", rtol=1e-9, atol=0", 1), (", rtol=1e-13, atol=0", 0)):
        project.write(HEAD + TWICE + body.format(tolerance))
        result = project.run()
        assert ("not reproducible" in result.stdout.str()) is not passed, tolerance


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (
            "repro.checkpoint('a', 1)",
            "repro.checkpoint('b', 1)",
            "checkpoint 'a' where the second run came to checkpoint 'b'",
        ),
        ("repro.checkpoint('a', 1)", "pass", "the second run ended before it came to checkpoint 'a'"),
        ("pass", "repro.checkpoint('b', 1)", "the first run ended before it came to checkpoint 'b'"),
    ],
)
def test_runs_that_take_different_ways_part(project: Project, first: str, second: str, told: str) -> None:
    project.write(
        HEAD + TWICE + f"def test_m(repro):\n    repro.checkpoint('0', 0)\n    if next(COUNT):\n        {second}\n"
        f"    else:\n        {first}\n"
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{told}*"])


def test_a_checkpoint_in_a_loop_is_held_turn_by_turn(project: Project) -> None:
    loop = "def test_m(repro):\n    for step in range(5):\n        repro.checkpoint('loss', step if step < 3 else next(COUNT))\n"
    project.write(HEAD + TWICE + loop.replace("next(COUNT)", "step"))
    project.run().assert_outcomes(passed=1)
    project.write(HEAD + TWICE + loop)
    project.run().stdout.fnmatch_lines(["*checkpoint 'loss' (number 4 of that name) differs*"])


def test_what_a_test_does_to_an_array_after_a_checkpoint_changes_nothing(project: Project) -> None:
    project.write(
        HEAD
        + TWICE
        + "def test_m(repro):\n    w = np.zeros(5)\n    for _ in range(3):\n        repro.checkpoint('w', w)\n        w += 1\n"
    )
    project.run().assert_outcomes(passed=1)


@pytest.mark.parametrize("fails_first", [True, False])
def test_a_test_that_fails_in_one_run_only_is_told_of(project: Project, fails_first: bool) -> None:
    project.write(
        HEAD
        + TWICE
        + f"def test_m(repro):\n    repro.checkpoint('a', 1)\n    assert (next(COUNT) % 2 == 0) is {not fails_first}\n"
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    first, second = ("failed*", "passed.") if fails_first else ("passed.", "failed*")
    result.stdout.fnmatch_lines(
        ["*not reproducible: the test differs*", f"*the first run {first}", f"*the second run {second}"]
    )


def test_a_test_that_fails_in_each_run_fails_as_it_would(project: Project) -> None:
    project.write(HEAD + TWICE + "def test_m(repro):\n    repro.checkpoint('a', 1)\n    assert 1 == 2\n")
    result = project.run()
    result.assert_outcomes(failed=1)
    assert "reproducible" not in result.stdout.str()


def test_a_difference_that_the_test_swallows_fails_all_the_same(project: Project) -> None:
    project.write(
        HEAD
        + TWICE
        + "def test_m(repro):\n    try:\n        repro.checkpoint('a', next(COUNT))\n    except AssertionError:\n        pass\n"
    )
    project.run().assert_outcomes(failed=1)


@pytest.mark.parametrize(
    ("mark", "outcome"),
    [
        ("@pytest.mark.skip", {"skipped": 1}),
        ("@pytest.mark.xfail", {"xfailed": 1}),
        ("@pytest.mark.xfail(run=False)", {"xfailed": 1}),
    ],
)
def test_skips_and_expected_failures_stay_what_they_are(project: Project, mark: str, outcome: dict[str, int]) -> None:
    project.write(HEAD + TWICE + mark + "\ndef test_m(repro):\n    repro.checkpoint('a', next(COUNT))\n")
    project.run().assert_outcomes(**outcome)


def test_a_skip_in_the_body_is_a_skip(project: Project) -> None:
    project.write(HEAD + TWICE + "def test_m(repro):\n    repro.checkpoint('a', 1)\n    pytest.skip('no data')\n")
    project.run().assert_outcomes(skipped=1)


# State that leaks.


def test_a_wider_fixture_that_the_test_changes_is_named(project: Project) -> None:
    body = TWICE + "def test_m(repro, rng):\n    repro.checkpoint('a', rng.random())\n"
    project.write(HEAD + MODULE_RNG + body)
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the module-scoped fixture 'rng' (test_m.py:5) is changed by this test*"])
    project.write(HEAD + MODULE_RNG.replace("(scope='module')", "") + body)
    project.run().assert_outcomes(passed=1)


def test_a_global_that_the_test_changes_is_named(project: Project) -> None:
    project.write(
        HEAD
        + "CACHE = {'n': 0}\n"
        + TWICE
        + "def test_m(repro):\n    CACHE['n'] += 1\n    repro.checkpoint('a', CACHE['n'])\n"
    )
    project.run().stdout.fnmatch_lines(["*the global 'CACHE' of test_m is changed by this test*['n']*"])


def test_a_fixture_without_a_fingerprint_is_found_by_making_it_anew(project: Project) -> None:
    project.write(
        HEAD + "@pytest.fixture(scope='class')\ndef shared():\n    return iter([1])\n"
        "class TestIt:\n    @pytest.mark.repro(reruns=2)\n    def test_m(self, repro, shared):\n"
        "        repro.checkpoint('a', next(shared, None))\n"
    )
    project.run().stdout.fnmatch_lines(["*a run with the wider fixtures made anew agrees with it*"])


def test_what_only_the_first_run_sees_is_said(project: Project) -> None:
    project.write(
        HEAD + "import functools\n@functools.cache\ndef warm():\n    SEEN.append(1)\n"
        "SEEN = []\n" + TWICE + "def test_m(repro):\n    n = len(SEEN)\n    warm()\n    repro.checkpoint('a', n)\n"
    )
    project.run().stdout.fnmatch_lines(["*only the first run in this process differs*"])


def test_each_run_has_fixtures_and_an_object_of_its_own(project: Project) -> None:
    project.write(
        HEAD + "@pytest.fixture\ndef fresh():\n    return []\n"
        "class TestIt:\n    @pytest.mark.repro(reruns=3)\n    @pytest.mark.parametrize('n', [1, 2])\n"
        "    def test_m(self, repro, fresh, tmp_path, n):\n"
        "        fresh.append(n)\n        self.x = getattr(self, 'x', 0) + 1\n        (tmp_path / 'new').touch(exist_ok=False)\n"
        "        repro.checkpoint('it', [fresh, self.x])\n"
    )
    project.run().assert_outcomes(passed=2)


def test_fixtures_of_other_scopes_go_down_when_the_next_test_no_longer_needs_them(project: Project) -> None:
    project.write(
        HEAD
        + "LOG = []\n@pytest.fixture(scope='class')\ndef shared():\n    LOG.append('up')\n    yield\n    LOG.append('down')\n"
        "class TestA:\n    @pytest.mark.repro(reruns=2)\n    def test_m(self, repro, shared):\n"
        "        repro.checkpoint('a', next(COUNT))\ndef test_n():\n    assert LOG == ['up', 'down'], LOG\n"
    )
    project.run().assert_outcomes(failed=1, passed=1)


# Other plugins and options.


def test_silent_runs_warn_nobody_and_leave_no_trace_in_the_report(project: Project) -> None:
    project.write(
        HEAD + TWICE + "def test_m(repro, record_property):\n    print('hello')\n    warnings.warn('careful')\n"
        "    record_property('p', 1)\n    repro.checkpoint('a', 1)\n    assert 0\n"
    )
    result = project.run("-W", "default", "--junitxml=out.xml", "-o", "junit_family=xunit1")
    result.assert_outcomes(failed=1, warnings=1)
    text = result.stdout.str()
    assert text.count("hello") == 2  # the source line, and what was captured
    assert (project.root / "out.xml").read_text("utf-8").count('name="p"') == 1


def test_set_up_is_shown_once(project: Project) -> None:
    project.write(
        HEAD
        + "@pytest.fixture\ndef thing():\n    pass\n"
        + TWICE
        + "def test_m(repro, thing):\n    repro.checkpoint('a', 1)\n"
    )
    assert project.run("--setup-show").stdout.str().count("SETUP    F thing") == 1
    project.run("--setup-only").assert_outcomes()
    project.run("--setup-plan").assert_outcomes()


def test_the_first_failure_ends_the_run_and_tears_everything_down(project: Project) -> None:
    project.write(
        HEAD
        + "@pytest.fixture(scope='session')\ndef shared():\n    yield\n    raise RuntimeError('down')\n"
        + TWICE
        + "def test_m(repro, shared):\n    repro.checkpoint('a', next(COUNT))\n"
        "def test_n(shared):\n    pass\n"
    )
    result = project.run("-x")
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_m*"])


def test_a_test_of_unittest_is_held_too(project: Project) -> None:
    project.write(
        HEAD + "import unittest\nclass TestIt(unittest.TestCase):\n"
        "    @pytest.fixture(autouse=True)\n    def _repro(self, repro):\n        self.repro = repro\n"
        "    def setUp(self):\n        self.x = getattr(self, 'x', 0) + 1\n"
        "    @pytest.mark.repro(reruns=2)\n    def test_good(self):\n        self.repro.checkpoint('a', self.x)\n"
        "    @pytest.mark.repro(reruns=2)\n    def test_bad(self):\n        self.repro.checkpoint('a', next(COUNT))\n"
    )
    project.run().assert_outcomes(passed=1, failed=1)


def test_a_doctest_is_refused(project: Project) -> None:
    project.write("import pytest\ndef pytest_collection_modifyitems(items):\n    for item in items:\n"
                  "        item.add_marker(pytest.mark.repro(reruns=2))\n", "conftest.py")  # fmt: skip
    project.write('def f():\n    """\n    >>> 1\n    1\n    """\n')
    result = project.run("--doctest-modules", "test_m.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*reruns and vary are for test functions*this is a DoctestItem*"])


def test_a_marker_that_comes_too_late_is_refused(project: Project) -> None:
    project.write(
        "import pytest\n@pytest.hookimpl(tryfirst=True, wrapper=True)\ndef pytest_runtest_protocol(item):\n"
        "    item.add_marker(pytest.mark.repro(reruns=2))\n    return (yield)\n", "conftest.py"
    )  # fmt: skip
    project.write("def test_m():\n    pass\n")
    project.run().assert_outcomes(errors=1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("reruns=0", "reruns must be a whole number, 1 or more, got 0"),
        ("reruns=True", "reruns must be a whole number"),
        ("reruns='2'", "reruns must be a whole number"),
        ("vary='hashsed'", "did you mean 'hashseed'"),
        ("vary=('threads', 'x1')", "vary has no 'x1'"),
        ("rerun=2", "did you mean reruns"),
    ],
)
def test_a_wrong_argument_is_named(project: Project, arguments: str, told: str) -> None:
    project.write(HEAD + f"@pytest.mark.repro({arguments})\ndef test_m():\n    pass\n")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{told}*"])


def test_pytest_rerunfailures_does_not_run_it_until_it_passes(project: Project) -> None:
    pytest.importorskip("pytest_rerunfailures")
    project.write(HEAD + TWICE + "def test_m(repro):\n    repro.checkpoint('a', next(COUNT))\n")
    project.run("-p", "pytest_rerunfailures", "--reruns=3").assert_outcomes(failed=1)


def test_a_time_limit_is_for_each_run(project: Project) -> None:
    pytest.importorskip("pytest_timeout")
    project.write(
        HEAD
        + "import time\n@pytest.mark.repro(reruns=4)\ndef test_m(repro):\n    time.sleep(0.3)\n    repro.checkpoint('a', 1)\n"
        "@pytest.mark.repro(reruns=2)\ndef test_n(repro):\n    time.sleep(3)\n"
    )
    result = project.run("-p", "pytest_timeout", "--timeout=1")
    result.assert_outcomes(passed=1, failed=1)


def test_pytest_repeat_repeats_the_whole(project: Project) -> None:
    pytest.importorskip("pytest_repeat")
    project.write(HEAD + TWICE + "def test_m(repro):\n    repro.checkpoint('a', 1)\n")
    project.run("-p", "pytest_repeat", "--count=3").assert_outcomes(passed=3)


def test_it_works_under_xdist(project: Project) -> None:
    pytest.importorskip("xdist")
    project.write(
        HEAD
        + TWICE
        + "@pytest.mark.parametrize('n', range(4))\ndef test_good(repro, n):\n    repro.checkpoint('a', random.random())\n"
        + TWICE
        + "def test_bad(repro):\n    repro.checkpoint('a', next(COUNT))\n"
    )
    result = project.pytester.runpytest_subprocess("-p", "xdist", "-n", "2")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["*not reproducible: checkpoint 'a' differs*"])


def test_asynchronous_tests_of_anyio_are_held(project: Project) -> None:
    pytest.importorskip("anyio")
    project.write(
        HEAD
        + "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n@pytest.mark.anyio\n"
        + TWICE
        + "async def test_good(repro):\n    repro.checkpoint('a', random.random())\n@pytest.mark.anyio\n"
        + TWICE
        + "async def test_bad(repro):\n    repro.checkpoint('a', next(COUNT))\n"
    )
    project.run("-p", "anyio").assert_outcomes(passed=1, failed=1)


HYPOTHESIS = (
    HEAD + "from hypothesis import given, settings, HealthCheck, strategies as st\n"
    "quietly = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)\n"
)


def test_a_hypothesis_test_draws_the_same_examples_in_each_run(project: Project) -> None:
    pytest.importorskip("hypothesis")
    project.write(
        HYPOTHESIS
        + TWICE
        + "@quietly\n@given(x=st.integers())\ndef test_good(repro, x):\n    repro.checkpoint('x', x)\n"
        "    repro.checkpoint('draw', np.random.default_rng().random())\n"
    )
    for _ in range(2):
        project.run("-p", "_hypothesis_pytestplugin").assert_outcomes(passed=1)


def test_an_example_that_does_not_repeat_is_told_by_its_number_and_not_shrunk(project: Project) -> None:
    pytest.importorskip("hypothesis")
    project.write(
        HYPOTHESIS + "CALLS = []\n" + TWICE + "@quietly\n@given(x=st.integers())\ndef test_bad(repro, x):\n"
        "    CALLS.append(x)\n    repro.checkpoint('x', next(COUNT) if len(CALLS) > 25 else len(CALLS) % 20)\n"
    )
    result = project.run("-p", "_hypothesis_pytestplugin")
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert re.search(r"not reproducible: checkpoint 'x' \(number \d+ of that name\) differs", text)
    assert "Flaky" not in text


def test_recording_a_test_with_reruns_runs_them_and_refuses_what_parts(project: Project) -> None:
    project.write(HEAD + "@pytest.mark.repro(reruns=3)\ndef test_m(golden):\n    golden.check(next(COUNT) // 2, 'x')\n")
    result = project.run("--golden=record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*not reproducible: golden 'x' differs*nothing was recorded"])
    assert project.stored() == {}


def test_nothing_is_left_in_the_temporary_folder(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    project.write(HEAD + TWICE + "def test_m(repro):\n    repro.checkpoint('a', np.arange(1000) + next(COUNT))\n")
    project.run("--basetemp=base").assert_outcomes(failed=1)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("mlrepro-")] == []

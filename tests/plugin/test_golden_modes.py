"""What each mode of --golden writes, and what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.plugin.project import MODEL, Project

Change = Callable[[str, str], None]


def test_a_recorded_golden_passes_and_the_pass_writes_no_file(model: Project) -> None:
    before = sorted(model.root.rglob("*"))
    stored = model.stored()
    model.run("-p", "no:cacheprovider").assert_outcomes(passed=1)
    assert model.stored() == stored
    assert [path for path in model.root.rglob("*") if path not in before and "__pycache__" not in path.parts] == []


def test_a_missing_golden_fails_proposes_and_fails_again(project: Project) -> None:
    project.write(MODEL)
    for _ in range(2):
        result = project.run()
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*golden 'weights', golden 'metrics': no golden is recorded yet*"])
    assert project.stored() == {}
    assert len(list((project.root / ".mlrepro" / "pending").iterdir())) == 1


@pytest.mark.parametrize("variable", ["CI", "TF_BUILD"])
def test_a_missing_golden_fails_in_ci_and_nothing_is_written_under_the_tests(
    project: Project, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "true")
    project.write(MODEL, "tests/test_m.py")
    project.run("tests").assert_outcomes(failed=1)
    assert [path.name for path in (project.root / "tests").iterdir() if path.name != "__pycache__"] == ["test_m.py"]


def test_a_changed_value_fails_with_place_size_and_next_command(model: Project, change: Change) -> None:
    stored = model.stored()
    change("np.arange(6.0)", "(np.arange(6.0) + [0, 0, 0, 0, 1e-3, 0])")
    result = model.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*weights changed: test_m.test_model changed; environment is the same*"])
    result.stdout.fnmatch_lines(["*mlrepro accept 'test_m.py::test_model' --reason*"])
    assert "[1, 1]" in result.stdout.str()
    assert model.stored() == stored


def test_record_leaves_a_golden_that_differs_alone_and_fails(model: Project, change: Change) -> None:
    stored = model.stored()
    change("np.arange(6.0)", "(np.arange(6.0) + 1)")
    model.run("--golden=record").assert_outcomes(failed=1)
    assert model.stored() == stored


def test_record_adds_a_check_and_keeps_the_others(model: Project, change: Change) -> None:
    before = json.loads(model.golden().read_text("utf-8"))["checks"]
    change('"metrics")', '"metrics")\n    golden.check([1, 2, 3], "sizes")')
    model.record()
    after = json.loads(model.golden().read_text("utf-8"))["checks"]
    assert sorted(after) == ["metrics", "sizes", "weights"]
    assert {name: after[name] for name in before} == before


def test_update_needs_a_reason(model: Project) -> None:
    result = model.run("--golden=update")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--golden=update needs --golden-reason*"])


def test_update_replaces_what_differs_keeps_the_rest_and_puts_the_reason_on_record(
    model: Project, change: Change
) -> None:
    before = json.loads(model.golden().read_text("utf-8"))["checks"]
    change("np.arange(6.0)", "(np.arange(6.0) + 1)")
    model.run("--golden=update", "--golden-reason", "weights start at one").assert_outcomes(passed=1)
    after = json.loads(model.golden().read_text("utf-8"))["checks"]
    assert after["metrics"] == before["metrics"]
    assert after["weights"] != before["weights"]
    entries = [json.loads(line) for line in model.golden().with_name("history.jsonl").read_text("utf-8").splitlines()]
    assert [entry["action"] for entry in entries] == ["record", "update"]
    assert entries[1]["reason"] == "weights start at one"
    assert "weights" not in before or entries[1]["change"]
    assert len(list(model.golden().parent.glob("*.npy"))) == 1
    model.run().assert_outcomes(passed=1)


def test_update_of_equal_values_writes_nothing(model: Project) -> None:
    stored = model.stored()
    model.run("--golden=update", "--golden-reason", "nothing").assert_outcomes(passed=1)
    assert model.stored() == stored


def test_a_value_within_its_tolerance_is_not_updated(model: Project, change: Change) -> None:
    stored = model.stored()
    change("np.arange(6.0)", "(np.arange(6.0) * (1 + 1e-9))")
    model.run("--golden=update", "--golden-reason", "noise").assert_outcomes(passed=1)
    assert model.stored() == stored


def test_a_run_that_does_not_repeat_is_refused(project: Project) -> None:
    project.write(
        "import itertools\nCOUNT = itertools.count()\ndef test_m(golden):\n    golden.check({'x': [next(COUNT), 1]}, 'loss')\n"
    )
    result = project.run("--golden=record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*not reproducible: golden 'loss' differs in a second run of the same code; nothing was recorded*"]
    )
    result.stdout.fnmatch_lines(["*value*'x'*: 1 of 2 elements differ*", "*[[]0] *0 *1 *1"])
    assert project.stored() == {}


def test_runs_that_differ_within_the_tolerance_are_recorded(project: Project) -> None:
    project.write(
        "import itertools\nCOUNT = itertools.count()\n"
        "def test_m(golden):\n    golden.check(1.0 + next(COUNT) * 1e-9, rtol=1e-6, atol=0)\n"
    )
    project.record()
    project.run().assert_outcomes(passed=1)


def test_a_checkpoint_names_the_first_place_where_two_recording_runs_part(project: Project) -> None:
    project.write(
        "import itertools\nCOUNT = itertools.count()\n"
        "def test_m(golden, repro):\n"
        "    repro.checkpoint('loaded', 1)\n    hidden = next(COUNT)\n"
        "    repro.checkpoint('trained', hidden)\n    golden.check(hidden * 2)\n"
    )
    result = project.run("--golden=record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*not reproducible: checkpoint 'trained' differs*"])
    assert project.stored() == {}


@pytest.mark.parametrize("second", ["pass", "golden.check(2, 'b')"])
def test_a_run_that_takes_another_way_is_refused(project: Project, second: str) -> None:
    project.write(
        "import itertools\nCOUNT = itertools.count()\n"
        "def test_m(golden):\n    golden.check(1, 'a')\n"
        f"    if next(COUNT):\n        {second}\n    else:\n        golden.check(1, 'c')\n"
    )
    result = project.run("--golden=record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*not reproducible*", "*golden 'c'*"])
    assert project.stored() == {}


@pytest.mark.parametrize(
    "ending",
    ["assert False", "raise SystemError('late')", "__import__('pytest').skip('late')", "golden.check(object())"],
)
def test_a_later_failure_discards_the_recording(project: Project, ending: str) -> None:
    project.write(f"def test_m(golden):\n    golden.check(1, 'a')\n    {ending}\n")
    project.run("--golden=record")
    assert project.stored() == {}


def test_a_failing_tear_down_discards_the_recording(project: Project) -> None:
    project.write(
        "import pytest\n@pytest.fixture\ndef broken():\n    yield\n    raise RuntimeError('late')\n"
        "def test_m(broken, golden):\n    golden.check(1)\n"
    )
    project.run("--golden=record").assert_outcomes(passed=1, errors=1)
    assert project.stored() == {}


def test_what_a_test_does_to_an_array_after_its_check_is_not_recorded(project: Project) -> None:
    project.write(
        "import numpy as np\ndef test_m(golden):\n    w = np.zeros(4)\n    golden.check(w, 'before')\n"
        "    w += 1\n    golden.check(w, 'after')\n"
    )
    project.record()
    project.run().assert_outcomes(passed=1)
    project.write(
        "import numpy as np\ndef test_m(golden):\n    golden.check(np.zeros(4), 'before')\n    golden.check(np.ones(4), 'after')\n"
    )
    project.run().assert_outcomes(passed=1)


def test_function_scoped_fixtures_are_made_anew_for_the_second_run_and_wider_ones_are_not(project: Project) -> None:
    project.write(
        "import pytest\n"
        "@pytest.fixture\ndef fresh():\n    return []\n"
        "made = []\n"
        "@pytest.fixture(scope='module')\ndef shared():\n    made.append(1)\n    yield\n    made.append(-1)\n"
        "class TestIt:\n"
        "    def test_m(self, golden, fresh, shared, tmp_path):\n"
        "        fresh.append(1)\n        self.x = getattr(self, 'x', 0) + 1\n        (tmp_path / 'new').touch(exist_ok=False)\n"
        "        golden.check({'fresh': fresh, 'self': self.x, 'made': list(made)})\n"
    )
    project.record()
    project.run().assert_outcomes(passed=1)


def test_a_proposal_is_withdrawn_when_its_test_passes_again(model: Project, change: Change) -> None:
    change("np.arange(6.0)", "(np.arange(6.0) + 1)")
    model.run().assert_outcomes(failed=1)
    change("(np.arange(6.0) + 1)", "np.arange(6.0)")
    model.run().assert_outcomes(passed=1)
    assert list((model.root / ".mlrepro" / "pending").iterdir()) == []


def test_asking_for_golden_by_name_works_in_check_mode_and_is_refused_when_recording(project: Project) -> None:
    project.write("def test_m(request):\n    request.getfixturevalue('golden').check(1)\n")
    result = project.run("--golden=record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ask for it as an argument*"])
    assert project.stored() == {}


def test_a_failure_at_the_end_is_told_once(project: Project) -> None:
    project.write("def test_m(golden): golden.check(1.0, 'a')")
    result = project.run()
    text = result.stdout.str()
    assert text.count("no golden is recorded yet") == 1
    assert "During handling" not in text


def test_a_wrong_marker_is_told_once(project: Project) -> None:
    project.write("import pytest\n@pytest.mark.repro(sead=3)\ndef test_m(): pass")
    assert "During handling" not in project.run().stdout.str()

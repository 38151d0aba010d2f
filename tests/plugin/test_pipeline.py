"""The fixture `pipeline`: steps are part of the golden, and the first that parts is named with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from pytest_mlrepro.cli import main
from tests.plugin.project import Project

FLOW = """
import numpy as np
import flow

def test_flow(pipeline):
    raw = pipeline.step("load", flow.load)
    clean = pipeline.step("clean", flow.clean, raw["X"])
    features = pipeline.step("featurise", flow.featurise, clean, check=True)
    model = pipeline.step("train", flow.train, features, raw["y"])
    pipeline.step("predict", flow.predict, model, features)
"""
STEPS = """
import pathlib

import numpy as np

POWER = 2
COUNT = [0]

def load():
    return {"X": np.arange(12.0).reshape(4, 3), "y": np.array([0.5, 1.0, 2.0, 4.0])}

def clean(X):
    return X - X.mean(axis=0)

def featurise(X):
    return np.hstack([X, X ** POWER])

def train(X, y):
    return {"weights": X.T @ y}

def predict(model, X):
    return X @ model["weights"]
"""


@pytest.fixture
def flow(project: Project) -> Project:
    """A recorded pipeline of five steps."""
    project.write(STEPS, "flow.py")
    project.write(FLOW)
    project.record()
    return project


def plant(project: Project, old: str, new: str, name: str = "flow.py") -> None:
    text = (project.root / name).read_text("utf-8")
    assert text.count(old) == 1, old
    project.write(text.replace(old, new), name)


def mlrepro(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project.root), *arguments])


def failure(project: Project, *arguments: str) -> str:
    result = project.run(*arguments)
    result.assert_outcomes(failed=1)
    return result.stdout.str()


# Recording and checking


def test_steps_are_recorded_and_checked(flow: Project) -> None:
    stored = flow.stored()
    data = json.loads(flow.golden().read_text("utf-8"))
    assert [step["name"] for step in data["steps"]] == ["load", "clean", "featurise", "train", "predict"]
    assert data["schema"] == 2
    assert list(data["checks"]) == ["step featurise"]
    result = flow.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["golden checks: 5 passed"])
    assert flow.stored() == stored


def test_a_passing_check_gathers_nothing_and_writes_nothing(flow: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import pytest_mlrepro.pipeline.after

    def gather(*_: object) -> None:
        raise AssertionError("a passing step asked for its code")

    monkeypatch.setattr(pytest_mlrepro.pipeline.after, "made_of", gather)
    flow.run().assert_outcomes(passed=1)
    # but for what the run as a whole has found, once at its end
    assert {path.name for path in (flow.root / ".mlrepro").iterdir()} == {".gitignore", "run.json", "verified.json"}


def test_recording_again_is_byte_identical_but_for_the_timings(flow: Project) -> None:
    def kept() -> dict[str, bytes]:
        return {name: data for name, data in flow.stored().items() if not name.endswith(("timings.json", ".jsonl"))}

    first = kept()
    flow.golden().unlink()
    flow.record()
    assert kept() == first


def test_what_a_step_took_is_kept_beside_and_written_with_a_recording_alone(flow: Project) -> None:
    path = flow.golden().with_name("timings.json")
    before = path.read_bytes()
    steps = json.loads(before)["steps"]
    assert sorted(steps) == ["clean", "featurise", "load", "predict", "train"]
    assert all(step["ms"] >= 0 for step in steps.values())
    flow.run().assert_outcomes(passed=1)
    flow.run("--golden=update", "--golden-reason", "nothing").assert_outcomes(passed=1)
    assert path.read_bytes() == before
    path.write_text("not JSON")
    flow.run().assert_outcomes(passed=1)
    assert mlrepro(flow, "verify").exit_code == 0


def test_a_missing_golden_fails_and_proposes_all_steps(project: Project) -> None:
    project.write(STEPS, "flow.py")
    project.write(FLOW)
    text = failure(project)
    assert "steps load, clean, featurise, train, predict: not recorded yet" in text
    assert "golden checks: 5 missing" in text
    assert project.stored() == {}
    assert mlrepro(project, "accept", "--all", "--reason", "first").exit_code == 0
    project.run().assert_outcomes(passed=1)
    assert mlrepro(project, "verify").exit_code == 0


def test_recording_twice_refuses_a_step_that_does_not_repeat(project: Project) -> None:
    project.write(STEPS + "\ndef noise(X):\n    COUNT[0] += 1\n    return {'a': X, 'b': X + COUNT[0]}\n", "flow.py")
    project.write(FLOW.replace("flow.clean, ", "lambda X: flow.noise(X)['b'], "))
    text = failure(project, "--golden=record")
    assert "not reproducible: step 'clean' differs in a second run of the same code; nothing was recorded" in text
    assert "step 'load'" not in text
    project.write(
        FLOW.replace("flow.clean, ", "flow.noise, ").replace("flow.featurise, clean", "flow.featurise, clean['b']")
    )
    assert "value['b']: 12 of 12 elements differ" in failure(project, "--golden=record")
    assert project.stored() == {}


def test_record_leaves_a_step_that_differs_alone_and_update_replaces_it(flow: Project) -> None:
    stored = flow.stored()
    plant(flow, "POWER = 2", "POWER = 3")
    failure(flow, "--golden=record")
    assert flow.stored() == stored
    flow.run("--golden=update", "--golden-reason", "cubes").assert_outcomes(passed=1)
    flow.run().assert_outcomes(passed=1)
    entries = flow.golden().with_name("history.jsonl").read_text("utf-8").splitlines()
    assert json.loads(entries[1])["change"].startswith("first step that parts: featurise (same inputs, other code")
    assert mlrepro(flow, "verify").exit_code == 0


def test_a_proposal_is_accepted_with_a_reason(flow: Project) -> None:
    plant(flow, "POWER = 2", "POWER = 3")
    failure(flow)
    shown = mlrepro(flow, "show", "test_flow").output
    assert "first step that parts: featurise" in shown
    assert "1 changed, 3 steps other than recorded" in mlrepro(flow, "status").output
    assert mlrepro(flow, "explain", "test_flow").output.startswith("first step that parts: featurise")
    diff = mlrepro(flow, "diff", "test_flow")
    assert diff.exit_code == 1
    assert "consequences: train, predict" in diff.output
    assert "equal steps: load, clean" in diff.output
    assert mlrepro(flow, "accept", "test_flow", "--reason", "cubes").exit_code == 0
    flow.run().assert_outcomes(passed=1)
    assert mlrepro(flow, "verify").exit_code == 0
    assert mlrepro(flow, "diff", "test_flow", "test_flow").exit_code == 0


def test_verify_finds_damage_in_what_the_steps_were_made_of(flow: Project) -> None:
    (details,) = flow.golden().parent.glob("steps-*.json")
    text = details.read_text("utf-8")
    details.write_text(text.replace("flow.clean", "flow.klean"), "utf-8")
    found = mlrepro(flow, "verify")
    assert found.exit_code == 1
    assert "is not the file that was recorded" in found.output
    flow.run().assert_outcomes(passed=1)  # what explains a failure is needed only then
    details.unlink()
    assert "can't be read" in mlrepro(flow, "verify").output
    plant(flow, "POWER = 2", "POWER = 3")
    assert "first step that parts: featurise" in failure(flow)


@pytest.mark.parametrize("old", ['"kind": "dict"', '"name": "clean"', '"step": "clean"'])
def test_steps_that_were_edited_by_hand_are_refused(flow: Project, old: str) -> None:
    path = flow.golden()
    path.write_text(path.read_text("utf-8").replace(old, old[:-2] + 'x"', 1), "utf-8")
    assert "was edited by hand or damaged" in failure(flow)


# Which step parts first, and why


CASES = {
    "load": ("[0.5, 1.0", "[0.25, 1.0", "flow.load", "train, predict"),
    "clean": ("X.mean(", "0.5 * X.mean(", "flow.clean", "featurise, train, predict"),
    "featurise": ("POWER = 2", "POWER = 3", "flow.POWER", "train, predict"),
    "train": ("X.T @ y", "X.T @ y + 1", "flow.train", "predict"),
    "predict": ('X @ model["weights"]', 'X @ model["weights"] + 1', "flow.predict", None),
}


@pytest.mark.parametrize("name", CASES)
def test_the_first_step_that_parts_is_named_with_its_reason(flow: Project, name: str) -> None:
    old, new, culprit, following = CASES[name]
    plant(flow, old, new)
    text = failure(flow)
    assert f"first step that parts: {name} (same inputs, other code, other output): {culprit} changed\n" in text
    assert f"consequences: {following or 'none'}" in text


def test_a_change_that_changes_no_output_passes(flow: Project) -> None:
    plant(flow, "X - X.mean(axis=0)", "X - X.mean(0) + 0.0")
    flow.run().assert_outcomes(passed=1)


def test_the_values_of_a_checked_step_are_compared_and_those_of_others_by_their_parts(flow: Project) -> None:
    plant(flow, "POWER = 2", "POWER = 3")
    assert "value: 12 of 24 elements differ" in failure(flow)
    plant(flow, "POWER = 3", "POWER = 2")
    plant(flow, "[0.5, 1.0", "[0.25, 1.0")
    assert "its output differs in ['y']" in failure(flow)


def test_a_step_that_differs_though_nothing_changed_is_not_reproducible(project: Project) -> None:
    project.write(STEPS.replace("X - X.mean(axis=0)", "X - float(pathlib.Path('n.pyc').read_text())"), "flow.py")
    (project.root / "n.pyc").write_text("1.0")
    project.write(FLOW)
    project.record()
    (project.root / "n.pyc").write_text("2.0")
    text = failure(project)
    assert "first step that parts: clean (same inputs, same code, other output): not reproducible" in text
    assert "consequences: featurise, train, predict" in text


def test_a_file_that_a_step_read_is_its_reason(project: Project) -> None:
    project.write(STEPS.replace("X - X.mean(axis=0)", "X - float(pathlib.Path('shift.txt').read_text())"), "flow.py")
    (project.root / "shift.txt").write_text("1.0")
    project.write(FLOW)
    project.record()
    (project.root / "shift.txt").write_text("2.0")
    text = failure(project)
    assert "first step that parts: clean (other inputs (shift.txt), same code, other output): shift.txt changed" in text


def test_an_argument_that_no_step_made_is_a_reason(flow: Project) -> None:
    flow.write(FLOW.replace("flow.clean, raw", "lambda X, k: X * k, raw").replace('raw["X"])', 'raw["X"], 2.0)'))
    flow.run("--golden=update", "--golden-reason", "scale")
    plant(flow, "2.0)", "3.0)", "test_m.py")
    text = failure(flow)
    assert "first step that parts: clean (other inputs (k), same code, other output): k changed" in text
    assert "k changed (2.0 → 3.0)" in text
    assert "test_m.test_flow changed" in text


def test_a_step_within_its_tolerance_is_named_when_what_comes_from_it_is_not(flow: Project) -> None:
    plant(flow, "np.hstack([X, X ** POWER])", "np.hstack([X, X ** POWER]) * (1 + 1e-12)")
    text = failure(flow)
    assert "first step that parts: featurise (same inputs, other code, other output): flow.featurise changed" in text
    assert "featurise is within its tolerance, and what comes from it is not" in text
    assert "consequences: train, predict" in text


def test_two_steps_that_part_by_themselves_are_both_told(flow: Project) -> None:
    plant(flow, "X - X.mean(axis=0)", "X - X.mean(axis=0) + 1")
    plant(flow, "[0.5, 1.0", "[0.25, 1.0")
    text = failure(flow)
    assert "first step that parts: load" in text
    assert "parts by itself too: clean (same inputs, other code, other output): flow.clean changed" in text


def test_a_check_that_fails_in_the_body_leads_with_the_step(project: Project) -> None:
    project.write(STEPS, "flow.py")
    project.write(
        "import flow\ndef test_flow(golden, pipeline):\n    raw = pipeline.step('load', flow.load)\n"
        "    X = pipeline.step('clean', flow.clean, raw['X'])\n    golden.check(float(X[0, 0]), 'first')\n"
    )
    project.record()
    plant(project, "X.mean(", "0.5 * X.mean(")
    text = failure(project)
    assert (
        "AssertionError: first step that parts: clean (same inputs, other code, other output): flow.clean changed"
        in text
    )
    assert "first changed: flow.clean changed" in text
    assert mlrepro(project, "accept", "--all", "--reason", "half").exit_code == 0
    project.run().assert_outcomes(passed=1)


def test_a_failure_of_the_body_has_a_note_on_the_steps(flow: Project) -> None:
    plant(flow, "POWER = 2", "POWER = 3")
    flow.write(FLOW + "    assert False, 'worse'\n")
    text = failure(flow)
    assert "worse" in text
    assert (
        "pipeline: first step that parts: featurise (same inputs, other code, other output): flow.POWER changed" in text
    )


def test_a_step_that_raises_now_is_the_first_that_parts(flow: Project) -> None:
    plant(flow, "return X - X.mean(axis=0)", "raise ValueError('no')")
    text = failure(flow)
    assert "ValueError: no" in text
    assert "raised in pipeline step 'clean', whose inputs were: X from load" in text
    assert "first step that parts: clean (same inputs, other code, raised ValueError): flow.clean changed" in text


def test_an_error_that_the_test_expects_is_recorded_and_compared(project: Project) -> None:
    project.write("KIND = ValueError\ndef fail():\n    raise KIND('at', object())\n", "flow.py")
    project.write(
        "import pytest, flow\ndef test_flow(pipeline):\n    with pytest.raises((ValueError, KeyError)):\n"
        "        pipeline.step('fail', flow.fail)\n"
    )
    project.record()
    project.run().assert_outcomes(passed=1)
    plant(project, "KIND = ValueError", "KIND = KeyError")
    assert "first step that parts: fail (same inputs, other code, raised KeyError)" in failure(project)


# Steps that come, go and move


def test_a_step_that_is_added_or_removed_is_told(flow: Project) -> None:
    flow.write(FLOW + "    pipeline.step('more', len, [1])\n")
    text = failure(flow)
    assert "step more: not recorded yet" in text
    flow.run("--golden=record").assert_outcomes(passed=1)
    flow.write(FLOW)
    text = failure(flow)
    assert "step more: recorded, and not in this run" in text
    assert mlrepro(flow, "accept", "--all", "--reason", "gone").exit_code == 0
    flow.run().assert_outcomes(passed=1)
    assert "more" not in flow.golden().read_text("utf-8")
    assert mlrepro(flow, "verify").exit_code == 0


def test_a_recording_never_drops_a_step(flow: Project) -> None:
    stored = flow.stored()
    flow.write(FLOW.replace('    pipeline.step("predict", flow.predict, model, features)\n', ""))
    text = failure(flow, "--golden=update", "--golden-reason", "less")
    assert "a recording never drops what is there" in text
    assert flow.stored() == stored


def test_a_step_that_is_renamed_is_told(flow: Project) -> None:
    flow.write(FLOW.replace('"predict"', '"score"'))
    assert "step predict is now called score; inputs and output are the same" in failure(flow)


def test_steps_in_another_order_pass(flow: Project) -> None:
    lines = FLOW.splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if '"clean"' in line)
    extra = '    other = pipeline.step("count", len, raw["y"])\n'
    flow.write("".join([*lines[:at], extra, *lines[at:]]))
    flow.record()
    flow.write("".join([*lines[: at + 1], extra, *lines[at + 1 :]]))
    flow.run().assert_outcomes(passed=1)


def test_inputs_that_come_from_elsewhere_pass_and_an_update_redraws_the_graph(flow: Project) -> None:
    flow.write(
        FLOW.replace('raw["y"])', 'raw["y"].copy() + 0)').replace("flow.train, features", "flow.train, features + 0")
    )
    flow.run().assert_outcomes(passed=1)
    plain = FLOW.replace('raw["y"])', "[0.5, 1.0, 2.0, 4.0])")
    flow.write(plain)
    flow.run().assert_outcomes(passed=1)
    flow.run("--golden=update", "--golden-reason", "literal").assert_outcomes(passed=1)
    assert "y ←" not in mlrepro(flow, "lineage", "test_flow").output


def test_a_second_step_of_one_name_is_an_error_that_says_how_to_loop(project: Project) -> None:
    project.write(
        "def test_flow(pipeline):\n    for fold in range(2):\n        pipeline.step('fit', lambda fold: fold + 1, fold)\n"
    )
    assert "a second step named 'fit' in one test" in failure(project)
    project.write(
        "def test_flow(pipeline):\n    for fold in range(2):\n"
        "        pipeline.step(f'fit {fold}', lambda fold: fold + 1, fold)\n"
    )
    project.record()
    project.run().assert_outcomes(passed=1)


def test_a_pipeline_without_a_step_is_an_error(project: Project) -> None:
    project.write("def test_flow(pipeline):\n    pass\n")
    assert "the test asks for `pipeline` and never came to pipeline.step" in failure(project)


def test_steps_that_are_recorded_and_of_which_none_ran_are_missed(flow: Project) -> None:
    flow.write("def test_flow(golden):\n    golden.check(1)\n")
    text = failure(flow)
    assert "steps load, clean, featurise, train, predict: recorded, and not in this run" in text


def test_a_check_of_the_name_of_a_checked_step_is_refused(project: Project) -> None:
    project.write(
        "def test_flow(golden, pipeline):\n    golden.check(1, 'step load')\n"
        "    pipeline.step('load', lambda: [1.5], check=True)\n"
    )
    assert "a golden.check of this test is named 'step load' too" in failure(project, "--golden=record")


def test_a_check_that_is_taken_off_a_step_is_told(flow: Project) -> None:
    flow.write(FLOW.replace(", check=True", ""))
    assert "golden 'step featurise': recorded, and no check of this run came to it" in failure(flow)


def test_a_looser_tolerance_of_a_step_is_a_change(flow: Project) -> None:
    flow.write(
        FLOW.replace("check=True", "check=Tolerance(rtol=0.1, atol=0)").replace(
            "import flow", "import flow\nfrom pytest_mlrepro import Tolerance"
        )
    )
    text = failure(flow)
    assert "step 'featurise' is held to a looser tolerance than recorded" in text


def test_a_tolerance_allows_what_it_says(flow: Project) -> None:
    text = FLOW.replace("def test_flow", "T = Tolerance(rtol=1e-6, atol=0)\n\ndef test_flow")
    text = text.replace("import flow", "import flow\nfrom pytest_mlrepro import Tolerance").replace(
        "check=True", "check=T"
    )
    text = text.replace('raw["y"])', 'raw["y"], check={"weights": T})').replace(
        "model, features)", "model, features, check=T)"
    )
    flow.write(text)
    flow.golden().unlink()
    flow.record()
    plant(flow, "X ** POWER])", "X ** POWER]) * (1 + 1e-12)")
    flow.run().assert_outcomes(passed=1)
    plant(flow, "1e-12", "1e-3")
    assert "first step that parts: featurise" in failure(flow)


# Kinds of tests


def test_parametrised_tests_and_classes_have_pipelines_of_their_own(project: Project) -> None:
    project.write(
        "import pytest\n"
        "class TestFlow:\n    factor = 2\n"
        "    def scale(self, table, by):\n        return [item * by * self.factor for item in table]\n"
        "    @pytest.mark.parametrize('by', [1.5, 2.5])\n"
        "    def test_scale(self, pipeline, by):\n"
        "        raw = pipeline.step('load', lambda: [1.0, 2.0])\n"
        "        pipeline.step('scale', self.scale, raw, by)\n"
    )
    project.record()
    assert len(project.goldens()) == 2
    project.run().assert_outcomes(passed=2)
    plant(project, "item * by", "item + by", "test_m.py")
    result = project.run()
    result.assert_outcomes(failed=2)
    assert "first step that parts: scale (same inputs, other code, other output): test_m.TestFlow.scale changed" in (
        result.stdout.str()
    )


def test_the_fixture_may_be_asked_for_by_another_one(project: Project) -> None:
    project.write(
        "import pytest\n@pytest.fixture\ndef raw(pipeline):\n    return pipeline.step('load', lambda: [1.5])\n"
        "def test_flow(raw, pipeline):\n    pipeline.step('sum', sum, raw)\n"
    )
    project.record()
    project.run().assert_outcomes(passed=1)
    assert "sum" in mlrepro(project, "lineage", "test_flow").output


def test_an_unseeded_draw_in_a_seeded_test_repeats(project: Project) -> None:
    project.write(
        "import numpy as np, pytest\n@pytest.mark.repro\ndef test_flow(pipeline):\n"
        "    pipeline.step('draw', lambda: np.random.default_rng().normal(size=3))\n"
    )
    project.record()
    project.run().assert_outcomes(passed=1)


# The graph


def test_lineage_prints_the_graph(flow: Project) -> None:
    tree = mlrepro(flow, "lineage", "test_flow").output
    assert tree.splitlines()[0] == "test_m.py::test_flow"
    for line in ("X ← load['X']", "X ← clean", "y ← load['y']", "model ← train", "featurise  (numpy.ndarray; "):
        assert line in tree
    assert mlrepro(flow, "lineage", "test_flow", "--format", "mermaid").output.startswith("flowchart TD\n")
    assert mlrepro(flow, "lineage", "test_flow", "--format", "dot").output.startswith(
        'digraph "test_m.py::test_flow" {'
    )


def test_lineage_says_what_is_wrong(flow: Project, model_test: Callable[[], None]) -> None:
    result = mlrepro(flow, "lineage", "nowhere")
    assert result.exit_code == 2
    assert "no golden or proposal is of a test with 'nowhere' in its id" in result.output
    model_test()
    assert "has no steps" in mlrepro(flow, "lineage", "test_other").output
    assert "is in the ids of 2 tests" in mlrepro(flow, "lineage", "test_").output
    assert mlrepro(flow, "lineage", "test_flow", "--format", "svg").exit_code == 2


@pytest.fixture
def model_test(flow: Project) -> Callable[[], None]:
    def write() -> None:
        flow.write("def test_other(golden):\n    golden.check(1)\n", "test_other.py")
        flow.record("test_other.py")

    return write


def test_the_lineage_of_a_proposal_can_be_looked_at(project: Project) -> None:
    project.write(STEPS, "flow.py")
    project.write(FLOW)
    failure(project)
    assert "X ← clean" in mlrepro(project, "lineage", "test_flow").output


def test_an_input_that_was_changed_in_place_is_said_to_be(project: Project) -> None:
    project.write(
        "def test_flow(pipeline):\n    raw = pipeline.step('load', lambda: [1.5, 2.5])\n    raw.append(3.5)\n"
        "    pipeline.step('sum', sum, raw)\n"
    )
    project.record()
    assert "← load (changed in place since)" in mlrepro(project, "lineage", "test_flow").output
    assert "changed in place since" in mlrepro(project, "lineage", "test_flow", "--format", "dot").output


# Stored outputs

CACHED = """
import numpy as np, pytest
RAN = []

def slow(n):
    RAN.append(n)
    return {"a": np.arange(float(n)), "draw": np.random.rand()}

@pytest.mark.repro
def test_flow(pipeline):
    made = pipeline.step("slow", slow, 5, cache=True)
    pipeline.step("later", lambda made: float(made["a"].sum()) + np.random.rand(), made)
    print("ran", len(RAN))
"""


def test_a_cached_step_is_reused_by_later_runs_and_changes_nothing(project: Project) -> None:
    project.write(CACHED)
    project.record()
    result = project.run("-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*ran 0*", "stored outputs of pipeline steps: 1 reused"])
    place = project.root / ".mlrepro" / "cache" / "steps"
    assert (place / ".gitignore").read_text("utf-8").endswith("*\n")
    for path in place.glob("*/0"):
        path.write_bytes(b"\0" * path.stat().st_size)
    result = project.run("-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*ran 1*",
            "stored outputs of pipeline steps: 1 stored",
            "stored outputs that were damaged, and made again:",
            "  test_m.py::test_flow: slow",
        ]
    )
    plant(project, "np.arange(float(n))", "np.arange(float(n)) + 1", "test_m.py")
    assert "first step that parts: slow (same inputs, other code, other output): test_m.slow changed" in failure(
        project
    )


def test_recording_looks_through_the_cache_at_what_repeats(project: Project) -> None:
    project.write(CACHED.replace('"draw": np.random.rand()', '"draw": len(RAN)'))
    assert "not reproducible: step 'slow' differs" in failure(project, "--golden=record")


def test_what_can_t_be_stored_is_named(project: Project) -> None:
    project.write(
        "class Model:\n    def __mlrepro__(self):\n        return 1.5\n"
        "def test_flow(pipeline):\n    pipeline.step('fit', Model, cache=True)\n"
    )
    text = failure(project, "--golden=record")
    assert "pipeline.step('fit', cache=True): its output is of type test_m.Model, which can't be stored" in text


def test_a_file_that_a_step_wrote_ties_those_that_read_it(project: Project) -> None:
    project.write(
        "from pathlib import Path\nHERE = Path(__file__).parent\n"
        "def save(text):\n    (HERE / 'a.txt').write_text(text)\n"
        "def read():\n    return (HERE / 'a.txt').read_text()\n"
        "def test_flow(pipeline):\n    pipeline.step('save', save, 'content of a')\n"
        "    pipeline.step('read', read)\n    pipeline.step('given', Path.read_bytes, HERE / 'a.txt')\n"
    )
    project.record()
    tree = mlrepro(project, "lineage", "test_flow").output
    assert "a.txt ← save: a.txt" in tree
    assert "self ← save: a.txt" in tree
    plant(project, "write_text(text)", "write_text(text + '!')", "test_m.py")
    text = failure(project)
    assert "first step that parts: save" in text or "first step that parts: read" in text

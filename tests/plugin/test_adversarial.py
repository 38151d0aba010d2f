"""The marker `adversarial` and the fixture `robustness` in whole runs, with a model of numpy alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

HEAD = """
import numpy as np
import pytest
from pytest_mlrepro import L2, Linf

WEIGHT = {weight}

class Linear:
    def predict_proba(self, x):
        margin = np.asarray(x) @ np.array([WEIGHT, 1.0])
        positive = 1 / (1 + np.exp(-margin))
        return np.stack([1 - positive, positive], axis=1)
    classes_ = np.array([0, 1])
    def predict(self, x):
        return self.predict_proba(x).argmax(axis=1)

@pytest.fixture
def model():
    return Linear()

@pytest.fixture
def inputs():
    x = np.random.default_rng(0).normal(size=(60, 2))
    return x[np.abs(x.sum(axis=1)) > 0.5]

@pytest.fixture
def labels(inputs):
    return (inputs.sum(axis=1) > 0).astype(int)
"""


def project(pytester: pytest.Pytester, tests: str, *, weight: float = 1.0) -> None:
    pytester.makeini("[pytest]\naddopts = --strict-markers\nfilterwarnings = error")
    pytester.makepyfile(test_it=HEAD.format(weight=weight) + tests)


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-p", "pytest_mlrepro.plugin", "-p", "no:cacheprovider", *options)


def test_a_model_that_stands_passes_and_is_told(pytester: pytest.Pytester) -> None:
    project(pytester, "@pytest.mark.adversarial(Linf(0.1), min_accuracy=0.9)\ndef test_it(): pass")
    result = run(pytester)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["robustness:", "  test_it.py::test_it  Linf(0.1): passed*robust accuracy ≤ 1*samples*"]
    )


def test_a_model_that_falls_fails_before_the_body(pytester: pytest.Pytester) -> None:
    project(pytester, "@pytest.mark.adversarial(Linf(1.5), min_accuracy=0.9)\ndef test_it(): print('body ran')")
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["failed: robust accuracy is at most *0.9 required under Linf(1.5)", "*before*after*"])
    result.stdout.no_fnmatch_line("*body ran*")


def test_several_threats_are_several_verdicts_and_all_are_told(pytester: pytest.Pytester) -> None:
    project(
        pytester,
        "@pytest.mark.adversarial(Linf(1.5), L2(2.0), Linf(0.1), min_accuracy=0.9)\ndef test_it(robustness): pass",
    )
    result = run(pytester)
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "required under Linf(1.5)" in text
    assert "required under L2(2)" in text
    assert sum(line.startswith("  test_it.py::test_it  L") for line in result.outlines) == 3


def test_the_body_goes_on_with_the_reports(pytester: pytest.Pytester) -> None:
    project(
        pytester,
        """
@pytest.mark.adversarial(Linf(0.1), min_accuracy=0.9)
def test_it(robustness, model, inputs, labels):
    (report,) = robustness.reports
    assert report.passed
    other = robustness.check(model, inputs, labels, L2(0.1), min_accuracy=0.9)
    assert robustness.reports == [report, other]
    with pytest.raises(AssertionError, match="robust accuracy is at most"):
        robustness.check(model, inputs, labels, Linf(2.0), min_accuracy=0.9, name="far")
""",
    )
    run(pytester).assert_outcomes(passed=1)


def test_other_names_arguments_classes_and_stacked_markers(pytester: pytest.Pytester) -> None:
    project(
        pytester,
        """
@pytest.mark.adversarial(Linf(0.1), min_accuracy=0.9)
class TestAll:
    @pytest.fixture
    def clf(self, model):
        return model

    @pytest.mark.adversarial(L2(0.1), min_accuracy=0.9, model="clf")
    def test_method(self, robustness):
        assert [str(report.threat) for report in robustness.reports] == ["Linf(0.1)", "L2(0.1)"]

    @pytest.mark.parametrize("model", [Linear(), Linear()], ids=["a", "b"])
    def test_argument(self, model):
        pass
""",
    )
    run(pytester).assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("min_accuracy=0.9", "a threat is expected, such as Linf(8/255"),
        ("'Linf', min_accuracy=0.9", "threats such as Linf(8/255) are expected, got 'Linf'"),
        ("Linf(0.1), min_acuracy=0.9", "has no argument 'min_acuracy': did you mean 'min_accuracy'?"),
        ("Linf(0.1)", "min_accuracy: a share above 0 and up to 1 is expected, got None"),
        ("Linf(0.1), min_accuracy=0.9, model='clf'", "no fixture and no argument 'clf'"),
        ("Linf(0.1), min_accuracy=0.9, model=3", "model is the name of a fixture or an argument of the test, got 3"),
        ("Linf(0.1), min_accuracy=0.9, max_drop=0.1", "max_drop is of a baseline"),
        ("Linf(0.1), min_accuracy=0.9, baseline=True, confidence=0.95", "give one of the two"),
        ("Linf(0.1), Linf(0.1), min_accuracy=0.9", "a second check named 'Linf(0.1)'"),
    ],
)
def test_wrong_markers_are_named(pytester: pytest.Pytester, marker: str, words: str) -> None:
    project(pytester, f"@pytest.mark.adversarial({marker})\ndef test_it(): pass\ndef test_other(): pass")
    result = run(pytester)
    result.assert_outcomes(failed=1, passed=1)
    assert words in result.stdout.str()


def test_a_model_that_is_wrong_when_clean_is_said_so_before_any_attack(pytester: pytest.Pytester) -> None:
    project(pytester, "@pytest.mark.adversarial(Linf(0.1), min_accuracy=0.9)\ndef test_it(): pass", weight=-3.0)
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["failed: clean accuracy * is below the 0.9 required*before any attack"])


def test_counterexamples_are_kept_and_replayed_first(pytester: pytest.Pytester) -> None:
    project(pytester, "@pytest.mark.adversarial(Linf(1.5), min_accuracy=0.9)\ndef test_it(): pass")
    run(pytester)
    kept = list((pytester.path / ".mlrepro" / "counterexamples").glob("*.npz"))
    assert len(kept) == 1
    assert (kept[0].parent / ".gitignore").exists()
    result = run(pytester)
    result.stdout.fnmatch_lines(["  replay of kept counterexamples: broke *"])
    kept[0].write_bytes(b"PK\x03\x04 damaged")
    run(pytester).stdout.fnmatch_lines(["failed: robust accuracy is at most*"])


def test_recording_keeps_counterexamples_with_the_goldens_for_other_checkouts(pytester: pytest.Pytester) -> None:
    project(pytester, "@pytest.mark.adversarial(Linf(1.5), min_accuracy=0.9)\ndef test_it(): pass")
    run(pytester)
    assert not list(pytester.path.glob("__golden__/**/*.npz"))
    run(pytester, "--golden=record")
    (kept,) = pytester.path.glob("__golden__/*/counterexamples/*.npz")
    before = kept.read_bytes()
    shutil.rmtree(pytester.path / ".mlrepro")
    run(pytester).stdout.fnmatch_lines(["  replay of kept counterexamples: broke *"])
    project(pytester, "@pytest.mark.adversarial(Linf(1.6), min_accuracy=0.9)\ndef test_it(): pass")
    run(pytester, "--golden=record")  # of another threat: a file of its own
    assert len(list(kept.parent.iterdir())) == 2
    run(pytester, "--golden=update", "--golden-reason=again")
    assert kept.read_bytes() == before


def test_a_hostile_file_of_counterexamples_runs_nothing(pytester: pytest.Pytester) -> None:
    import numpy as np

    project(pytester, "@pytest.mark.adversarial(Linf(1.5), min_accuracy=0.9)\ndef test_it(): pass")
    run(pytester)
    (kept,) = (pytester.path / ".mlrepro" / "counterexamples").glob("*.npz")
    np.savez(kept, keys=np.array([Path], dtype=object), points=np.zeros((1, 2)))
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*replay*")


BASE = "@pytest.mark.adversarial(Linf(0.5), min_accuracy=0.2, baseline=True{more})\ndef test_it(): pass"


def test_a_baseline_is_recorded_held_and_told_sample_by_sample(pytester: pytest.Pytester) -> None:
    project(pytester, BASE.format(more=""))
    missing = run(pytester)
    missing.assert_outcomes(failed=1)
    run(pytester, "--golden=record").assert_outcomes(passed=1)
    run(pytester).assert_outcomes(passed=1)
    project(pytester, BASE.format(more=""), weight=4.0)
    fallen = run(pytester)
    fallen.assert_outcomes(failed=1)
    fallen.stdout.fnmatch_lines(["robust accuracy fell from * to *", "* samples stood and fall now: *"])
    project(pytester, BASE.format(more=", max_drop=0.9"), weight=4.0)
    looser = run(pytester)
    looser.assert_outcomes(failed=1)
    looser.stdout.fnmatch_lines(["*max_drop is 0.9, was 0: greater drops go unseen*"])


def test_a_baseline_refuses_what_can_t_be_compared(pytester: pytest.Pytester) -> None:
    project(pytester, BASE.format(more=", name='base'"))
    run(pytester, "--golden=record").assert_outcomes(passed=1)
    project(pytester, BASE.format(more=", name='base'").replace("0.5", "0.4", 1))
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*recorded with other threat: the two accuracies can't be compared*"])
    project(pytester, BASE.format(more=", name='base', attacks='fast'"))
    run(pytester).stdout.fnmatch_lines(["*recorded with other attacks*"])


def test_verdicts_reach_the_run_record_also_through_xdist(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    project(pytester, "@pytest.mark.adversarial(Linf(0.1), min_accuracy=0.9)\ndef test_it(): pass")
    done = pytester.runpytest_subprocess(
        "-p", "xdist", "-p", "pytest_mlrepro.plugin", "-p", "no:cacheprovider", "-n1", "--mlrepro-json=record.jsonl"
    )
    done.assert_outcomes(passed=1)
    (line,) = (pytester.path / "record.jsonl").read_text("utf-8").splitlines()
    facts = json.loads(line)
    assert (facts["kind"], facts["outcome"], facts["check"], facts["samples"]) == (
        "robustness",
        "passed",
        "Linf(0.1)",
        facts["samples_used"],
    )


def test_runs_of_a_seeded_test_are_held_against_each_other(pytester: pytest.Pytester) -> None:
    project(
        pytester,
        "@pytest.mark.repro(reruns=2)\n@pytest.mark.adversarial(Linf(0.1), min_accuracy=0.9)\n"
        "def test_it(repro, robustness):\n    repro.checkpoint('accuracy', robustness.reports[0].robust_accuracy)",
    )
    run(pytester).assert_outcomes(passed=1)


def test_a_run_without_the_marker_loads_nothing_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\ndef test_it():\n    assert 'pytest_mlrepro.robustness' not in sys.modules or True\n"
        "    assert 'pytest_mlrepro.integration.adversarial' not in sys.modules"
    )
    pytester.runpytest_subprocess("-p", "pytest_mlrepro.plugin", "-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_a_table_and_its_accidents_in_one_marker(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pandas")
    pytester.makepyfile(
        """
        import numpy as np
        import pandas as pd
        import pytest
        from pytest_mlrepro import Corruption, Tabular

        FRAME = pd.DataFrame({"size": np.linspace(-3, 3, 40), "colour": ["red", "blue"] * 20})

        def predict(frame):
            return (frame["size"] > 0).to_numpy().astype(int)

        @pytest.fixture
        def model():
            return predict

        @pytest.fixture
        def inputs():
            return FRAME

        @pytest.fixture
        def labels():
            return predict(FRAME)

        @pytest.mark.adversarial(Tabular(0.1, categorical=1), Corruption("gaussian_noise", 5), min_accuracy=0.8)
        def test_stands(robustness):
            assert [report.passed for report in robustness.reports] == [True, True]

        @pytest.mark.adversarial(Tabular(0.5), Corruption("gaussian_noise", 5), min_accuracy=0.95)
        def test_falls():
            pass
        """
    )
    result = pytester.runpytest("-p", "pytest_mlrepro.plugin")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*robust accuracy is at most*required under Tabular(0.5)*",
            "*sample *: * becomes *, 1 of 2 cells changed*",
            "*  size *standard deviations*",
        ]
    )
    again = pytester.runpytest("-p", "pytest_mlrepro.plugin")
    again.assert_outcomes(passed=1, failed=1)
    again.stdout.fnmatch_lines(["  replay of kept counterexamples: broke *"])


TABLE = """
    import numpy as np
    import pandas as pd
    import pytest
    from pytest_mlrepro import Corruption, Tabular

    N = np.random.default_rng(0).normal(size=60)
    TRAIN = pd.DataFrame({"size": N * WIDE, "colour": ["red", "blue", "green"] * 20})
    FRAME = pd.DataFrame({"size": N, "colour": ["red", "blue", "green"] * 20})SORTED

    def predict(frame):
        return ((frame["size"] > 0) ^ (frame["colour"] == "green")).to_numpy().astype(int)

    @pytest.fixture
    def model():
        return predict

    @pytest.fixture
    def inputs():
        return FRAME

    @pytest.fixture
    def labels():
        return predict(FRAME)

    @pytest.mark.adversarial(MARK)
    def test_it():
        pass
"""


def table(pytester: pytest.Pytester, mark: str, *, wide: float = 1.0, order: str = "") -> None:
    text = TABLE.replace("WIDE", str(wide)).replace("MARK", mark).replace("SORTED", order)
    pytester.makepyfile(test_it=text)


def test_counterexamples_of_a_table_are_replayed_when_rows_come_in_another_order(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pandas")
    mark = "Tabular(0.1, categorical=1, reference=TRAIN), min_accuracy=0.9, complete=True"
    table(pytester, mark)
    first = run(pytester)
    first.assert_outcomes(failed=1)
    first.stdout.fnmatch_lines(["*ranges and categories are those of the reference, 60 rows", "*colour * green*"])
    table(pytester, mark, order=".sort_values('size')")
    again = run(pytester)
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["*replay of kept counterexamples: broke 60 of 60, *"])


def test_a_baseline_of_a_table_refuses_another_reference(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pandas")
    mark = "Tabular(0.1, reference=TRAIN), min_accuracy=0.01, baseline=True, name='base'"
    table(pytester, mark)
    run(pytester, "--golden=record").assert_outcomes(passed=1)
    run(pytester).assert_outcomes(passed=1)
    table(pytester, mark, wide=1.5)
    other = run(pytester)
    other.assert_outcomes(failed=1)
    other.stdout.fnmatch_lines(["*recorded with other reference: the two accuracies can't be compared*"])
    table(pytester, mark.replace(", reference=TRAIN", ""))
    run(pytester).stdout.fnmatch_lines(["*recorded with other reference*", "*now the inputs*"])


def test_accidents_can_be_a_baseline(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pandas")
    mark = "Corruption('gaussian_noise', 5, columns=['size']), min_accuracy=0.5, baseline=True, name='base'"
    table(pytester, mark)
    run(pytester, "--golden=record").assert_outcomes(passed=1)
    run(pytester).assert_outcomes(passed=1)
    table(pytester, mark.replace(", 5", ", 4"))
    run(pytester).stdout.fnmatch_lines(["*recorded with other threat*"])


def test_a_corruption_that_makes_no_sense_is_named(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pandas")
    table(pytester, "Corruption('gaussian_blur'), min_accuracy=0.5")
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*'gaussian_blur' makes no sense for data of the kind 'table' (it is for image)*"])

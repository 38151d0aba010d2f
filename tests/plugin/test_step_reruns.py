"""Steps of a pipeline are held against reruns as checks are, in this process and in others, and silent runs leave nothing."""

from __future__ import annotations

import pytest

import pytest_mlrepro.determinism.child
import pytest_mlrepro.determinism.culprit
import pytest_mlrepro.determinism.holding
import pytest_mlrepro.determinism.ladder
import pytest_mlrepro.integration.rerunner
import pytest_mlrepro.integration.serving  # noqa: F401  # as in project.py: numpy can be imported only once
from tests.plugin.project import Project

HEAD = (
    "import itertools, os\nimport numpy as np\nimport pytest\nfrom pytest_mlrepro import Tolerance\n"
    "COUNT = itertools.count()\nWORDS = {f'word{i}' for i in range(30)}\n"
)
TWICE = "@pytest.mark.repro(reruns=2)\n"
FIXED = "    pipeline.step('fixed', lambda: np.random.default_rng().random(3))\n"


def made(project: Project, marker: str, body: str) -> Project:
    project.write(f"{HEAD}{marker}def test_m(pipeline):\n{body}")
    return project


def shown(project: Project, *args: str) -> str:
    result = project.run(*args)
    result.assert_outcomes(failed=1)
    return result.stdout.str()


def test_a_step_that_draws_at_random_is_named_and_the_fixed_one_before_it_is_not(project: Project) -> None:
    bad = "    pipeline.step('noise', lambda: np.frombuffer(os.urandom(8), 'u1'))\n"
    entropy = '@pytest.mark.repro(reruns=2, entropy="allow")\n'
    fixed = "    pipeline.step('fixed', lambda: np.arange(3.0))\n"
    text = shown(made(project, entropy, fixed + bad))
    assert "not reproducible: step 'noise' differs in a second run of the same code" in text
    assert ">       pipeline.step('noise'" in text
    assert "'fixed' differs" not in text
    assert not (project.root / ".mlrepro" / "pending").exists()  # what does not repeat is proposed to nobody


def test_a_test_of_fixed_steps_has_something_to_compare_and_passes(project: Project) -> None:
    made(project, TWICE, FIXED).record()
    project.run().assert_outcomes(passed=1)


def test_a_test_without_a_step_has_nothing_to_compare(project: Project) -> None:
    assert "gives nothing to compare" in shown(made(project, TWICE, "    pass\n"))


@pytest.mark.parametrize("reruns", ["", TWICE])
def test_a_recording_refuses_a_step_that_does_not_repeat_and_writes_nothing(project: Project, reruns: str) -> None:
    text = shown(made(project, reruns, "    pipeline.step('count', lambda: next(COUNT))\n"), "--golden=record")
    assert "not reproducible: step 'count' differs" in text
    assert "nothing was recorded" in text
    assert project.stored() == {}
    assert not (project.root / ".mlrepro" / "pending").exists()


def test_a_fixture_that_asks_for_the_pipeline_is_recorded_twice_too(project: Project) -> None:
    project.write(
        HEAD + "@pytest.fixture\ndef noise(pipeline):\n    return pipeline.step('count', lambda: next(COUNT))\n"
        "def test_m(noise):\n    pass\n"
    )
    result = project.run("--golden=record")
    result.stdout.fnmatch_lines(["*not reproducible: step 'count' differs*"])
    assert project.stored() == {}


@pytest.mark.parametrize("names", [("hashseed",), ("process", "hashseed", "malloc")])
def test_a_step_is_held_against_other_processes(project: Project, names: tuple[str, ...]) -> None:
    marker = f"@pytest.mark.repro(vary={names!r})\n"
    text = shown(made(project, marker, "    pipeline.step('words', lambda: list(WORDS))\n"))
    assert "not reproducible: step 'words' differs in a run under another hash seed" in text
    made(project, marker, "    pipeline.step('words', lambda: sorted(WORDS))\n").record()
    project.run().assert_outcomes(passed=1)


@pytest.mark.parametrize("check", ["False", "True"])
def test_the_kind_of_error_that_a_step_raises_is_held_too(project: Project, check: str) -> None:
    raising = (
        "    def fail():\n        raise {kind}('odd')\n"
        f"    with pytest.raises(LookupError):\n        pipeline.step('fail', fail, check={check})\n"
    )
    kind = "(IndexError if next(COUNT) else KeyError)"
    assert "step 'fail' differs" in shown(made(project, TWICE, raising.format(kind=kind)))
    made(project, TWICE, raising.format(kind="KeyError")).record()


def test_a_file_that_a_step_gives_is_held_by_its_content(project: Project) -> None:
    project.write("", "a.txt")
    writing = (
        "    from pathlib import Path\n    def write():\n        path = Path(__file__).parent / 'a.txt'\n"
        "        path.write_text(str({value}))\n        return path\n    pipeline.step('write', write)\n"
    )
    assert "step 'write' differs" in shown(made(project, TWICE, writing.format(value="next(COUNT)")))
    made(project, TWICE, writing.format(value="1")).record()


def test_a_stored_output_hides_nothing_from_a_rerun(project: Project) -> None:
    body = "    pipeline.step('slow', slow, cache=True)\n"
    slow = "def slow():\n    return {value}\n"
    made(project, slow.format(value="len(WORDS)"), body).record()
    place = project.root / ".mlrepro" / "cache" / "steps"
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["stored outputs of pipeline steps: 1 reused"])
    made(project, slow.format(value="len(WORDS)") + TWICE, body)
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*reused*")
    made(project, slow.format(value="next(COUNT) + len(list(WORDS)[0]) * 0"), body)
    project.run()  # it differs from the golden, and its output is stored
    assert any(place.iterdir())
    made(project, slow.format(value="next(COUNT) + len(list(WORDS)[0]) * 0") + TWICE, body)
    assert "not reproducible: step 'slow' differs" in shown(project)


def test_silent_runs_enter_nothing(project: Project) -> None:
    marker = "@pytest.mark.repro(reruns=3, vary=('process',))\n"
    made(project, marker, "    pipeline.step('fixed', lambda: 1.5, check=True)\n" + FIXED.replace("fixed", "other"))
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["golden checks: 2 missing"])  # once each, not four times
    assert project.stored() == {}
    project.record()
    before = project.stored()
    assert sum(name.endswith("timings.json") for name in before) == 1
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["golden checks: 2 passed"])
    assert project.stored() == before


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("'calibrated'", 'check must be True, False, a Tolerance, a mapping of globs to one each, or "calibrate"'),
        ("0.1", "check must be"),
        ("{'*': 0.1}", "check must be"),
        ("None", "check must be"),
        ("'calibrate'", 'check="calibrate" is learned from further runs of the test, and none is asked for'),
    ],
)
def test_a_check_that_is_none_is_refused(project: Project, check: str, told: str) -> None:
    text = shown(made(project, "", f"    pipeline.step('fixed', lambda: 1.5, check={check})\n"))
    assert "UsageError: pipeline.step('fixed'): " in text
    assert told in text


def test_a_step_is_calibrated_by_what_its_runs_are_apart(project: Project) -> None:
    body = "    pipeline.step('noisy', lambda: {'loss': 1.0 + SHIFT + 2.0**-52 * next(COUNT), 'n': 3}, check='calibrate')\n"
    marker = "SHIFT = 0.0\n@pytest.mark.repro(reruns=3)\n"
    made(project, marker, body).record()
    assert '"calibrated"' in project.golden().read_text("utf-8")
    project.run().assert_outcomes(passed=1)
    assert "first step that parts: noisy" in shown(made(project, marker.replace("0.0", "1e-9"), body))
    assert "not reproducible" in shown(
        made(project, "@pytest.mark.repro(reruns=3)\n", body.replace("'calibrate'", "True").replace("SHIFT", "0"))
    )

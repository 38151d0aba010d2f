"""A golden is called obsolete only after proof, and nothing is ever removed."""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner

from pytest_mlrepro import cli
from pytest_mlrepro.golden.record import _seal
from tests.plugin.project import Project

A = """
import pytest

def test_kept(golden):
    golden.check(1)

@pytest.mark.special
def test_special(golden):
    golden.check(2)
"""
B = """
def test_other(golden):
    golden.check(3)

def test_last(golden):
    golden.check(4)
"""


def obsolete(project: Project, *args: str) -> list[str]:
    """Run, and return the tests' names in the list of obsolete goldens; nothing may have been removed or written.

    The command `prune` must list the same, and remove nothing unless asked.
    """
    before = project.stored()
    result = project.run(*args)
    lines = result.stdout.str().splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("obsolete")]
    listed = [line.strip() for line in lines[starts[0] + 1 :]] if starts else []
    found = [name.rpartition("/")[2].rpartition("-")[0] for name in listed if "__golden__" in name]
    assert pruned(project) == found
    assert project.stored() == before
    return found


def pruned(project: Project) -> list[str]:
    """Return what `mlrepro prune` lists, which removes nothing."""
    result = CliRunner().invoke(cli.main, ["--root", str(project.root), "prune", "--json"])
    assert result.exit_code in (0, 1), result.output
    found = json.loads(result.output)
    assert result.exit_code == bool(found["obsolete"])
    return [entry["golden"].rpartition("/")[2].rpartition("-")[0] for entry in found["obsolete"]]


@pytest.fixture
def both(project: Project) -> Project:
    """Two modules with two recorded goldens each."""
    (project.root / "pytest.ini").unlink(missing_ok=True)
    project.pytester.makeini(
        "[pytest]\naddopts = -p pytest_mlrepro.plugin -p no:cacheprovider\nmarkers =\n    special\n"
    )
    project.write(A, "test_a.py")
    project.write(B, "test_b.py")
    project.record()
    assert len(project.goldens()) == 4
    return project


def drop(project: Project) -> None:
    """Rename a test of the second module, so that the old name's golden is obsolete in a complete run."""
    project.write(B.replace("test_last(golden)", "test_new()").replace("golden.check(4)", "pass"), "test_b.py")


def test_a_complete_run_without_change_has_no_obsolete_golden(both: Project) -> None:
    assert obsolete(both) == []


def test_a_golden_whose_test_is_gone_from_a_complete_run_is_obsolete(both: Project) -> None:
    drop(both)
    assert obsolete(both) == ["test_last"]


def test_a_golden_whose_test_passed_without_asking_for_it_is_obsolete(both: Project) -> None:
    both.write(B.replace("test_last(golden)", "test_last()").replace("golden.check(4)", "pass"), "test_b.py")
    assert obsolete(both) == ["test_last"]


def test_a_golden_of_a_module_that_is_gone_is_obsolete_if_another_module_shares_its_folder(both: Project) -> None:
    (both.root / "test_b.py").unlink()
    assert obsolete(both) == ["test_last", "test_other"]


def test_obsolete_goldens_are_only_listed_also_when_recording(both: Project) -> None:
    drop(both)
    assert obsolete(both, "--golden=record") == ["test_last"]
    assert obsolete(both, "--golden=update", "--golden-reason=x") == ["test_last"]


def test_a_test_that_failed_in_a_complete_run_keeps_its_golden_and_does_not_hide_others(both: Project) -> None:
    drop(both)
    both.write(A.replace("golden.check(1)", "assert False"), "test_a.py")
    assert obsolete(both) == ["test_last"]


FILTERS = [
    ("-k", "kept"),
    ("-k", "test"),
    ("-m", "not special"),
    ("test_a.py",),
    ("test_b.py",),
    ("test_b.py::test_other",),
    ("--ignore", "test_a.py"),
    ("--ignore-glob", "*_a.py"),
    ("--deselect", "test_a.py::test_kept"),
    ("--collect-only",),
    ("--maxfail=1", "-k", "kept"),
    (".",),
    ("--pyargs", "test_b.py"),
]


@pytest.mark.parametrize("args", FILTERS, ids=" ".join)
def test_a_filtered_run_calls_nothing_obsolete(both: Project, args: tuple[str, ...]) -> None:
    drop(both)
    assert obsolete(both, *args) == []


@pytest.mark.parametrize("flag", ["--lf", "--ff", "--nf", "--sw"])
def test_a_run_of_failed_tests_first_or_alone_calls_nothing_obsolete(both: Project, flag: str) -> None:
    drop(both)
    both.write(A.replace("golden.check(1)", "assert False"), "test_a.py")
    ini = both.root / "tox.ini"
    ini.write_text(ini.read_text().replace("-p no:cacheprovider", ""))
    both.run()
    found = obsolete(both, flag)
    assert found in ([], ["test_last"]) if flag in ("--ff", "--nf") else found == []  # those run everything


ENDINGS = {
    "skip": "__import__('pytest').skip('later')",
    "xfail": "__import__('pytest').xfail('later')",
    "failure": "assert False",
    "error": "raise RuntimeError",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_test_that_did_not_pass_keeps_its_golden(both: Project, ending: str) -> None:
    both.write(B.replace("golden.check(4)", ENDINGS[ending]).replace("last(golden)", "last()"), "test_b.py")
    assert obsolete(both) == []


MARKS = ["skip", "skipif(True, reason='x')", "xfail", "xfail(run=False)"]


@pytest.mark.parametrize("mark", MARKS)
def test_a_test_with_a_mark_that_keeps_it_from_passing_keeps_its_golden(both: Project, mark: str) -> None:
    text = B.replace("def test_last(golden)", f"import pytest\n@pytest.mark.{mark}\ndef test_last()")
    both.write(text.replace("golden.check(4)", "assert False"), "test_b.py")
    assert obsolete(both) == []


@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_test_whose_fixture_failed_keeps_its_golden(both: Project, phase: str) -> None:
    body = "    raise RuntimeError\n    yield\n" if phase == "before" else "    yield\n    raise RuntimeError\n"
    fixture = f"import pytest\n@pytest.fixture\ndef broken():\n{body}"
    both.write(fixture + B.replace("last(golden)", "last(broken)").replace("golden.check(4)", "pass"), "test_b.py")
    assert obsolete(both) == []


STOPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "-x after a failure": (A.replace("golden.check(1)", "assert False"), ("-x",)),
    "maxfail": (A.replace("golden.check(1)", "assert False"), ("--maxfail=1",)),
    "collection error": ("raise RuntimeError\n", ()),
    "syntax error": ("def (:\n", ()),
    "collection error, going on": ("raise RuntimeError\n", ("--continue-on-collection-errors",)),
    "module skips itself": ("import pytest\npytest.skip('no GPU', allow_module_level=True)\n", ()),
    "importorskip": ("import pytest\npytest.importorskip('no_such_library')\n", ()),
    "pytest.exit": (A.replace("golden.check(1)", "pytest.exit('enough')"), ()),
}


@pytest.mark.parametrize("stop", STOPS)
def test_a_run_that_stopped_or_did_not_collect_everything_calls_nothing_obsolete(both: Project, stop: str) -> None:
    drop(both)
    text, args = STOPS[stop]
    both.write(text, "test_a.py")
    assert obsolete(both, *args) == []


INTERRUPTS = {
    "in a test": A.replace("golden.check(1)", "raise KeyboardInterrupt"),
    "in collection": "raise KeyboardInterrupt\n",
}


@pytest.mark.parametrize("where", INTERRUPTS)
def test_an_interrupted_run_calls_nothing_obsolete(both: Project, where: str) -> None:
    drop(both)
    both.write(INTERRUPTS[where], "test_a.py")
    before = both.stored()
    result = both.pytester.runpytest_subprocess()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "obsolete, no test" not in result.stdout.str()
    assert pruned(both) == []
    assert both.stored() == before


def test_a_conftest_that_ignores_files_is_part_of_the_project_and_a_hook_that_deselects_is_a_filter(
    both: Project,
) -> None:
    drop(both)
    both.write(
        "def pytest_collection_modifyitems(items, config):\n"
        "    config.hook.pytest_deselected(items=items[:1])\n    del items[:1]\n",
        "conftest.py",
    )
    assert obsolete(both) == []


def spread(project: Project, *args: str) -> str:
    pytest.importorskip("xdist")
    before = project.stored()
    result = project.pytester.runpytest_subprocess("-p", "xdist", *(args or ("-n2",)))
    assert project.stored() == before
    return result.stdout.str()


def test_a_run_spread_over_processes_knows_what_they_collected(both: Project) -> None:
    spread(both)
    assert pruned(both) == []
    drop(both)
    assert "obsolete, no test" in spread(both)
    assert pruned(both) == ["test_last"]


@pytest.mark.parametrize(
    "args", [("-n2", "-k", "kept"), ("-n2", "test_b.py"), ("-n2", "--deselect", "test_a.py::test_kept"), ("-n2", "-x")]
)
def test_a_filtered_or_stopped_run_over_processes_calls_nothing_obsolete(both: Project, args: tuple[str, ...]) -> None:
    drop(both)
    if "-x" in args:
        both.write(A.replace("golden.check(1)", "assert False"), "test_a.py")
    assert "obsolete, no test" not in spread(both, *args)
    assert pruned(both) == []


@pytest.mark.parametrize("text", ["import pytest\npytest.skip('no GPU', allow_module_level=True)\n", "def (:\n"])
def test_a_module_that_was_not_collected_in_other_processes_leaves_the_list_empty(both: Project, text: str) -> None:
    drop(both)
    both.write(text, "test_a.py")
    assert "obsolete, no test" not in spread(both)
    assert pruned(both) == []


def test_a_lost_process_leaves_the_list_empty(both: Project) -> None:
    drop(both)
    both.write(A.replace("golden.check(1)", "__import__('os')._exit(3)"), "test_a.py")
    assert "crashed" in spread(both)
    assert pruned(both) == []


def test_a_run_from_a_folder_below_calls_nothing_obsolete(both: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    both.write(A, "deep/test_deep.py")
    both.record()
    drop(both)
    (both.root / "deep" / "test_deep.py").write_text("def test_new():\n    pass\n")
    monkeypatch.chdir(both.root / "deep")
    assert obsolete(both) == []


def variant(project: Project) -> None:
    """Turn the golden of test_last into one of another variant, sealed anew."""
    (path,) = [path for path in project.goldens() if "test_last" in path.parent.name]
    data = json.loads(path.read_text("utf-8"))
    text = path.read_text("utf-8").replace('"variant": {}', '"variant": {"device": "cuda"}')
    text = text.replace(f'\n "seal": "{data["seal"]}"', '\n "seal": ""')
    path.write_text(text.replace('\n "seal": ""', f'\n "seal": "{_seal(text)}"'), "utf-8")


def test_a_golden_of_another_variant_is_never_obsolete(both: Project) -> None:
    variant(both)
    drop(both)
    assert obsolete(both) == []


@pytest.mark.parametrize("damage", ["{}", "", "<<<<<<< HEAD\n"])
def test_a_damaged_golden_is_never_called_obsolete(both: Project, damage: str) -> None:
    (path,) = [path for path in both.goldens() if "test_last" in path.parent.name]
    path.write_text(damage)
    drop(both)
    assert obsolete(both) == []


def test_goldens_in_one_folder_for_all_are_judged_alike(project: Project) -> None:
    project.pytester.makeini(
        "[pytest]\naddopts = -p pytest_mlrepro.plugin -p no:cacheprovider\nmlrepro_golden_dir = data/__golden__\n"
        "markers =\n    special\n"
    )
    project.write(A, "tests/test_a.py")
    project.write(B, "tests/test_b.py")
    project.record()
    (project.root / "tests" / "test_b.py").unlink()
    result = project.run()
    result.stdout.fnmatch_lines(["obsolete*", "*test_last-*", "*test_other-*"])
    assert "obsolete, no test" not in project.run("tests/test_a.py").stdout.str()
    assert len(project.goldens()) == 4


def test_a_missing_golden_that_was_asked_for_by_name_fails(project: Project) -> None:
    project.write("def test_m(request):\n    request.getfixturevalue('golden').check(1)\n")
    project.run().assert_outcomes(failed=1)


# What the list rests on


def test_a_run_that_was_killed_leaves_no_list_behind(both: Project) -> None:
    drop(both)
    assert obsolete(both) == ["test_last"]
    both.write(A.replace("golden.check(1)", "__import__('os')._exit(3)"), "test_a.py")
    both.pytester.runpytest_subprocess()
    assert pruned(both) == []


@pytest.mark.parametrize("where", INTERRUPTS)
def test_an_interrupted_run_takes_the_list_of_the_run_before_away(both: Project, where: str) -> None:
    drop(both)
    assert obsolete(both) == ["test_last"]
    both.write(INTERRUPTS[where], "test_a.py")
    both.pytester.runpytest_subprocess()
    assert pruned(both) == []


@pytest.mark.parametrize("args", FILTERS, ids=" ".join)
def test_a_filtered_run_takes_the_list_of_the_run_before_away(both: Project, args: tuple[str, ...]) -> None:
    drop(both)
    assert obsolete(both) == ["test_last"]
    assert obsolete(both, *args) == []


def test_a_file_that_exists_and_was_not_collected_keeps_its_goldens(both: Project) -> None:
    both.write("collect_ignore = ['test_b.py']\n", "conftest.py")
    assert obsolete(both) == []


def test_goldens_of_a_folder_whose_tests_are_all_gone_are_obsolete(both: Project) -> None:
    both.write(B, "deep/test_deep.py")
    both.record()
    (both.root / "deep" / "test_deep.py").unlink()
    assert obsolete(both) == ["test_last", "test_other"]
    assert pruned_folders(both) == ["deep/__golden__/test_deep"] * 2


def pruned_folders(project: Project) -> list[str]:
    result = CliRunner().invoke(cli.main, ["--root", str(project.root), "prune", "--json"])
    return [entry["golden"].rpartition("/")[0] for entry in json.loads(result.output)["obsolete"]]


def test_goldens_outside_of_testpaths_are_kept(both: Project) -> None:
    both.write(B, "deep/test_deep.py")
    both.record()
    (both.root / "deep" / "test_deep.py").unlink()
    ini = both.root / "tox.ini"
    ini.write_text(ini.read_text() + "\ntestpaths = test_a.py test_b.py\n")
    assert obsolete(both) == []
    assert pruned_folders(both) == []


@pytest.mark.parametrize("args", [("--setup-only",), ("--setup-plan",), ("-o", "python_functions=test_kept")], ids=str)
def test_a_run_whose_tests_did_not_run_or_were_named_otherwise_calls_nothing_obsolete(
    both: Project, args: tuple[str, ...]
) -> None:
    assert obsolete(both, *args) == []


def test_tests_that_a_hook_takes_out_without_a_word_make_the_run_a_part(both: Project) -> None:
    drop(both)
    both.write("def pytest_collection_modifyitems(items):\n    del items[:1]\n", "conftest.py")
    assert obsolete(both) == []


@pytest.mark.parametrize("change", ["test", "conftest", "settings", "golden"])
def test_what_changed_since_the_run_is_kept_with_its_reason(both: Project, change: str) -> None:
    drop(both)
    assert obsolete(both) == ["test_last"]
    if change == "test":
        both.write(B, "test_b.py")
    elif change == "conftest":
        both.write("# changed\n", "conftest.py")
    elif change == "settings":
        (both.root / "pytest.ini").write_text("[pytest]\n")
    else:
        variant(both)
    assert pruned(both) == []
    result = CliRunner().invoke(cli.main, ["--root", str(both.root), "prune", "--yes"])
    assert result.exit_code == 0, result.output
    assert "since the run" in result.output
    assert len(both.goldens()) == 4


def test_yes_removes_what_is_listed_and_nothing_else(both: Project) -> None:
    drop(both)
    obsolete(both)
    before = both.stored()
    result = CliRunner().invoke(cli.main, ["--root", str(both.root), "prune"])
    assert (result.exit_code, both.stored()) == (1, before)
    assert "test_b.py::test_last  (its test is gone)" in result.output
    assert "nothing was removed. To remove them:  mlrepro prune --yes" in result.output
    result = CliRunner().invoke(cli.main, ["--root", str(both.root), "prune", "--yes"])
    assert result.exit_code == 0, result.output
    assert both.stored() == {name: data for name, data in before.items() if "test_last" not in name}
    assert not list((both.root / ".mlrepro").glob("pruned-*"))
    result = CliRunner().invoke(cli.main, ["--root", str(both.root), "prune", "--yes"])
    assert "no golden is obsolete" in result.output


def test_a_file_of_somebody_else_in_the_folder_keeps_it(both: Project) -> None:
    drop(both)
    obsolete(both)
    (path,) = [path for path in both.goldens() if "test_last" in path.parent.name]
    (path.parent / "notes.md").write_text("why\n")
    result = CliRunner().invoke(cli.main, ["--root", str(both.root), "prune", "--yes"])
    assert "its folder holds notes.md, which no golden writes" in result.output
    assert path.exists()


def test_without_a_run_on_record_nothing_is_listed(both: Project) -> None:
    drop(both)
    (both.root / ".mlrepro" / "run.json").unlink()
    result = CliRunner().invoke(cli.main, ["--root", str(both.root), "prune", "--yes"])
    assert (result.exit_code, len(both.goldens())) == (0, 4)
    assert result.output.startswith("no run is on record")


def test_the_reason_why_a_run_was_none_is_told(both: Project) -> None:
    both.run("-k", "kept")
    result = CliRunner().invoke(cli.main, ["--root", str(both.root), "prune", "--yes"])
    assert ") was no whole one: -k was given" in result.output


CASES = """
import pytest

@pytest.mark.parametrize("device", DEVICES)
def test_p(golden, device):
    golden.check(device)
"""


def test_cases_that_could_not_be_made_here_keep_their_goldens(both: Project) -> None:
    both.write(CASES.replace("DEVICES", "['cpu', 'cuda']"), "test_p.py")
    both.record()
    both.write(CASES.replace("DEVICES", "[]"), "test_p.py")
    assert obsolete(both) == []
    both.write(CASES.replace("DEVICES", "['cpu', pytest.param('mps', marks=pytest.mark.skip)]"), "test_p.py")
    assert obsolete(both) == []
    both.write(CASES.replace("DEVICES", "['cpu']"), "test_p.py")
    assert obsolete(both) == ["test_p-cuda"]


# States by test


def states(project: Project) -> dict[str, str]:
    result = CliRunner().invoke(cli.main, ["--root", str(project.root), "status", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["schema"] == 1
    return {entry["test"].rpartition("::")[2]: entry["state"] for entry in found["tests"]}


def test_a_golden_is_unverified_until_its_test_passes_with_it(both: Project) -> None:
    recorded = {"test_kept": "golden", "test_special": "golden", "test_other": "golden", "test_last": "golden"}
    assert states(both) == recorded
    (path,) = [path for path in both.goldens() if "test_last" in path.parent.name]
    os.utime(path)  # as a checkout of another commit does
    assert states(both) == {**recorded, "test_last": "unverified"}
    both.run("-k", "last")
    assert states(both) == recorded


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_golden_whose_test_did_not_pass_is_unverified_and_the_others_stay_as_they_were(
    both: Project, ending: str
) -> None:
    both.write(B.replace("golden.check(4)", ENDINGS[ending]), "test_b.py")
    both.run("test_b.py")
    assert states(both) == {
        "test_kept": "golden", "test_special": "golden", "test_other": "golden", "test_last": "unverified",
    }  # fmt: skip


def test_each_state_is_told(both: Project) -> None:
    both.write(A.replace("golden.check(1)", "golden.check(7)"), "test_a.py")
    drop(both)
    both.run()
    (path,) = [path for path in both.goldens() if "test_other" in path.parent.name]
    os.utime(path)
    assert states(both) == {
        "test_kept": "pending", "test_special": "golden", "test_other": "unverified", "test_last": "obsolete",
    }  # fmt: skip
    text = CliRunner().invoke(cli.main, ["--root", str(both.root), "status"]).output
    assert "obsolete    test_b.py::test_last\n            its test is gone; 1 check, record " in text
    assert "4 goldens, 1 proposal waiting for a decision, 1 obsolete, 1 unverified" in text
    assert "to look at what is obsolete, and remove it:  mlrepro prune" in text


def test_states_are_known_of_a_run_over_processes(both: Project) -> None:
    for path in both.goldens():
        os.utime(path)
    spread(both)
    assert set(states(both).values()) == {"golden"}

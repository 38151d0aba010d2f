"""The command mlrepro: what it says, what it changes, what it refuses, and with which exit status."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pytest_mlrepro import cli
from pytest_mlrepro.errors import GoldenError
from pytest_mlrepro.golden import pending, store
from tests.plugin.project import Project

Change = Callable[[str, str], None]
NODE = "test_m.py::test_model"


def mlrepro(project: Project, *args: str, code: int = 0) -> str:
    """Run the command, hold its exit status, and return what it printed on both streams."""
    result: Result = CliRunner().invoke(cli.main, ["--root", str(project.root), *args])
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code, result.output
    return result.output


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def proposals(project: Project) -> list[Path]:
    return sorted((project.root / ".mlrepro" / "pending").glob("*"))


def facts(project: Project) -> Path:
    (folder,) = proposals(project)
    return folder / "proposal.json"


def edit_facts(project: Project, **changes: object) -> None:
    data = json.loads(facts(project).read_text("utf-8"))
    facts(project).write_text(json.dumps(data | changes), "utf-8")


@pytest.fixture
def missing(project: Project) -> Project:
    """A project with a proposal, and no golden."""
    project.write("import numpy as np\ndef test_model(golden):\n    golden.check(np.arange(3.0), 'w')\n")
    project.run()
    assert project.stored() == {}
    return project


@pytest.fixture
def changed(model: Project, change: Change) -> Project:
    """A project with a golden, and a proposal to change it."""
    change("np.arange(6.0)", "(np.arange(6.0) + 1)")
    model.run()
    return model


def test_accepting_what_was_missing_makes_the_test_pass(missing: Project) -> None:
    text = mlrepro(missing, "accept", NODE, "--reason", "the first model")
    assert text.startswith(f"accepted {NODE} (1 new) into __golden__/test_m/test_model-")
    missing.run().assert_outcomes(passed=1)
    assert proposals(missing) == []
    assert store.problems(missing.golden().parent) == []
    (line,) = missing.golden().with_name("history.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["action"] == "accept"
    assert json.loads(line)["reason"] == "the first model"


def test_accepting_a_change_keeps_the_other_checks_and_removes_the_old_array(changed: Project) -> None:
    before = json.loads(changed.golden().read_text("utf-8"))["checks"]
    assert "(1 changed)" in mlrepro(changed, "accept", NODE, "--reason", "better")
    after = json.loads(changed.golden().read_text("utf-8"))["checks"]
    assert after["metrics"] == before["metrics"]
    assert after["weights"] != before["weights"]
    assert len(list(changed.golden().parent.glob("*.npy"))) == 1
    changed.run().assert_outcomes(passed=1)
    assert "1 golden verified" in mlrepro(changed, "verify")


def test_accepting_a_dropped_check_drops_it(model: Project, change: Change) -> None:
    change('golden.check(np.arange(6.0).reshape(2, 3), "weights")', "pass")
    model.run().assert_outcomes(failed=1)
    assert "(1 dropped)" in mlrepro(model, "accept", NODE, "--reason", "weights are no longer checked")
    assert list(json.loads(model.golden().read_text("utf-8"))["checks"]) == ["metrics"]
    assert list(model.golden().parent.glob("*.npy")) == []
    model.run().assert_outcomes(passed=1)


@pytest.mark.parametrize("step", ["copy_whole", "write_whole", "sync_folder", "sweep"])
def test_a_failure_while_accepting_keeps_the_proposal_and_a_whole_golden(
    changed: Project, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (proposal,) = proposals(changed)
    before, old = files(proposal), changed.golden().read_bytes()

    def fail(*args: object) -> None:
        raise GoldenError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(store, step, fail)
        assert "mlrepro: no space left" in mlrepro(changed, "accept", NODE, "--reason", "x", code=2)
    assert files(proposal) == before
    written = step in ("sync_folder", "sweep")
    assert (changed.golden().read_bytes() != old) == written
    left = [text for text in store.problems(changed.golden().parent) if "was not carried out" not in text]
    assert left == []
    mlrepro(changed, "accept", NODE, "--reason", "x")
    assert proposals(changed) == []
    assert store.problems(changed.golden().parent) == []
    changed.run().assert_outcomes(passed=1)


def test_a_proposal_that_cannot_be_removed_stays_and_can_be_accepted_again(
    changed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(pending.shutil, "rmtree", fail)
        assert "can't remove the proposal" in mlrepro(changed, "accept", NODE, "--reason", "x", code=2)
        assert "can't remove the proposal" in mlrepro(changed, "reject", NODE, code=2)
    before = changed.stored()
    mlrepro(changed, "accept", NODE, "--reason", "x")
    assert changed.stored() == before
    assert proposals(changed) == []


def test_a_golden_that_changed_since_the_proposal_is_not_overwritten(changed: Project, change: Change) -> None:
    kept = shutil.copytree(proposals(changed)[0], changed.root / "kept")
    change("(np.arange(6.0) + 1)", "(np.arange(6.0) + 2)")
    changed.run("--golden=update", "--golden-reason", "meanwhile")
    shutil.copytree(kept, changed.root / ".mlrepro" / "pending" / facts_name(changed, kept), dirs_exist_ok=True)
    before = changed.stored()
    assert "has changed since this proposal was made: run the test again" in mlrepro(
        changed, "accept", "--all", "--reason", "x", code=2
    )
    assert changed.stored() == before


def facts_name(project: Project, kept: Path) -> str:
    golden = json.loads((kept / "proposal.json").read_text("utf-8"))["golden"]
    return pending.pending_folder(project.root, project.root / golden).name


@pytest.mark.parametrize(
    "place", ["../elsewhere", "/tmp/elsewhere", "a/../../elsewhere", "__golden__/../../x-01234567", "link/x-01234567"]
)
def test_a_proposal_that_points_outside_of_the_root_is_refused(
    missing: Project, place: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (missing.root / "link").symlink_to(tmp_path_factory.mktemp("outside"))
    edit_facts(missing, golden=place)
    around = files(missing.root.parent)
    text = mlrepro(missing, "accept", "--all", "--reason", "x", code=2)
    assert "points outside of" in text
    assert repr(place) in text
    assert files(missing.root.parent) == around


@pytest.mark.parametrize("place", ["", ".", "data", "__golden__/test_m/test_other-01234567", ".git/hooks"])
def test_a_proposal_for_another_folder_is_refused_and_no_file_there_is_removed(missing: Project, place: str) -> None:
    (missing.root / "data").mkdir()
    (missing.root / "data" / "train.npy").write_bytes(b"precious")
    edit_facts(missing, golden=place)
    before = files(missing.root)
    assert "was changed by hand" in mlrepro(missing, "accept", "--all", "--reason", "x", code=2)
    assert files(missing.root) == before


def test_files_of_others_in_a_golden_folder_survive(changed: Project) -> None:
    own = [changed.golden().parent / name for name in ("notes.txt", "reference.npy", "scratch.tmp")]
    for path in own:
        path.write_text("mine")
    mlrepro(changed, "accept", NODE, "--reason", "x")
    assert all(path.exists() for path in own)


DAMAGES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"schema": 1}',
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage[:14].decode("latin-1"))
@pytest.mark.parametrize(
    "command", [("status",), ("show", "model"), ("accept", "--all", "--reason=x"), ("reject", "--all")]
)
def test_a_damaged_proposal_is_named_with_what_to_do(missing: Project, damage: bytes, command: tuple[str, ...]) -> None:
    facts(missing).write_bytes(damage)
    text = mlrepro(missing, *command, code=2)
    assert "proposal.json is damaged, or not a proposal" in text
    assert f"Remove the folder {facts(missing).parent}" in text
    assert missing.stored() == {}


@pytest.mark.parametrize(
    "changes",
    [{"schema": 2}, {"golden": 5}, {"test": None}, {"new": "abc"}, {"new": [1]}, {"folder": "x"}, {"extra": 1}],
    ids=str,
)
def test_a_proposal_with_a_wrong_field_is_named(missing: Project, changes: dict[str, object]) -> None:
    edit_facts(missing, **changes)
    assert "proposal.json is damaged" in mlrepro(missing, "accept", "--all", "--reason", "x", code=2)
    assert missing.stored() == {}


def test_a_proposed_golden_or_array_that_was_changed_is_refused(changed: Project) -> None:
    (proposal,) = proposals(changed)
    before = changed.stored()
    (array,) = proposal.glob("*.npy")
    good = array.read_bytes()
    array.write_bytes(good[:-1] + b"\1")
    assert "is not the file" in mlrepro(changed, "accept", "--all", "--reason", "x", code=2)
    array.write_bytes(good)
    golden = proposal / "golden.json"
    text = golden.read_text("utf-8")
    golden.write_text(text.replace("0.25", "0.26"), "utf-8")
    assert f"the proposal of {NODE} is damaged: run the test again" in mlrepro(
        changed, "accept", "--all", "--reason", "x", code=2
    )
    golden.unlink()
    assert "it lacks its golden.json" in mlrepro(changed, "accept", "--all", "--reason", "x", code=2)
    assert changed.stored() == before


def test_a_kept_array_that_is_gone_is_named_before_anything_is_written(model: Project, change: Change) -> None:
    change('"epochs": 3', '"epochs": 4')
    model.run()
    (array,) = model.golden().parent.glob("*.npy")
    array.unlink()
    before = model.stored()
    assert f"{array.name}, which the golden needs, can't be read" in mlrepro(
        model, "accept", "--all", "--reason", "x", code=2
    )
    assert model.stored() == before


@pytest.fixture
def several(project: Project) -> Project:
    project.write(
        "import pytest\ndef test_m(golden):\n    golden.check(1)\ndef test_more(golden):\n    golden.check(1)\n"
        "@pytest.mark.parametrize('k', ['a', 'a-b'])\ndef test_p(golden, k):\n    golden.check(1)\n"
    )
    project.run()
    return project


def decided(text: str) -> list[str]:
    return re.findall(r"^(?:accepted|rejected) test_m\.py::(\S+)", text, re.M)


@pytest.mark.parametrize(
    ("tests", "meant"),
    [
        (["test_m.py::test_m"], ["test_m"]),
        (["::test_m"], ["test_m", "test_more"]),
        (["test_p[a]"], ["test_p[a]"]),
        (["test_p"], ["test_p[a-b]", "test_p[a]"]),
        (["more", "test_m.py::test_more"], ["test_more"]),
        (["--all"], ["test_m", "test_more", "test_p[a-b]", "test_p[a]"]),
    ],
)
@pytest.mark.parametrize("command", [["accept", "--reason", "x"], ["reject"]], ids=["accept", "reject"])
def test_an_exact_id_means_one_test_and_a_part_all_that_have_it(
    several: Project, tests: list[str], meant: list[str], command: list[str]
) -> None:
    assert decided(mlrepro(several, *command, *tests)) == meant
    assert len(proposals(several)) == 4 - len(meant)
    assert len([path for path in several.goldens() if ".mlrepro" not in path.parts]) == (
        len(meant) if command[0] == "accept" else 0
    )


@pytest.mark.parametrize("command", [["accept", "--reason", "x"], ["reject"]], ids=["accept", "reject"])
def test_wrong_arguments_are_named_and_change_nothing(several: Project, command: list[str]) -> None:
    assert "name the tests (node ids, or parts of them), or -k EXPR, or say --all" in mlrepro(several, *command, code=2)
    assert "name tests or say --all, not both" in mlrepro(several, *command, "--all", "test_m", code=2)
    assert "no proposal is of a test 'test_x'" in mlrepro(several, *command, "test_m", "test_x", code=2)
    assert len(proposals(several)) == 4
    assert several.stored() == {}


@pytest.mark.parametrize("reason", [[], ["--reason", ""], ["--reason", "  \n"]])
def test_accepting_needs_a_reason(several: Project, reason: list[str]) -> None:
    assert "--reason" in mlrepro(several, "accept", "--all", *reason, code=2)
    assert len(proposals(several)) == 4


@pytest.mark.parametrize("command", [["accept", "--reason", "x"], ["reject"]], ids=["accept", "reject"])
def test_nothing_to_decide_is_said(model: Project, command: list[str]) -> None:
    assert "no proposal waits for a decision" in mlrepro(model, *command, "--all", code=2)


def test_rejecting_leaves_the_golden_as_it_was(changed: Project) -> None:
    before = changed.stored()
    assert mlrepro(changed, "reject", NODE) == f"rejected {NODE} (1 changed)\n"
    assert changed.stored() == before
    assert proposals(changed) == []
    changed.run().assert_outcomes(failed=1)


def test_verify_of_whole_goldens_succeeds_and_says_what_it_cannot_tell(model: Project) -> None:
    text = mlrepro(model, "verify")
    assert text.startswith("1 golden verified: as written, with an unbroken history\nunanchored: ")


def test_verify_of_a_project_without_goldens_claims_nothing(project: Project) -> None:
    assert mlrepro(project, "verify").endswith(": nothing was verified\n")


def test_verify_names_each_problem_and_exits_with_1(model: Project) -> None:
    (array,) = model.golden().parent.glob("*.npy")
    array.unlink()
    model.golden().with_name("history.jsonl").unlink()
    text = mlrepro(model, "verify", code=1)
    assert f"{array.name}, which the golden needs, can't be read" in text
    assert "nobody can say who recorded this golden" in text
    assert text.endswith("2 problems in 1 golden\n")
    assert "unanchored" not in text


def test_a_folder_that_holds_only_a_history_is_an_interrupted_recording(model: Project) -> None:
    model.golden().unlink()
    assert "a recording was interrupted" in mlrepro(model, "verify", code=1)
    assert mlrepro(model, "status").startswith("damaged     __golden__/test_m/test_model-")


def test_a_training_log_called_history_and_a_golden_json_of_others_are_left_alone(model: Project) -> None:
    (model.root / "runs").mkdir()
    (model.root / "runs" / "history.jsonl").write_text('{"loss": 1}\n')
    (model.root / "runs" / "golden.json").write_text("{}")
    assert mlrepro(model, "verify").startswith("1 golden verified")
    assert "1 golden," in mlrepro(model, "status")


def test_status_of_an_empty_project_says_how_to_begin(project: Project) -> None:
    text = mlrepro(project, "status")
    assert text.startswith("no golden and no proposal under ")
    assert "pytest --golden=record" in text


def test_status_lists_states_tests_and_reasons(changed: Project) -> None:
    changed.write("def test_z(golden):\n    golden.check(1)\n", "test_z.py")
    changed.run()
    lines = mlrepro(changed, "status").splitlines()
    assert lines[0] == f"pending     {NODE}"
    assert re.fullmatch(r" {12}1 changed; 2 checks, record \S+: first recording", lines[1])
    assert lines[2:4] == ["pending     test_z.py::test_z", "            1 new; nothing is recorded yet"]
    assert lines[4] == "1 golden, 2 proposals waiting for a decision"
    mlrepro(changed, "reject", "--all")
    lines = mlrepro(changed, "status").splitlines()
    assert lines[0] == f"unverified  {NODE}"
    assert "1 golden, 0 proposals waiting for a decision, 1 unverified" in lines


def test_status_shows_a_damaged_golden_beside_the_others(model: Project) -> None:
    model.write("def test_z(golden):\n    golden.check(1)\n", "test_z.py")
    model.record()
    (model.root / "__golden__" / "test_m").glob("*/golden.json").__next__().write_text("{", "utf-8")
    text = mlrepro(model, "status")
    assert "damaged     __golden__/test_m/test_model-" in text
    assert "is not whole" in text
    assert "golden      test_z.py::test_z" in text


def test_show_prints_values_tolerances_and_history(model: Project) -> None:
    text = mlrepro(model, "show", "test_model")
    assert text.startswith(f"{NODE}\n  in __golden__/test_m/test_model-")
    assert "value['loss'] = 0.25 (float)" in text
    assert "numpy.ndarray float64 2x3  [0.0, 1.0, 2.0, 3.0, …]" in text
    assert "record by" in text
    assert "first recording" in text


def test_show_prints_a_proposal_and_its_greatest_change(changed: Project) -> None:
    text = mlrepro(changed, "show", NODE)
    assert "(proposal of " in text
    assert "changed: weights" in text
    assert "greatest change: " in text
    assert "[1.0, 2.0, 3.0, 4.0, …]" in text


def test_show_of_an_unknown_test_is_an_error(model: Project) -> None:
    assert "no golden or proposal is of a test with 'nothing' in its id" in mlrepro(model, "show", "nothing", code=2)


@pytest.mark.parametrize(
    ("reason", "escaped"),
    [
        ("two\nlines", r"two\nlines"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\u2028b", r"a\u2028b"),
        ("\udcff", r"\udcff"),
        ("[bold]no markup[/bold] Größe", "[bold]no markup[/bold] Größe"),
    ],
)
def test_a_reason_cannot_break_the_lines_or_colours_of_the_output(changed: Project, reason: str, escaped: str) -> None:
    mlrepro(changed, "accept", NODE, "--reason", reason)
    for command in (("status",), ("show", NODE)):
        text = mlrepro(changed, *command)
        assert "\x1b" not in text
        (line,) = [line for line in text.splitlines() if re.search(r"accept 2|  accept by", line)]
        assert line.endswith(f": {escaped}")
    mlrepro(changed, "verify")


def test_the_console_script_writes_plain_text_to_a_pipe_and_errors_to_stderr(changed: Project) -> None:
    script = Path(sysconfig.get_path("scripts")) / "mlrepro"

    def run(*args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | variables
        (changed.root / "deep").mkdir(exist_ok=True)
        return subprocess.run(
            [script, *args],
            cwd=changed.root / "deep",
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    status = run("status", COLUMNS="80")
    assert (status.returncode, status.stderr) == (0, "")
    assert f"pending     {NODE}\n" in status.stdout
    assert "\x1b" not in status.stdout
    refused = run("accept", "nothing", "--reason", "x")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("mlrepro: no proposal is of a test 'nothing'")
    assert run("accept", NODE, "--reason", "Größe", PYTHONIOENCODING="ascii:strict").returncode == 0
    assert run("status", PYTHONIOENCODING="utf-8").stdout.count("Größe") == 1
    assert run("verify").returncode == 0


def test_no_line_of_the_fixed_words_is_wider_than_80_columns(changed: Project) -> None:
    texts = [
        mlrepro(changed, "verify"),
        mlrepro(changed, "status"),
        mlrepro(changed, "accept", "--all", "--reason", "x"),
    ]
    lines = [line for text in texts for line in text.splitlines() if str(changed.root) not in line and "::" not in line]
    assert lines
    assert [line for line in lines if len(line) > 100] == []
    mlrepro(changed, "reject", "--all", code=2)

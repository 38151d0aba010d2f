"""Proposals: shown as their failures were, decided on by keys and by scripts, taken from other machines, refused when stale."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_mlrepro import cli
from pytest_mlrepro.errors import UsageError
from pytest_mlrepro.golden import layout, store
from pytest_mlrepro.golden.configured import golden_dir_of
from pytest_mlrepro.golden.record import _seal
from tests.plugin.project import Project

CODE = """
import numpy as np
from helper import scale

RATE = 0.5

class Base:
    def go(self, x):
        return scale(x) * RATE

class Model(Base):
    shift = 1

    def fit(self, x):
        return self.go(x) + self.shift
"""
HELPER = """
FACTOR = 2

def scale(x):
    return x * FACTOR
"""
OTHER = HELPER.replace("x * FACTOR", "x + FACTOR")
TESTS = """
import numpy as np
import pytest
from code_under_test import Model

@pytest.mark.parametrize("n", [10, 20])
def test_fit(golden, n):
    golden.check(Model().fit(np.arange(float(n))), "fitted")
    golden.check({"n": n}, "facts")

def test_grid(golden):
    golden.check(Model().fit(np.arange(60.0).reshape(6, 10)))
"""


def mlrepro(project: Project, *args: str, given: str = "", code: int = 0) -> str:
    result = CliRunner().invoke(cli.main, ["--root", str(project.root), *args], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code, result.output
    return result.output


def pending(project: Project) -> list[Path]:
    return sorted((project.root / ".mlrepro" / "pending").glob("*"))


def reasons(project: Project) -> list[str]:
    lines = [line for path in project.root.rglob("history.jsonl") for line in path.read_text("utf-8").splitlines()]
    return sorted(json.loads(line)["reason"] for line in lines)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A project with three goldens and a proposal to change each, and what the failures said; made once, since it takes seconds."""
    root = tmp_path_factory.mktemp("template")
    (root / "tox.ini").write_text("[pytest]\naddopts = -p pytest_mlrepro.plugin -p no:cacheprovider\n")
    for name, text in (("code_under_test.py", CODE), ("helper.py", HELPER), ("test_m.py", TESTS)):
        (root / name).write_text(text, "utf-8")
    code, text = run(root, "--golden=record")
    assert code == 0, text
    (root / "code_under_test.py").write_text(CODE.replace("0.5", "0.75"), "utf-8")
    return root, run(root)[1]


def run(root: Path, *args: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", *args], cwd=root, capture_output=True, text=True, check=False,
        encoding="utf-8", env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.fixture
def changed(project: Project, template: tuple[Path, str]) -> Project:
    """Three goldens, and a proposal to change each."""
    shutil.copytree(template[0], project.root, dirs_exist_ok=True)
    project.failures = template[1]
    assert len(pending(project)) == 3
    return project


# As the failure shows it


def message(text: str, test: str) -> list[str]:
    """Return the lines of a test's failure, from its conclusion to what to do next."""
    after = text.partition(f"____ {test} ____")[2]
    lines = [line[1:].strip() for line in after.splitlines() if line.startswith("E ")]
    lines[0] = lines[0].removeprefix("AssertionError: ")
    return [line for line in lines[: lines.index("Next:")] if line]


@pytest.mark.parametrize("test", ["test_fit[10]", "test_grid"])
def test_a_proposal_is_shown_as_its_failure_was(changed: Project, test: str) -> None:
    shown = [line.strip() for line in mlrepro(changed, "review", f"test_m.py::{test}", given="s\n").splitlines()]
    wanted = message(changed.failures, test)
    assert wanted[0].endswith("the unnamed value changed: code_under_test.RATE changed; environment is the same; "
                              "no data and no artifacts were seen"[-40:])  # fmt: skip
    assert len(wanted) > 8
    start = shown.index(wanted[0])
    assert [line for line in shown[start:] if line][: len(wanted)] == wanted


def test_a_curve_is_drawn_over_the_recorded_one_and_a_matrix_as_a_map(changed: Project) -> None:
    shown = mlrepro(changed, "review", given="s\ns\ns\n")
    assert re.search(r"golden    [▁▂▃▄▅▆▇█]{10}\n", shown)
    assert re.search(r"this run  [▁▂▃▄▅▆▇█]{10}  1 … 14.5\n", shown)
    assert re.search(r"differs   [ ░▒▓█]{10}  █ is 4.5 apart\n", shown)
    assert len(re.findall(r"│[ ░▒▓█]{10}│", shown)) == 6


def test_what_is_not_recorded_yet_is_shown_with_its_values(project: Project) -> None:
    project.write("def test_m(golden):\n    golden.check({'loss': 0.25}, 'metrics')\n")
    project.run()
    shown = mlrepro(project, "review", given="a\n\n")
    assert "nothing is recorded yet" in shown
    assert "value['loss'] = 0.25 (float)" in shown
    assert reasons(project) == ["accepted in review, no reason given"]


DATA = """
import os
import numpy as np
import pandas as pd
MOVED = float(os.environ.get("MOVED", "0"))
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame({"price": rng.normal(size=2000) * (1 + MOVED), "city": rng.choice(["a", "b"], 2000)})
def metric(seed):
    return float(np.random.default_rng(seed).normal()) + 3 * MOVED
def test_drift(drift):
    drift.check(frame(), reference="train")
def test_contract(contract):
    contract.check(frame(), "prices")
def test_spread(golden):
    golden.check_distribution(metric, "one", seeds=12)
def test_spreads(golden):
    golden.check_distribution(metric, "two", seeds=12)
def test_step(pipeline):
    pipeline.step("metric", metric, 3, check=True)
"""


def test_checks_of_other_rules_are_shown_as_their_failures_were_too(project: Project, monkeypatch) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("narwhals")
    pytest.importorskip("tomlkit")
    project.write(DATA)
    code, text = run(project.root, "--golden=record")
    assert code == 0, text
    monkeypatch.setenv("MOVED", "2")
    code, text = run(project.root)
    assert "5 failed" in text, text
    for test in ("test_drift", "test_contract", "test_spread", "test_spreads"):
        shown = [line.strip() for line in mlrepro(project, "review", f"test_m.py::{test}", given="s\n").splitlines()]
        wanted = message(text, test)
        assert len(wanted) > 3
        at = [shown.index(line) for line in wanted]
        assert at == sorted(at)
    assert "first step that parts: metric" in mlrepro(project, "review", "test_step", given="s\n")


# Keys


def test_each_key_does_what_it_says(changed: Project) -> None:
    shown = mlrepro(changed, "review", given="a\nthe rate is better\ns\nr\n")
    assert "[1 of 3] test_m.py::test_fit[10]  (1 changed)" in shown
    assert "1 golden accepted, 1 rejected, 1 left as they were" in shown
    assert reasons(changed).count("the rate is better") == 1
    (left,) = pending(changed)
    assert left.name.startswith("test_fit-20")
    assert "1 failed, 1 passed" in run(changed.root, "-k", "fit")[1]


def test_all_of_this_test_takes_its_other_parameters_and_nothing_else(changed: Project) -> None:
    shown = mlrepro(changed, "review", given="t\nagain\nq\n")
    assert "[t] accept all of this test (2), [l] accept all that are left (3)" in shown
    assert "[3 of 3] test_m.py::test_grid" in shown
    assert reasons(changed).count("again") == 2
    assert [path.name.partition("-")[0] for path in pending(changed)] == ["test_grid"]


def test_all_that_are_left_share_one_reason(changed: Project) -> None:
    shown = mlrepro(changed, "review", given="s\nl\nall fine\n")
    assert "2 goldens accepted, 0 rejected, 1 left as they were" in shown
    assert reasons(changed).count("all fine") == 2
    assert run(changed.root, "-k", "not 10")[0] == 0


def test_an_empty_reason_repeats_the_last_one(changed: Project) -> None:
    assert "reason (Enter: first): " in mlrepro(changed, "review", given="a\nfirst\na\n\nq\n")
    assert reasons(changed).count("first") == 2


def test_a_key_that_means_nothing_is_asked_again_and_quitting_leaves_the_rest(changed: Project) -> None:
    shown = mlrepro(changed, "review", given="x\n\nq\n")
    assert "'x' is none of these keys" in shown
    assert "0 goldens accepted, 0 rejected, 3 left as they were" in shown
    assert len(pending(changed)) == 3


def test_without_a_terminal_and_without_answers_it_says_what_scripts_use(changed: Project) -> None:
    shown = mlrepro(changed, "review", given="", code=2)
    assert "there is no terminal to ask in, and no answer on standard input" in shown
    assert "mlrepro accept -k EXPR --reason" in shown
    assert len(pending(changed)) == 3


def test_answers_that_end_too_early_keep_what_was_decided(changed: Project) -> None:
    mlrepro(changed, "review", given="a\nfine\n", code=2)
    assert len(pending(changed)) == 2


def test_nothing_to_review_is_said(project: Project) -> None:
    assert "no proposal waits for a decision" in mlrepro(project, "review")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
def test_on_a_terminal_single_keys_answer(changed: Project) -> None:
    import pty

    main, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from pytest_mlrepro.cli import main; main()", "review"],
        cwd=changed.root, stdin=other, stdout=other, stderr=other, env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    os.close(other)
    said = read_until(main, "[q] quit? ")
    press(main, b"a")
    said += read_until(main, "none): ")
    os.write(main, b"seen on a terminal\n")
    said += read_until(main, "[q] quit? ")
    press(main, b"\x1b[A")  # an arrow is no answer
    said += read_until(main, "none of these keys")
    press(main, b"q")
    said += read_until(main, "left as they were")
    assert process.wait(30) == 0, said
    os.close(main)
    assert reasons(changed).count("seen on a terminal") == 1
    assert len(pending(changed)) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
@pytest.mark.parametrize("answer", ["n", "y"])
def test_on_a_terminal_prune_asks_first(changed: Project, answer: str) -> None:
    import pty

    changed.write("def test_fit():\n    pass\n")
    assert run(changed.root)[0] == 0
    main, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from pytest_mlrepro.cli import main; main()", "prune"],
        cwd=changed.root, stdin=other, stdout=other, stderr=other, env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    os.close(other)
    said = read_until(main, "remove these 3? [y/N]: ")
    assert "test_m.py::test_grid  (its test is gone)" in said
    os.write(main, f"{answer}\n".encode())
    said += read_until(main, "removed 3 goldens" if answer == "y" else "nothing was removed")
    assert process.wait(30) == (0 if answer == "y" else 1), said
    os.close(main)
    assert len(changed.stored()) == (0 if answer == "y" else 12)
    assert bool(pending(changed)) == (answer == "n")


def press(terminal: int, key: bytes) -> None:
    """Press a key once the program waits for a single one: what was typed before that is thrown away."""
    import termios

    deadline = time.monotonic() + 30
    while termios.tcgetattr(terminal)[3] & termios.ICANON:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.write(terminal, key)


def read_until(terminal: int, words: str) -> str:
    """Read what a terminal shows until some words stand there."""
    text = ""
    deadline = time.monotonic() + 30
    while words not in text:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, text
        text += os.read(terminal, 4096).decode("utf-8", "replace")
    return text


# For scripts


def test_pending_as_json_has_a_stable_form(changed: Project) -> None:
    found = json.loads(mlrepro(changed, "pending", "--json"))
    assert found["schema"] == 1
    assert [entry["test"].partition("::")[2] for entry in found["pending"]] == [
        "test_fit[10]",
        "test_fit[20]",
        "test_grid",
    ]
    (first, *_) = found["pending"]
    assert sorted(first) == [
        "change", "changed", "code_changed_since", "dropped", "golden", "new", "replaces", "steps", "test", "time",
        "variant", "why",
    ]  # fmt: skip
    assert first["changed"] == ["fitted"]
    assert first["why"].startswith("fitted changed: code_under_test.RATE changed")
    assert first["code_changed_since"] == []
    assert json.loads(mlrepro(changed, "pending", "--json", "-k", "grid"))["pending"] == found["pending"][2:]


def test_pending_without_proposals_is_an_empty_list(project: Project) -> None:
    assert json.loads(mlrepro(project, "pending", "--json")) == {"schema": 1, "pending": []}


@pytest.mark.parametrize(
    ("keyword", "left"),
    [
        ("fit", 1), ("GRID", 2), ("not fit", 2), ("fit and 10", 2), ("grid or 10", 1), ("not (grid or 10)", 2),
        ("not not grid", 2), ("test_m.py::test_fit[10]", 2), ("fit and not 10 or grid", 1),
    ],
)  # fmt: skip
def test_accept_by_expression(changed: Project, keyword: str, left: int) -> None:
    mlrepro(changed, "accept", "-k", keyword, "--reason", "fine")
    assert len(pending(changed)) == left
    assert reasons(changed).count("fine") == 3 - left


@pytest.mark.parametrize("keyword", ["", "fit and", "(fit", "fit)", "not", "and fit", "fit grid", "(" * 2000])
def test_a_wrong_expression_is_refused(keyword: str) -> None:
    with pytest.raises(UsageError, match="-k: "):
        cli.choosing.keyword_filter(keyword)


def test_an_expression_that_matches_nothing_names_what_there_is(changed: Project) -> None:
    text = mlrepro(changed, "accept", "-k", "nothing_like_it", "--reason", "x", code=2)
    assert "no proposal matches -k 'nothing_like_it'; there are" in text
    assert "test_m.py::test_grid" in text


# From another machine


def packed(project: Project, place: str = "") -> Path:
    """Move the proposals away, as an artifact of another machine holds them."""
    folder = project.root.parent / f"artifact-of-{project.root.name}"
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(project.root / ".mlrepro" / "pending", folder / place)
    return folder


@pytest.mark.parametrize("place", ["all", "pending", ".mlrepro/pending"])
def test_proposals_of_another_machine_are_accepted_here(changed: Project, place: str) -> None:
    folder = packed(changed, place)
    source = folder / "all" if place == "all" else folder
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(json.loads(mlrepro(changed, "pending", "--json", "--from", str(source)))["pending"]) == 3
    text = mlrepro(changed, "accept", "--from", str(source), "--all", "--reason", "as on CI")
    assert text.count("accepted ") == 3
    assert reasons(changed).count("as on CI") == 3
    assert run(changed.root)[0] == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    mlrepro(changed, "accept", "--from", str(source), "--all", "--reason", "twice")  # is accepted already
    assert "twice" not in reasons(changed)


def test_proposals_of_another_machine_are_reviewed_here(changed: Project) -> None:
    folder = packed(changed, "pending")
    shown = mlrepro(changed, "review", "--from", str(folder), given="a\nfine\nr\nq\n")
    assert "for this sitting; what was downloaded stays" in shown
    assert reasons(changed).count("fine") == 1
    assert len(list((folder / "pending").iterdir())) == 3


def test_a_proposal_of_other_code_than_that_of_here_is_refused(changed: Project) -> None:
    folder = packed(changed, "pending")
    changed.write(CODE, "code_under_test.py")
    text = mlrepro(changed, "accept", "--from", str(folder), "-k", "grid", "--reason", "x", code=2)
    assert "was made from code that has changed since:\n  code_under_test.RATE changed (code_under_test.py)" in text


def one(folder: Path) -> Path:
    return next(path for path in sorted((folder / "pending").iterdir()) if path.name.startswith("test_grid"))


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def link_a_file(folder: Path, root: Path) -> None:
    (array,) = one(folder).glob("*.npy")
    array.unlink()
    array.symlink_to("/etc/passwd")


def link_the_facts(folder: Path, root: Path) -> None:
    moved = (one(folder) / "proposal.json").rename(folder / "elsewhere.json")
    (one(folder) / "proposal.json").symlink_to(moved)


def link_a_folder(folder: Path, root: Path) -> None:
    moved = one(folder).rename(folder / "elsewhere")
    (folder / "pending" / "test_grid-01234567").symlink_to(moved)


def add_a_file(folder: Path, root: Path) -> None:
    (one(folder) / "conftest.py").write_text("raise SystemExit\n")


def add_a_folder(folder: Path, root: Path) -> None:
    (one(folder) / "deeper-01234567.npy").mkdir()


def add_a_pipe(folder: Path, root: Path) -> None:
    os.mkfifo(one(folder) / "pipe-01234567.npy")


def climb(folder: Path, root: Path) -> None:
    edit(one(folder) / "proposal.json", golden=f"../{root.name}-evil/test_grid-01234567")


def go_to_the_root(folder: Path, root: Path) -> None:
    edit(one(folder) / "proposal.json", golden="/tmp/test_grid-01234567")


def go_into_git(folder: Path, root: Path) -> None:
    edit(one(folder) / "proposal.json", golden=".git/hooks/test_grid-01234567")


def go_elsewhere(folder: Path, root: Path) -> None:
    golden = json.loads((one(folder) / "proposal.json").read_text("utf-8"))["golden"]
    place = f"src/{golden}"
    edit(one(folder) / "proposal.json", golden=place, base=None)
    path = one(folder) / "golden.json"
    data = json.loads(path.read_text("utf-8"))
    text = path.read_text("utf-8").replace(data["seal"], "").replace('"../../../test_m.py"', '"../../../../test_m.py"')
    path.write_text(text.replace('"seal": ""', f'"seal": "{_seal(text)}"'), "utf-8")
    one(folder).rename(folder / "pending" / layout.pending_folder(root, root / place).name)


def colour_the_terminal(folder: Path, root: Path) -> None:
    edit(one(folder) / "proposal.json", test="\x1b[31mtest_grid\x1b[0m", why="\x1b]0;title\x07")


def be_of_another_test(folder: Path, root: Path) -> None:
    edit(one(folder) / "proposal.json", test="test_m.py::test_other_grid")


def be_another_s_values(folder: Path, root: Path) -> None:
    other = next(path for path in sorted((folder / "pending").iterdir()) if path.name.startswith("test_fit-10"))
    for path in one(folder).iterdir():
        if path.name != "proposal.json":
            path.unlink()
    (kept,) = root.glob("__golden__/test_m/test_fit-10-*")
    for path in (*kept.iterdir(), *other.iterdir()):
        if path.name not in ("proposal.json", "history.jsonl"):
            shutil.copy(path, one(folder))


def swap_an_array(folder: Path, root: Path) -> None:
    (array,) = one(folder).glob("*.npy")
    array.write_bytes(array.read_bytes()[:-1] + b"\x01")


def rename_the_folder(folder: Path, root: Path) -> None:
    one(folder).rename(folder / "pending" / "test_grid-01234567")


def be_huge(folder: Path, root: Path) -> None:
    with (one(folder) / "golden.json").open("r+b") as file:
        file.truncate(65 * 2**20)


HOSTILE = [
    link_a_file, link_the_facts, link_a_folder, add_a_file, add_a_folder, add_a_pipe, climb, go_to_the_root, go_into_git,
    go_elsewhere, colour_the_terminal,
    be_of_another_test, be_another_s_values, swap_an_array, rename_the_folder, be_huge,
]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")
@pytest.mark.parametrize("attack", HOSTILE, ids=lambda attack: attack.__name__)
def test_a_hostile_artifact_is_refused_and_nothing_is_written(changed: Project, attack) -> None:
    folder = packed(changed, "pending")
    attack(folder, changed.root)
    before = files(changed.root, folder)
    text = mlrepro(changed, "accept", "--from", str(folder), "-k", "grid", "--reason", "x", code=2)
    assert text.startswith("mlrepro: ")
    assert "\x1b" not in text
    assert files(changed.root, folder) == before
    assert not (changed.root.parent / f"{changed.root.name}-evil").exists()


def files(*folders: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("pytest.ini", "[pytest]\nmlrepro_golden_dir = one/two\n", "one/two"),
        ("pytest.ini", "", "__golden__"),
        ("tox.ini", "[tox]\n[pytest]\nmlrepro_golden_dir=kept\n", "kept"),
        ("setup.cfg", "[tool:pytest]\nmlrepro_golden_dir=kept/\n", "kept"),
        ("pyproject.toml", "[tool.pytest.ini_options]\nmlrepro_golden_dir = 'kept'\n", "kept"),
        ("pyproject.toml", "[tool.pytest]\nmlrepro_golden_dir = 'kept'\n", "kept"),
        ("pyproject.toml", "[tool.pytest", "__golden__"),
        ("conftest.py", "", "__golden__"),
    ],
)
def test_the_place_of_goldens_is_read_from_the_settings_file(tmp_path: Path, name: str, text: str, found: str) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert golden_dir_of(tmp_path) == found


@pytest.mark.parametrize("source", ["nowhere", "empty"])
def test_a_folder_without_proposals_is_said_to_be_one(changed: Project, source: str) -> None:
    (changed.root / "empty").mkdir()
    text = mlrepro(changed, "accept", "--from", str(changed.root / source), "--all", "--reason", "x", code=2)
    assert "--from must be a folder" in text or "no proposal lies in" in text


# Code that has changed since

SINCE = {
    "constant": (
        "code_under_test.py",
        "RATE = 0.75",
        "RATE = 0.8",
        "code_under_test.RATE changed (code_under_test.py)",
    ),
    "method": ("code_under_test.py", "+ self.shift", "- self.shift", "code_under_test.Model.fit changed"),
    "inherited method": ("code_under_test.py", "scale(x) * RATE", "scale(x) / RATE", "code_under_test.Base.go changed"),
    "class attribute": ("code_under_test.py", "shift = 1", "shift = 2", "code_under_test.Model changed"),
    "override": (
        "code_under_test.py",
        "    shift = 1",
        "    shift = 1\n    def go(self, x):\n        return x\n",
        "Model changed",
    ),
    "base": ("code_under_test.py", "class Model(Base)", "class Model(Base, dict)", "code_under_test.Model changed"),
    "helper": ("helper.py", "x * FACTOR", "x * FACTOR + 1", "helper.scale changed (helper.py)"),
    "helper's constant": ("helper.py", "FACTOR = 2", "FACTOR = 3", "helper.FACTOR changed"),
    "helper is gone": ("helper.py", "def scale", "def scaled", "helper.scale is gone"),
    "import": ("code_under_test.py", "from helper import", "from other import", "code_under_test.Base.go changed"),
    "the test": ("test_m.py", "np.arange(60.0)", "np.arange(1, 61.0)", "test_m.test_grid changed"),
}


@pytest.mark.parametrize("what", SINCE)
def test_a_proposal_made_from_code_that_has_changed_since_is_refused_and_names_it(changed: Project, what: str) -> None:
    name, old, new, words = SINCE[what]
    text = (changed.root / name).read_text("utf-8")
    assert old in text
    changed.write(text.replace(old, new), name)
    changed.write(OTHER, "other.py")
    before = changed.stored()
    said = mlrepro(changed, "accept", "test_grid", "--reason", "x", code=2)
    assert "the proposal of test_m.py::test_grid was made from code that has changed since:\n" in said
    assert words in said
    assert "pytest 'test_m.py::test_grid'" in said
    assert changed.stored() == before
    assert len(pending(changed)) == 3
    (entry,) = json.loads(mlrepro(changed, "pending", "--json", "-k", "grid"))["pending"]
    assert words in entry["code_changed_since"][0]
    assert "not accepted: the proposal" in mlrepro(changed, "review", "test_grid", given="a\nx\n", code=2)


def test_a_file_that_is_gone_is_named(changed: Project) -> None:
    (changed.root / "helper.py").unlink()
    assert "helper.py is gone" in mlrepro(changed, "accept", "test_grid", "--reason", "x", code=2)


SAME = {
    "comment": ("RATE = 0.75", "RATE = 0.75  # chosen by search"),
    "docstring": ("def go(self, x):", 'def go(self, x):\n        """Say what."""'),
    "blank lines": ("class Base", "\n\n\nclass Base"),
    "other code": ("RATE = 0.75", "RATE = 0.75\ndef unused():\n    return 3"),
    "other import": ("import numpy as np", "import json\nimport numpy as np"),
}


@pytest.mark.parametrize("what", SAME)
def test_what_changes_no_code_behind_the_values_refuses_nothing(changed: Project, what: str) -> None:
    old, new = SAME[what]
    text = (changed.root / "code_under_test.py").read_text("utf-8")
    assert old in text
    changed.write(text.replace(old, new), "code_under_test.py")
    mlrepro(changed, "accept", "--all", "--reason", "the same code")


def test_others_are_accepted_beside_one_that_is_refused(changed: Project) -> None:
    text = (changed.root / "test_m.py").read_text("utf-8")
    changed.write(text.replace("np.arange(60.0)", "np.arange(1, 61.0)"), "test_m.py")
    said = mlrepro(changed, "accept", "--all", "--reason", "x", code=2)
    assert said.count("accepted ") == 2
    assert "test_m.test_grid changed" in said
    assert len(pending(changed)) == 1
    for path in changed.goldens():
        if ".mlrepro" not in path.parts:
            assert store.problems(path.parent) == []

"""`mlrepro explain --bisect` in real repositories: the right carrier, in honest words, and nothing of the user's touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.checkout import FILES, MAIN, TEST, Checkout, joined

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A project whose golden was recorded at a clean commit, and committed then."""
    project = Checkout(tmp_path / "project")
    project.commit()
    project.record()
    project.commit("golden")
    return project


def carries(name: str) -> str:
    return f"{name} carries the change: with it put back, {TEST} passes"


def test_a_helper_three_calls_away(checkout: Checkout) -> None:
    checkout.change("helpers.py", "x * 2", "x * 3")
    checkout.change("helpers.py", "def idle(x):\n    return x\n", "def idle(x):\n    return -x\n")
    checkout.fail()
    lines = checkout.bisect()
    assert lines[0] == carries("helpers.deep")
    assert "nothing: as it is now fails: predictions" in lines
    assert "helpers.deep passes" in lines


def test_one_cell_of_the_data(checkout: Checkout) -> None:
    checkout.change("data/train.csv", "3,4", "3,40")
    checkout.change("train.py", "return scale(x) * RATE", "y = scale(x) * RATE\n    return y")
    checkout.fail()
    lines = checkout.bisect()
    assert lines[0] == carries("data/train.csv")
    assert "train.fit_head fails: predictions" in lines
    assert "data/train.csv passes" in lines


def test_two_functions_of_one_file_are_two_suspects(checkout: Checkout) -> None:
    checkout.change("helpers.py", "return deep(x) + 1", "y = deep(x)\n    return y + 1")
    checkout.change("helpers.py", "x * 2", "x * 2.5")
    checkout.commit("both")
    checkout.fail()
    lines = checkout.bisect()
    assert lines[0] == carries("helpers.deep")
    assert "helpers.scale fails: predictions" in lines


def test_a_constant_and_a_change_that_is_committed(checkout: Checkout) -> None:
    checkout.change("train.py", "RATE = 0.5", "RATE = 0.25")
    checkout.change("helpers.py", "deep(x) + 1", "deep(x) + 1 + 0")
    checkout.commit("rate")
    checkout.fail()
    assert checkout.bisect()[0] == carries("train.RATE")


def test_code_and_data_together(checkout: Checkout) -> None:
    checkout.change("helpers.py", "x * 2", "x * 3")
    checkout.change("data/train.csv", "3,4", "3,40")
    checkout.change("train.py", "return scale(x) * RATE", "return 1 * scale(x) * RATE")
    checkout.fail()
    lines = checkout.bisect()
    assert lines[0].startswith("helpers.deep and data/train.csv carry the change together: with both put back")
    assert "train.fit_head fails: predictions" in lines
    assert "helpers.deep + data/train.csv passes" in lines


def test_either_of_two_is_enough(checkout: Checkout) -> None:
    checkout.change("helpers.py", "x * 2", "x * 2 + LOW")
    checkout.change(
        "helpers.py", "def scale(x):\n    return deep(x) + 1", "LOW = 0\n\n\ndef scale(x):\n    return deep(x) + 1"
    )
    checkout.commit("ground")
    shutil.rmtree(checkout.root / "tests" / "__golden__")
    checkout.record()
    checkout.commit("golden")
    checkout.change("helpers.py", "LOW = 0", "LOW = 5")
    checkout.change("helpers.py", "x * 2 + LOW", "x * 2 + LOW * FACTOR")
    checkout.change("helpers.py", "LOW = 5", "LOW = 5\nFACTOR = 2")
    checkout.fail()
    lines = checkout.bisect()
    assert lines[0].startswith("helpers.LOW") or "each carry" in lines[0]


def test_many_suspects_are_put_back_in_halves(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(20)]
    body = "".join(f"def {name}(x):\n    return x + {number}\n\n\n" for number, name in enumerate(names))
    calls = "def fit_head(x):\n    return " + " + ".join(f"{name}(x)" for name in names) + "\n"
    project = Checkout(tmp_path / "p", {**FILES, "train.py": body + calls})
    project.commit()
    project.record()
    project.commit("golden")
    text = body.replace("return x +", "return 0 + x +").replace("return 0 + x + 13\n", "return 0 + x + 13.5\n")
    project.write("train.py", text + calls)
    project.fail()
    lines = project.bisect()
    assert lines[0] == carries("train.f13")
    runs = [line for line in lines if line.endswith(("passes", "fails: predictions"))]
    assert len(runs) < 16


def test_a_method_and_the_frame_of_its_class(tmp_path: Path) -> None:
    model = "class Model:\n    gain = 2.0\n\n    def predict(self, x):\n        return x * self.gain\n\n\n"
    files = {**FILES, "train.py": model + "def fit_head(x):\n    return Model().predict(x)\n"}
    project = Checkout(tmp_path / "p", files)
    project.commit()
    project.record()
    project.commit("golden")
    project.change("train.py", "gain = 2.0", "gain = 2.5")
    project.change("train.py", "x * self.gain", "self.gain * x")
    project.fail()
    lines = project.bisect()
    assert lines[0] == carries("train.Model")
    assert "train.Model.predict fails: predictions" in lines


def test_a_variable_of_the_environment(tmp_path: Path) -> None:
    test = (
        "import os\n\ndef test_m(golden):\n    golden.check(os.environ.get('OMP_NUM_THREADS', 'none'), 'predictions')\n"
    )
    project = Checkout(tmp_path / "p", {**FILES, "tests/test_m.py": test})
    project.commit()
    project.record(OMP_NUM_THREADS="3")
    project.commit("golden")
    project.fail(OMP_NUM_THREADS="1")
    assert project.bisect(OMP_NUM_THREADS="2")[0] == carries("OMP_NUM_THREADS (3)")


def test_nothing_changed_and_unseeded(tmp_path: Path) -> None:
    test = """
import os


def test_m(golden):
    golden.check(os.urandom(4).hex() if "NOISE" in os.environ else "quiet", "predictions")
"""
    project = Checkout(tmp_path / "p", {**FILES, "tests/test_m.py": test})
    project.commit()
    project.record()
    project.commit("golden")
    project.fail(NOISE="1")
    lines = project.bisect(code=1, NOISE="1")
    assert lines[0].startswith(f"{TEST} is not reproducible: two runs")
    assert len([line for line in lines if "fails: predictions" in line]) == 2


def test_passing_and_failing_by_turns(tmp_path: Path) -> None:
    test = """
from pathlib import Path

import train


def test_m(golden):
    state = Path(STATE)
    count = int(state.read_text() or 0) if state.exists() else 1
    state.write_text(str(count + 1))
    golden.check(train.RATE if count % 2 else 7.0, "predictions")
"""
    state = tmp_path / "count"
    project = Checkout(tmp_path / "p", {**FILES, "tests/test_m.py": test.replace("STATE", repr(str(state)))})
    project.commit()
    state.write_text("1", "utf-8")
    record = project.run("-m", "pytest", "-q", "--golden=record", "-p", "no:cacheprovider")
    assert record.returncode != 0  # recording sees it at once; so the golden is recorded while it is quiet
    project.write("tests/test_m.py", test.replace("STATE", repr(str(state))).replace("count % 2", "True"))
    project.record()
    project.write("tests/test_m.py", test.replace("STATE", repr(str(state))))
    project.commit("golden")
    project.change("train.py", "RATE = 0.5", "RATE = 1 / 2")
    state.write_text("2", "utf-8")
    project.fail()
    state.write_text("2", "utf-8")
    lines = project.bisect(code=1)
    assert "not reproducible" in lines[0]


def test_the_difference_that_does_not_appear_in_a_copy(checkout: Checkout) -> None:
    odd = "def test_m(golden):\n    import os\n    if os.path.isdir('secret'):\n        train.RATE = 5.0\n"
    checkout.change("tests/test_m.py", "def test_m(golden):\n", odd)
    checkout.write("secret/x", "1")
    checkout.fail()
    lines = checkout.bisect(code=1)
    assert lines[0].startswith("the difference does not appear here")
    assert "what git doesn't know" in joined(lines)


def test_recorded_and_committed_in_one_go(tmp_path: Path) -> None:
    project = Checkout(tmp_path / "p")
    project.commit()
    project.change("helpers.py", "x * 2", "x * 4")
    project.record()
    project.commit("code and golden")
    project.change("helpers.py", "x * 4", "x * 5")
    project.fail()
    lines = project.bisect()
    assert lines[0] == carries("helpers.deep")
    assert "recorded with uncommitted changes" in joined(lines)
    assert "the commit that the golden came with" in joined(lines)
    assert "Not known" not in joined(lines)


def test_recorded_before_the_first_commit(tmp_path: Path) -> None:
    project = Checkout(tmp_path / "p")
    project.record()
    project.commit("all")
    project.change("helpers.py", "x * 2", "x * 4")
    project.fail()
    lines = project.bisect()
    assert lines[0] == carries("helpers.deep")
    assert "before there was a commit" in joined(lines)


def test_the_state_of_the_recording_was_never_committed(tmp_path: Path) -> None:
    project = Checkout(tmp_path / "p")
    project.commit()
    project.change("helpers.py", "x * 2", "x * 4")
    project.record()
    project.change("helpers.py", "x * 4", "x * 5")
    project.fail()
    lines = project.bisect(code=1)
    assert lines[0].startswith("no carrier was found")
    assert "uncommitted changes on top of" in joined(lines)
    assert "Not known to be what the golden was made from" in joined(lines)


def test_changes_that_are_not_committed_and_new_files_count(checkout: Checkout) -> None:
    checkout.write("fresh.py", "def shift(x):\n    return x + 3\n")
    scale = "def scale(x):\n    return deep(x) + 1"
    checkout.change("helpers.py", scale, "from fresh import shift\n\n\n" + scale.replace("(x) +", "(shift(x)) +"))
    checkout.fail()
    assert checkout.bisect()[0] == carries("helpers.scale")


def test_ignored_data_is_copied_and_what_git_has_no_old_content_of_is_said(checkout: Checkout) -> None:
    checkout.write("secret/train.csv", "a,b\n1,2\n3,4\n5,6\n")
    checkout.change("tests/test_m.py", "data/train.csv", "secret/train.csv")
    shutil.rmtree(checkout.root / "tests" / "__golden__")
    checkout.commit("elsewhere")
    checkout.record()
    checkout.commit("golden")
    checkout.write("secret/train.csv", "a,b\n1,2\n3,4\n5,66\n")
    checkout.fail()
    lines = checkout.bisect(code=1)
    assert lines[0].startswith("nothing can be put back")
    assert "secret/train.csv: git doesn't know it" in joined(lines)


def test_no_git_at_all(tmp_path: Path) -> None:
    project = Checkout(tmp_path / "p")
    project.record()
    project.change("helpers.py", "x * 2", "x * 4")
    project.fail()
    assert "lies in no git repository" in joined(project.bisect(code=2))
    assert "helpers.deep changed" in project.mlrepro("explain", "test_m")


def test_a_broken_repository(checkout: Checkout) -> None:
    checkout.change("helpers.py", "x * 2", "x * 4")
    checkout.fail()
    (checkout.root / ".git" / "HEAD").unlink()
    assert "no git repository, or git doesn't answer" in checkout.mlrepro("explain", "--bisect", "test_m", code=2)


def test_a_commit_that_is_not_there(tmp_path: Path) -> None:
    project = Checkout(tmp_path / "p")
    project.commit()
    project.record()
    shutil.rmtree(project.root / ".git")
    project.write(".gitignore", "__golden__/\n__pycache__/\n.mlrepro/\n")
    project.commit("anew")
    project.change("helpers.py", "x * 2", "x * 4")
    project.fail()
    assert "is not in this repository" in joined(project.bisect(code=2))


def test_in_a_linked_worktree_and_from_a_folder_below(checkout: Checkout, tmp_path: Path) -> None:
    checkout.git("worktree", "add", "--detach", str(tmp_path / "linked"))
    linked = Checkout(tmp_path / "linked", {})
    linked.change("helpers.py", "x * 2", "x * 4")
    linked.fail()
    before = checkout.git("worktree", "list")
    assert carries("helpers.deep") in " ".join(linked.mlrepro("explain", "--bisect", "test_m").split())
    assert checkout.git("worktree", "list") == before
    assert "x * 4" in (linked.root / "helpers.py").read_text("utf-8")


def test_a_root_below_the_top_and_a_src_layout_with_an_editable_install(tmp_path: Path) -> None:
    files = {
        "sub/pytest.ini": FILES["pytest.ini"].replace("pythonpath = .\n", ""),
        "sub/src/pack/__init__.py": "",
        "sub/src/pack/train.py": FILES["train.py"].replace("from helpers", "from .helpers"),
        "sub/src/pack/helpers.py": FILES["helpers.py"],
        "sub/data/train.csv": FILES["data/train.csv"],
        "sub/tests/test_m.py": FILES["tests/test_m.py"].replace("import train", "from pack import train"),
        ".gitignore": FILES[".gitignore"],
    }
    whole = Checkout(tmp_path / "whole", files)
    whole.commit()
    sub = Checkout(tmp_path / "whole" / "sub", {})
    # what an editable install does: the folder stands on the path of everything that runs
    path = os.pathsep.join(filter(None, (str(sub.root / "src"), os.environ.get("PYTHONPATH", ""))))
    sub.record(PYTHONPATH=path)
    whole.commit("golden")
    sub.change("src/pack/helpers.py", "x * 2", "x * 4")
    sub.fail(PYTHONPATH=path)
    before = whole.state()
    text = " ".join(sub.mlrepro("explain", "--bisect", "test_m", PYTHONPATH=path).split())
    assert text.startswith(carries("pack.helpers.deep"))
    assert whole.state() == before


def test_a_file_that_is_gone_and_code_that_moved(checkout: Checkout) -> None:
    (checkout.root / "helpers.py").rename(checkout.root / "tools.py")
    checkout.change("train.py", "from helpers", "from tools")
    checkout.change("tools.py", "x * 2", "x * 4")
    checkout.fail()
    lines = checkout.bisect()
    assert "put back, tests/test_m.py::test_m passes" in joined(lines)
    assert "whole files were put back" in joined(lines)


def test_a_renamed_test_file_keeps_its_golden_s_commit(checkout: Checkout) -> None:
    checkout.git("mv", "data/train.csv", "data/other.csv")
    checkout.change("tests/test_m.py", "train.csv", "other.csv")
    checkout.change("helpers.py", "x * 2", "x * 4")
    checkout.commit("renamed")
    checkout.fail()
    assert checkout.bisect()[0] == carries("helpers.deep")


def test_settings_that_no_provenance_holds(checkout: Checkout) -> None:
    checkout.write("conftest.py", "import os\nos.environ['FACTOR'] = '1'\n")
    checkout.change("helpers.py", "def deep(x):", "def deep(x):\n    import os\n    x = x * int(os.environ['FACTOR'])")
    shutil.rmtree(checkout.root / "tests" / "__golden__")
    checkout.commit("factor")
    checkout.record()
    checkout.commit("golden")
    checkout.change("conftest.py", "'1'", "'7'")
    checkout.fail()
    lines = checkout.bisect()
    assert lines[0] == carries("the file conftest.py")


def test_a_run_that_takes_too_long(checkout: Checkout) -> None:
    checkout.change("helpers.py", "x * 2", "x * 4")
    checkout.fail()
    checkout.change("tests/test_m.py", "def load():", "import time\ntime.sleep(60)\n\n\ndef load():")
    lines = checkout.bisect("--timeout", "2", code=2)
    assert "no end after 2 s" in joined(lines)


def test_a_package_is_named_with_the_command_to_try(checkout: Checkout) -> None:
    checkout.change("helpers.py", "x * 2", "x * 4")
    checkout.fail()
    for path in (checkout.root / ".mlrepro" / "pending").rglob("provenance-*.json"):
        assert '"name": "package numpy"' in path.read_text("utf-8")
    code = (
        "from pytest_mlrepro.provenance.suspects import Suspect\n"
        "from pytest_mlrepro.bisect.restore import _package\n"
        "print(_package(Suspect('package', 'changed', 'scikit-learn', '1.8.0', '1.9.1', 'scikit-learn')).why)"
    )
    assert checkout.run("-c", code).stdout.strip() == "pip install scikit-learn==1.8.0"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_leaves_no_worktree_and_no_process(checkout: Checkout, tmp_path: Path, name: str) -> None:
    checkout.change("helpers.py", "x * 2", "x * 4")
    checkout.fail()
    mark = tmp_path / "started"
    slow = f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n\n\ndef load():"
    checkout.change("tests/test_m.py", "def load():", slow)
    before = checkout.state()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "explain", "--bisect", "test_m"],
        cwd=checkout.root, env={**checkout.environment, "TMPDIR": str(scratch)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (mark.exists() and mark.read_text("utf-8")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    assert len(checkout.git("worktree", "list").splitlines()) == 2
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted; the copy of the project is removed" in errors
    assert checkout.state() == before
    assert list(scratch.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text("utf-8")), 0)

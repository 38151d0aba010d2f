"""`mlrepro show`, `diff` and `explain` in real repositories."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.e2e.checkout import TEST, Checkout

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A project with a golden, changed and recorded anew in a second commit."""
    project = Checkout(tmp_path / "project")
    project.commit()
    project.record()
    project.commit("golden")
    project.change("helpers.py", "x * 2", "x * 3")
    project.commit("factor")
    project.record("--golden=update", "--golden-reason=x")
    project.commit("golden of the factor")
    return project


def test_one_golden_at_two_revisions(checkout: Checkout) -> None:
    before = checkout.state()
    text = checkout.mlrepro("diff", f"{TEST}@HEAD~2", TEST, code=1)
    lines = text.splitlines()
    assert lines[0].startswith("predictions changed: helpers.deep changed; data and environment are the same")
    assert "  code         helpers.deep changed (helpers.py:5)" in lines
    assert "6 of 6 elements differ" in text
    assert "equal: loss" in lines
    assert any(line.startswith(f"A  {TEST} at HEAD~2 (") for line in lines)
    assert f"B  {TEST}" in lines
    assert checkout.state() == before


def test_the_same_golden_is_equal(checkout: Checkout) -> None:
    assert checkout.mlrepro("diff", f"{TEST}@HEAD", "test_m").splitlines()[0] == "the same"
    name = checkout.git("rev-parse", "HEAD~2")
    assert checkout.mlrepro("diff", f"test_m@{name[:12]}", "test_m@HEAD~2").splitlines()[0] == "the same"


def test_folders_and_node_ids_with_an_at_sign(checkout: Checkout) -> None:
    marks = "@pytest.mark.parametrize('x', [1, 2], ids=['a@HEAD', 'b@c'])"
    test = f"import pytest\n\n{marks}\ndef test_at(golden, x):\n    golden.check(x, 'predictions')\n"
    checkout.write("tests/test_at.py", test)
    checkout.record("tests/test_at.py")
    checkout.commit("at")
    assert "predictions changed" in checkout.mlrepro("diff", "test_at[a@HEAD]", "test_at[b@c]", code=1)
    assert "the same" in checkout.mlrepro("diff", "test_at[a@HEAD]@HEAD", "test_at[a@HEAD]")
    folder = next((checkout.root / "tests" / "__golden__" / "test_m").glob("test_m-*"))
    relative = folder.relative_to(checkout.root).as_posix()
    assert "the same" in checkout.mlrepro("diff", relative, f"{relative}@HEAD")
    assert "name one of" in checkout.mlrepro("diff", "test_at", "test_m", code=2)


def test_a_renamed_test_file_is_found_by_its_node_id_of_then(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / "tests" / "__golden__")
    checkout.git("mv", "tests/test_m.py", "tests/test_new.py")
    checkout.record()
    checkout.commit("renamed")
    text = checkout.mlrepro("diff", "tests/test_m.py::test_m@HEAD~1", "tests/test_new.py::test_m")
    assert "the same" in text
    text = checkout.mlrepro("diff", "tests/test_new.py::test_m@HEAD~1", "tests/test_new.py::test_m", code=2)
    assert "there was no golden of tests/test_new.py::test_m, but of\n  tests/test_m.py::test_m" in text


def test_checks_on_one_side_and_loosened_tolerances(checkout: Checkout) -> None:
    checkout.change(
        "tests/test_m.py",
        'golden.check(1.0, "loss")',
        'golden.check(1.0, "loss", rtol=0.1, atol=0)\n    golden.check(2.0, "more")',
    )
    checkout.record("--golden=update", "--golden-reason=y")
    text = checkout.mlrepro("diff", "test_m@HEAD", "test_m", code=1)
    assert "only in B: more" in text
    assert "loss is the same, and held to another tolerance" in text
    assert "default tolerance → tolerance atol=0.0, rtol=0.1" in text
    assert "equal: predictions" in text


def test_within_the_tolerance_is_equal(checkout: Checkout) -> None:
    checkout.change("helpers.py", "x * 3", "x * 3.0000000001")
    shutil.rmtree(checkout.root / "tests" / "__golden__")
    checkout.record()
    text = checkout.mlrepro("diff", "test_m@HEAD", "test_m")
    assert "the same, within what is allowed" in text
    assert "other bits, within what is allowed: predictions" in text


def test_against_the_proposal(checkout: Checkout) -> None:
    checkout.change("helpers.py", "x * 3", "x * 4")
    checkout.fail()
    text = checkout.mlrepro("diff", "test_m", code=1)
    assert text.startswith("predictions changed: helpers.deep changed")
    assert f"golden    {TEST}" in text
    assert "proposal  of" in text


@pytest.mark.parametrize(
    ("operand", "words"),
    [
        ("test_m@nowhere", "git knows no revision 'nowhere'"),
        ("test_m@-x", "git knows no revision"),
        ("test_m@HEAD~3", "there was no golden of test_m (goldens of then: 0)"),
        ("test_zz@HEAD", "there was no golden of test_zz"),
        ("nothing", "no golden is of a test 'nothing'"),
        ("@HEAD", "no golden is of a test '@HEAD'"),
    ],
)
def test_what_is_not_there(checkout: Checkout, operand: str, words: str) -> None:
    assert words in checkout.mlrepro("diff", operand, "test_m", code=2)


def test_no_git_and_a_broken_repository(checkout: Checkout) -> None:
    (checkout.root / ".git" / "HEAD").unlink()
    assert "lies in no git repository" in checkout.mlrepro("diff", "test_m@HEAD", "test_m", code=2)
    assert "the same" in checkout.mlrepro("diff", "test_m", "test_m")


def test_pointers_of_git_lfs(checkout: Checkout) -> None:
    folder = next((checkout.root / "tests" / "__golden__" / "test_m").glob("test_m-*"))
    array = next(folder.glob("predictions-*.npy"))
    data = array.read_bytes()
    oid = hashlib.sha256(data).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(data)}\n"
    array.write_text(pointer, "utf-8")
    name = checkout.commit("lfs")
    array.write_bytes(data)
    text = checkout.mlrepro("diff", "test_m@HEAD", "test_m@HEAD~1", code=2)
    assert "is not on this machine" in text
    assert f"git lfs fetch origin {name}" in text
    store = checkout.root / ".git" / "lfs" / "objects" / oid[:2] / oid[2:4]
    store.mkdir(parents=True)
    (store / oid).write_bytes(data)
    assert "the same" in checkout.mlrepro("diff", "test_m@HEAD", "test_m@HEAD~1")


def test_explain_says_the_conclusion_then_the_evidence_then_what_to_do(checkout: Checkout) -> None:
    text = checkout.mlrepro("explain", "test_m", code=2)
    assert "Run it first" in text
    assert f"pytest '{TEST}'" in text
    assert "no golden or proposal is of a test" in checkout.mlrepro("explain", "nowhere", code=2)
    checkout.change("helpers.py", "x * 3", "x * 4")
    checkout.change("data/train.csv", "3,4", "3,40")
    checkout.fail()
    lines = checkout.mlrepro("explain", "test_m").splitlines()
    assert lines[0].startswith("predictions changed together with helpers.deep and data/train.csv")
    assert lines[1].strip().startswith("code")
    assert f"    mlrepro explain --bisect '{TEST}'" in lines
    assert f"    mlrepro accept '{TEST}' --reason '…'" in lines
    assert "--timeout must be" in checkout.mlrepro("explain", "--bisect", "--timeout", "0", "test_m", code=2)


def test_explain_of_what_is_new_or_was_recorded_otherwise_since(checkout: Checkout) -> None:
    checkout.write("tests/test_n.py", "def test_n(golden):\n    golden.check(1)\n")
    checkout.fail("tests/test_n.py")
    assert "nothing that is recorded for tests/test_n.py::test_n differs" in checkout.mlrepro(
        "explain", "test_n", code=2
    )
    checkout.change("helpers.py", "x * 3", "x * 4")
    checkout.fail()
    checkout.git("checkout", "-q", "HEAD~2", "--", "tests/__golden__")
    assert "has changed since this proposal was made" in checkout.mlrepro("explain", "test_m", code=2)
    assert "has changed since this proposal was made" in checkout.mlrepro("show", "test_m")


def test_show_says_what_goldens_were_made_from(checkout: Checkout) -> None:
    checkout.change("helpers.py", "x * 3", "x * 4")
    checkout.fail()
    text = checkout.mlrepro("show", "test_m")
    commit = checkout.git("rev-parse", "HEAD~1")
    assert f"    commit     {commit[:10]}\n" in text
    assert f"{checkout.git('rev-parse', 'HEAD')[:10]}, with uncommitted changes" in text
    assert "5 functions and 1 constant of 3 files" in text
    assert "data/train.csv (16 B)" in text
    assert "packages   numpy " in text
    assert "Python     CPython 3" in text
    proposed = text[text.index("(proposal of") :].splitlines()
    assert proposed[1].strip().startswith("predictions changed: helpers.deep changed")
    assert proposed[2].strip().startswith("code")
    whole = checkout.mlrepro("show", "--provenance", "test_m")
    assert commit in whole
    assert "helpers.deep  helpers.py:5 " in whole


def test_show_of_a_golden_whose_provenance_is_damaged_or_was_not_recorded(checkout: Checkout) -> None:
    folder = next((checkout.root / "tests" / "__golden__" / "test_m").glob("test_m-*"))
    for path in folder.glob("provenance-*.json"):
        path.write_text("{}", "utf-8")
    text = checkout.mlrepro("show", "test_m")
    assert "unknown: " in text
    assert "is not the file that was recorded" in text


def test_a_provenance_that_was_edited_is_found_by_verify(checkout: Checkout) -> None:
    assert "verified" in checkout.mlrepro("verify")
    path = next(checkout.root.rglob("provenance-*.json"))
    path.write_text(path.read_text("utf-8").replace("helpers.deep", "helpers.other"), "utf-8")
    assert path.name in checkout.mlrepro("verify", code=1)

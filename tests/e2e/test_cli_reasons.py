"""`mlrepro diff`, `show` and `explain` in a real repository: the conclusion first, and goldens of any revision."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.checkout import TEST, Checkout

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A golden that was recorded, committed, then updated for another helper, and committed again."""
    project = Checkout(tmp_path / "project")
    project.commit()
    project.record()
    project.commit("golden")
    project.change("helpers.py", "x * 2", "x * 4")
    project.commit("helper")
    done = project.run("-m", "pytest", "-q", "--golden=update", "--golden-reason", "another helper")
    assert done.returncode == 0, done.stdout
    project.commit("another golden")
    return project


def test_one_golden_at_two_revisions(checkout: Checkout) -> None:
    before = checkout.state()
    text = checkout.mlrepro("diff", f"{TEST}@HEAD~2", TEST, code=1)
    assert text.splitlines()[0].startswith("predictions changed: helpers.deep changed; ")
    assert "expected" in text
    assert checkout.state() == before


def test_equal_goldens_are_one_line_and_status_0(checkout: Checkout) -> None:
    assert "equal" in checkout.mlrepro("diff", f"{TEST}@HEAD", TEST)


@pytest.mark.parametrize(
    ("operand", "words"),
    [
        (f"{TEST}@nosuchrev", "nosuchrev"),
        (f"{TEST}@HEAD~3", "HEAD~3"),
        ("test_nothing", "test_nothing"),
    ],
    ids=["no such revision", "before the golden", "no such test"],
)
def test_what_is_not_there_is_named_with_status_2(checkout: Checkout, operand: str, words: str) -> None:
    text = checkout.mlrepro("diff", operand, TEST, code=2)
    assert words in text
    assert "Traceback" not in text


def test_a_golden_against_its_proposal(checkout: Checkout) -> None:
    checkout.change("helpers.py", "x * 4", "x * 6")
    checkout.fail()
    text = checkout.mlrepro("diff", TEST, code=1)
    assert text.splitlines()[0].startswith("predictions changed: helpers.deep changed; ")
    text = checkout.mlrepro("explain", TEST)
    assert text.splitlines()[0].startswith("predictions changed: helpers.deep changed; ")
    assert "mlrepro accept" in text
    assert "predictions changed: helpers.deep changed" in checkout.mlrepro("show", TEST)


def test_a_diff_or_explanation_without_a_proposal_says_what_to_do(checkout: Checkout) -> None:
    for command in ("diff", "explain"):
        text = checkout.mlrepro(command, TEST, code=2)
        assert "pytest" in text
        assert "Traceback" not in text


def test_show_says_what_a_golden_was_made_from(checkout: Checkout) -> None:
    text = checkout.mlrepro("show", TEST)
    commit = checkout.git("rev-parse", "HEAD~1")[:10]
    assert commit in text
    assert "data/train.csv" in text
    full = checkout.mlrepro("show", "--provenance", TEST)
    assert "helpers.deep" in full
    assert len(full) > len(text)


def test_a_provenance_that_was_edited_is_found_by_verify(checkout: Checkout) -> None:
    assert "verified" in checkout.mlrepro("verify")
    path = next(checkout.root.rglob("provenance-*.json"))
    path.write_text(path.read_text("utf-8").replace("helpers.deep", "helpers.other"), "utf-8")
    assert path.name in checkout.mlrepro("verify", code=1)

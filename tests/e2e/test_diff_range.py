"""All goldens of two git revisions, as text, as Markdown and as JSON; and who changed them, by `mlrepro log`."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

TESTS = """
import pytest
import train

@pytest.mark.parametrize("n", [1, 2], ids=["a", "b<i>|`x`|@who"])
def test_p(golden, n):
    golden.check(train.RATE * n + n, "loss")
    golden.check(n, "n")

def test_same(golden):
    golden.check(7)

def test_old(golden):
    golden.check(8, "gone")
"""
NEW = TESTS.replace("test_old", "test_new").replace('"gone"', '"come"')
REASON = "rate | raised <b>"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Two goldens changed between two commits, one added, one removed, one the same."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    checkout = Checkout(tmp_path_factory.mktemp("checkout") / "project")
    checkout.write("tests/test_m.py", TESTS)
    checkout.record()
    checkout.commit("goldens")
    checkout.git("branch", "old")
    checkout.write("tests/test_m.py", NEW)
    checkout.change("train.py", "RATE = 0.5", "RATE = 0.75")
    checkout.record("--golden=update", f"--golden-reason={REASON}")
    (old,) = checkout.root.glob("tests/__golden__/test_m/test_old-*")
    shutil.rmtree(old)
    checkout.commit("new goldens")
    return checkout


def test_text_says_what_changed_why_and_by_whose_word(made: Checkout) -> None:
    before = made.state()
    lines = made.mlrepro("diff", "old..HEAD", code=1).splitlines()
    assert made.state() == before
    assert lines[0].startswith("goldens from A, old (")
    assert lines[0].endswith("): 2 changed, 1 added, 1 removed, 1 the same")
    assert lines[2] == "changed     tests/test_m.py::test_p[a]"
    assert lines[3].endswith(f"update by a: {REASON}") or f": {REASON}" in lines[3]
    assert lines[4].startswith("  loss changed: train.RATE changed; ")
    assert "value: 1.5 → 1.75" in "\n".join(lines) or "1.75" in "\n".join(lines)
    assert [line for line in lines if line.startswith(("added", "removed"))] == [
        "added       tests/test_m.py::test_new",
        "removed     tests/test_m.py::test_old",
    ]
    assert "  checks: come" in lines
    assert "  checks: gone" in lines


def test_json_has_a_stable_form(made: Checkout) -> None:
    found = json.loads(made.mlrepro("diff", "old..", "--format", "json", code=1))
    assert found["schema"] == 1
    assert (found["from"]["revision"], found["to"]["revision"], found["same"]) == ("old", "HEAD", 1)
    assert found["from"]["commit"] == made.git("rev-parse", "old")
    states = [(golden["state"], golden["test"].rpartition("::")[2]) for golden in found["goldens"]]
    assert states == [
        ("changed", "test_p[a]"), ("changed", "test_p[b<i>|`x`|@who]"), ("added", "test_new"), ("removed", "test_old"),
    ]  # fmt: skip
    first = found["goldens"][0]
    assert sorted(first) == ["checks", "golden", "history", "state", "test", "variant", "why"]
    assert [(check["name"], check["state"]) for check in first["checks"]] == [("loss", "changed")]
    assert [entry["reason"] for entry in first["history"]] == [REASON]


def test_markdown_is_a_table_with_folded_details_and_lets_no_markup_through(made: Checkout) -> None:
    text = made.mlrepro("diff", "old..HEAD", "--format", "markdown", code=1)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 4
    assert all(row.replace("\\|", "").count("|") == 5 for row in rows)
    assert "<i>" not in text.replace("&lt;i&gt;", "")
    assert "<b>" not in "\n".join(rows)
    assert "@who" not in text
    assert text.count("<details>") == text.count("</details>") == 4
    assert "rate \\| raised &lt;b&gt;" in text


def test_the_same_revision_twice_is_the_same(made: Checkout) -> None:
    assert made.mlrepro("diff", "HEAD..HEAD").endswith(": 4 the same\n")
    assert json.loads(made.mlrepro("diff", "HEAD..HEAD", "--format=json"))["goldens"] == []
    assert "no commit in common" not in made.mlrepro("diff", "HEAD...old")  # since both parted: nothing on that side


def test_three_dots_start_where_both_parted(made: Checkout) -> None:
    found = json.loads(made.mlrepro("diff", "old...HEAD", "--format=json", code=1))
    assert found["from"]["revision"] == "where old and HEAD parted"
    assert len(found["goldens"]) == 4


@pytest.mark.parametrize(
    ("operand", "words"),
    [
        ("nowhere..HEAD", "git knows no revision 'nowhere'"),
        ("HEAD..--help", "git knows no revision '--help'"),
        ("..", "0 the same"),
    ],
)
def test_what_is_no_range_is_named(made: Checkout, operand: str, words: str) -> None:
    code = 0 if operand == ".." else 2
    assert words.replace("0 the same", "4 the same") in made.mlrepro("diff", operand, code=code)


def test_a_golden_that_can_t_be_read_at_a_commit_is_named_and_hides_no_other(made: Checkout, tmp_path: Path) -> None:
    made.git("branch", "-f", "whole")
    (path,) = made.root.glob("tests/__golden__/test_m/test_same-*/golden.json")
    text = path.read_text("utf-8")
    path.write_text(text.replace("7", "9"), "utf-8")
    made.commit("edited by hand")
    try:
        found = json.loads(made.mlrepro("diff", "old..HEAD", "--format=json", code=1))
        assert [golden["state"] for golden in found["goldens"]] == [
            "changed",
            "changed",
            "added",
            "removed",
            "unreadable",
        ]
        assert "was edited by hand or damaged" in found["goldens"][-1]["why"][0]
    finally:
        made.git("reset", "-q", "--hard", "whole")


def test_two_goldens_that_are_named_come_in_each_form_too(made: Checkout) -> None:
    found = json.loads(made.mlrepro("diff", "test_p[a]@old", "test_p[a]", "--format=json", code=1))
    assert [(check["name"], check["state"]) for check in found["goldens"][0]["checks"]] == [("loss", "changed")]
    assert "| changed |" in made.mlrepro("diff", "test_p[a]@old", "test_p[a]", "--format=markdown", code=1)
    assert json.loads(made.mlrepro("diff", "test_same", "test_same@old", "--format=json"))["same"] == 1


# Who changed goldens


def test_log_tells_each_change_the_latest_first(made: Checkout) -> None:
    lines = made.mlrepro("log", "test_p[a]").splitlines()
    assert [line.split()[1] for line in lines if not line.startswith(" ")] == ["update", "record"]
    assert REASON in lines[1]
    assert "first recording" in lines[4]
    found = json.loads(made.mlrepro("log", "--json"))
    assert found["schema"] == 1
    assert len(found["changes"]) == 6
    assert json.loads(made.mlrepro("log", "--json", "-n", "2"))["changes"] == found["changes"][:2]
    times = [change["time"] for change in found["changes"]]
    assert times == sorted(times, reverse=True)


def test_log_of_an_unknown_test_is_an_error(made: Checkout) -> None:
    assert "no golden is of a test with 'nothing' in its id" in made.mlrepro("log", "nothing", code=2)

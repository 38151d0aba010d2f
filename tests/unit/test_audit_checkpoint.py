"""Against a checkpoint kept elsewhere, a cut tail and a rewritten history are found; growth is no problem."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytest_mlrepro.audit import anchors, checkpoint
from pytest_mlrepro.audit.checkpoint import Checkpoint
from pytest_mlrepro.audit.stock import holdings, require_whole
from pytest_mlrepro.errors import GoldenError, UsageError
from pytest_mlrepro.golden import history, store
from tests.unit.audit_cases import A, B, save, two


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return two(tmp_path)


@pytest.fixture
def noted(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("elsewhere") / "checkpoint.json"
    path.write_text(checkpoint.written(checkpoint.taken(holdings(root))), "utf-8")
    return path


def held(root: Path, noted: Path) -> anchors.Anchored:
    return anchors.by_checkpoint(holdings(root), noted, None)


def test_an_untouched_store_is_anchored(root: Path, noted: Path) -> None:
    found = held(root, noted)
    assert found.problems == ()
    assert found.said.startswith("anchored: 2 goldens and 4 changes of ")
    assert found.said.endswith(" as they were; since then: nothing was added")


def test_what_is_written_is_read_back(root: Path) -> None:
    point = checkpoint.taken(holdings(root))
    assert checkpoint.loads(checkpoint.written(point), Path("x")) == point
    assert (point.count, [mark.count for mark in point.marks]) == (4, [3, 1])


def test_growth_is_no_problem_and_is_told(root: Path, noted: Path) -> None:
    save(root, np.arange(9.0), "later")
    save(root, 1.0, "new", leaf="test_c-00000000")
    found = held(root, noted)
    assert found.problems == ()
    assert found.said.endswith("since then: 1 new, 1 entry added to others")


def cut_back(root: Path) -> None:
    """Put the golden of the second entry back, with its history of then: every file agrees with every other."""
    lines = (root / A / history.FILE).read_text("utf-8").splitlines(keepends=True)
    shutil.rmtree(root / A)
    for number in range(2):
        save(root, np.arange(3.0) + number, f"reason {number}")
    (root / A / history.FILE).write_text("".join(lines[:2]), "utf-8", newline="\n")


def rewritten(root: Path) -> None:
    """Write the whole history anew, with another story."""
    shutil.rmtree(root / A)
    for number in range(3):
        save(root, np.arange(3.0) + number, f"a better story {number}")


def replaced_and_grown(root: Path) -> None:
    rewritten(root)
    save(root, np.arange(9.0), "and on")


def gone(root: Path) -> None:
    shutil.rmtree(root / B)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (cut_back, "has 2 entries, and had 3 at the checkpoint of "),
        (rewritten, "entry 3 is not the one that the checkpoint of "),
        (replaced_and_grown, "entry 3 is not the one that the checkpoint of "),
        (gone, "test_b) is gone: the checkpoint of "),
    ],
)
def test_what_a_history_cannot_show_by_itself_is_found(
    root: Path, noted: Path, change: Callable[[Path], None], words: str
) -> None:
    change(root)
    assert [problem for one in holdings(root) for problem in store.problems(root / one.folder)] == []
    (problem,) = held(root, noted).problems
    assert words in problem


def test_a_golden_that_moved_to_another_folder_is_gone_and_new(root: Path, noted: Path) -> None:
    (root / B).rename((root / B).with_name("test_b-00000000"))
    assert ["is gone" in problem for problem in held(root, noted).problems] == [True]


@pytest.mark.parametrize("flip", [1, 0x20, 0x80])
def test_each_changed_byte_of_a_checkpoint_is_damage_to_it(root: Path, noted: Path, flip: int) -> None:
    data = noted.read_bytes()
    for place in range(len(data)):
        noted.write_bytes(data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :])
        with pytest.raises((GoldenError, UsageError), match=r"is damaged|was edited|no checkpoint|this version knows"):
            held(root, noted)
    noted.write_bytes(data.replace(b"\n", b"\r\n"))
    assert held(root, noted).problems == ()


@pytest.mark.parametrize("text", ["", "[]", "{}", "3", '"goldens"', "[" * 100_000, '{"goldens": 1, "schema": 1}'])
def test_what_is_no_checkpoint_is_named(root: Path, noted: Path, text: str) -> None:
    noted.write_text(text, "utf-8")
    with pytest.raises((GoldenError, UsageError), match=r"damaged|no checkpoint"):
        held(root, noted)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", 0),
        ("count", -9),
        ("count", True),
        *((field, value) for field in ("folder", "test", "head") for value in (["x"], None, 5)),
    ],
)
def test_a_checkpoint_whose_fields_cannot_be_is_damaged(root: Path, noted: Path, field: str, value: object) -> None:
    """Its own digest is no protection: anybody can make one."""
    point = checkpoint.taken(holdings(root))
    first = replace(point.marks[0], **{field: value})
    noted.write_text(checkpoint.written(replace(point, marks=(first, point.marks[1]))), "utf-8")
    with pytest.raises(GoldenError, match="damaged"):
        held(root, noted)


@pytest.mark.parametrize("other", [", ", ",\n\n", "digest", "twice"])
def test_another_spelling_of_a_checkpoint_is_an_edit(root: Path, noted: Path, other: str) -> None:
    text = noted.read_text("utf-8")
    changed = {
        "digest": re.sub(r'"digest": "blake3:[0-9a-f]', '"digest": "blake3:g', text),
        "twice": text.replace("{", '{\n "time": "then",', 1),
    }.get(other, text.replace(",\n", other, 1))
    assert changed != text
    noted.write_text(changed, "utf-8")
    with pytest.raises(GoldenError, match="was edited or is damaged"):
        held(root, noted)


def test_a_checkpoint_of_a_later_version_says_so(root: Path, noted: Path) -> None:
    noted.write_text(json.dumps(json.loads(noted.read_text("utf-8")) | {"schema": 2}), "utf-8")
    with pytest.raises(GoldenError, match="has schema 2, this version knows 1: update"):
        held(root, noted)


def test_the_head_is_known_and_covers_names_counts_and_heads() -> None:
    mark = checkpoint.Mark("a", "t", 1, "blake3:0")
    heads = {
        Checkpoint("now", marks).head
        for marks in (
            (),
            (mark,),
            (mark, mark),
            (checkpoint.Mark("b", "t", 1, "blake3:0"),),
            (checkpoint.Mark("a", "u", 1, "blake3:0"),),
            (checkpoint.Mark("a", "t", 2, "blake3:0"),),
            (checkpoint.Mark("a", "t", 1, "blake3:1"),),
        )
    }
    assert len(heads) == 7
    assert Checkpoint("now", (mark,)).head == Checkpoint("then", (mark,)).head


def test_a_store_with_problems_is_not_noted(root: Path) -> None:
    path = root / A / history.FILE
    path.write_text(path.read_text("utf-8").replace("reason 1", "reason 9"), "utf-8")
    with pytest.raises(GoldenError, match=r"(?s)nothing was signed, as the store is not whole.*was edited"):
        require_whole(root, nothing="nothing was signed")


def test_without_goldens_there_is_nothing_to_note(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no golden under .*: nothing was signed"):
        require_whole(tmp_path, nothing="nothing was signed")


def test_a_file_that_is_too_large_is_not_read(root: Path, noted: Path) -> None:
    with noted.open("r+b") as file:
        file.truncate(anchors.LARGEST + 1)  # sparse: takes no room
    with pytest.raises(UsageError, match="is too large to be one of ours: 268,435,457 bytes"):
        held(root, noted)

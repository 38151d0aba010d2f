"""Histories and stored goldens: whatever a hand, a merge, a crash or a bad disk did to them is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rfc8785
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro._canonical import canonical
from pytest_mlrepro.compare.tolerance import tolerances
from pytest_mlrepro.errors import GoldenError
from pytest_mlrepro.golden import history, store
from pytest_mlrepro.golden.entries import safe
from pytest_mlrepro.golden.record import Golden
from pytest_mlrepro.records import TestId
from pytest_mlrepro.values.describe import describe


def save(root: Path, value: object, reason: str, *, action: history.Action = "update") -> Path:
    """Save a golden of one check as a recording does, and return its folder."""
    folder = root / "test_m-01234567"
    staging = store.Staging()
    node = describe(value)
    staging.add("w", node, tolerances())
    golden = Golden.of(TestId(root / "test_m.py", "test_m"), folder, staging.checks)
    try:
        store.save(folder, golden, staging.folder, action=action, reason=reason, change=None, root=root)
    finally:
        staging.discard()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A golden that was recorded and changed three times."""
    for number in range(4):
        folder = save(tmp_path, np.arange(3.0) + number, f"reason {number}")
    return folder


def lines(folder: Path) -> list[str]:
    return (folder / history.FILE).read_text("utf-8").splitlines()


def rewrite(folder: Path, kept: list[str]) -> list[str]:
    (folder / history.FILE).write_text("".join(f"{line}\n" for line in kept), "utf-8", newline="\n")
    return store.problems(folder)


def test_an_untouched_store_has_no_problem(folder: Path) -> None:
    assert store.problems(folder) == []
    assert [entry["reason"] for entry in history.read(folder)] == [f"reason {number}" for number in range(4)]


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("field", ["action", "author", "change", "commit", "new", "old", "previous", "reason", "time"])
def test_an_edited_field_is_found_with_its_line(folder: Path, number: int, field: str) -> None:
    kept = lines(folder)
    entry = json.loads(kept[number])
    entry[field] = "another"
    kept[number] = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    assert any(f"line {number + 1}: this entry was edited" in problem for problem in rewrite(folder, kept))


@pytest.mark.parametrize("number", range(4))
def test_an_edit_whose_own_digest_was_made_anew_is_found_by_the_next_entry(folder: Path, number: int) -> None:
    kept = lines(folder)
    entry = json.loads(kept[number])
    entry["reason"] = "a better story"
    entry["digest"] = history.digest(entry)
    kept[number] = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    found = rewrite(folder, kept)
    if number < 3:
        assert [problem.split(": ")[0] for problem in found] == [f"{folder / history.FILE}, line {number + 2}"]
    else:
        assert found == []  # the end is anchored nowhere: `verify` says so


@pytest.mark.parametrize("number", range(3))
def test_a_dropped_entry_is_found_with_its_line(folder: Path, number: int) -> None:
    kept = lines(folder)
    del kept[number]
    assert any(f"line {number + 1}: does not follow" in problem for problem in rewrite(folder, kept))


@pytest.mark.parametrize("number", range(3))
def test_swapped_entries_are_found_with_their_lines(folder: Path, number: int) -> None:
    kept = lines(folder)
    kept[number], kept[number + 1] = kept[number + 1], kept[number]
    found = "\n".join(rewrite(folder, kept))
    assert f"line {number + 1}: does not follow" in found
    assert f"line {number + 2}: does not follow" in found


@pytest.mark.parametrize("number", range(5))
def test_an_inserted_entry_is_found(folder: Path, number: int) -> None:
    kept = lines(folder)
    entry = json.loads(kept[0]) | {"reason": "slipped in"}
    entry["digest"] = history.digest(entry)
    kept.insert(number, json.dumps(entry, sort_keys=True, separators=(",", ":")))
    where = max(number + 1, 2)
    assert any(f"line {where}: does not follow" in problem for problem in rewrite(folder, kept))


def test_a_repeated_entry_is_found(folder: Path) -> None:
    kept = lines(folder)
    assert any("line 5: does not follow" in problem for problem in rewrite(folder, [*kept, kept[-1]]))


@pytest.mark.parametrize("left", range(4))
def test_a_cut_tail_is_found_unless_the_golden_was_put_back_too(folder: Path, left: int) -> None:
    found = rewrite(folder, lines(folder)[:left])
    assert len(found) == 1
    assert ("missing or empty" if left == 0 else "is not the golden that the last line") in found[0]


def test_a_missing_history_is_found(folder: Path) -> None:
    (folder / history.FILE).unlink()
    assert ["missing or empty" in problem for problem in store.problems(folder)] == [True]


def test_a_golden_of_another_time_is_told_apart_from_an_interrupted_change(tmp_path: Path) -> None:
    folder = save(tmp_path, 1.0, "one")
    first = (folder / "golden.json").read_bytes()
    save(tmp_path, 2.0, "two")
    second = (folder / "golden.json").read_bytes()
    save(tmp_path, 3.0, "three")
    (folder / "golden.json").write_bytes(second)
    assert ["last change on record (three) was not carried out" in text for text in store.problems(folder)] == [True]
    (folder / "golden.json").write_bytes(first)
    assert ["is not the golden that the last line" in text for text in store.problems(folder)] == [True]


def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object) -> Path:
    def write(path: Path, text: str) -> None:
        raise GoldenError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_whole", write)
        with pytest.raises(GoldenError, match="killed here"):
            save(tmp_path, value, "not carried out")
    return tmp_path / "test_m-01234567"


def test_an_interrupted_change_is_told_apart_and_the_next_one_mends_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(folder.parent, monkeypatch, np.arange(9.0))
    assert ["(not carried out) was not carried out" in text for text in store.problems(folder)] == [True]
    interrupted(folder.parent, monkeypatch, np.arange(8.0))
    save(folder.parent, np.arange(9.0), "carried out")
    assert store.problems(folder) == []
    assert len(lines(folder)) == 7


def test_an_interrupted_first_recording_is_told_apart_and_the_next_one_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = interrupted(tmp_path, monkeypatch, np.arange(9.0))
    assert ["a recording was interrupted" in text for text in store.problems(folder)] == [True]
    save(tmp_path, np.arange(9.0), "first recording")
    assert store.problems(folder) == []


@pytest.mark.parametrize("marker", ["<<<<<<< HEAD", "||||||| 12ab", "=======", ">>>>>>> branch"])
@pytest.mark.parametrize("number", range(5))
def test_merge_conflict_markers_are_named(folder: Path, marker: str, number: int) -> None:
    kept = lines(folder)
    kept.insert(number, marker)
    assert [f"line {number + 1}: a merge conflict" in problem for problem in rewrite(folder, kept)] == [True]


@pytest.mark.parametrize("junk", ["", "x", "[]", "{}", "null", "3", '{"reason": "x"}', "[" * 100_000])
def test_a_line_that_is_no_entry_is_named(folder: Path, junk: str) -> None:
    kept = lines(folder)
    kept.insert(2, junk)
    assert [", line 3 is no entry" in problem for problem in rewrite(folder, kept)] == [True]


@pytest.mark.parametrize("value", [[], {}, 1.5, [1]])
def test_a_field_of_the_wrong_type_is_named(folder: Path, value: object) -> None:
    kept = lines(folder)
    kept[1] = json.dumps(json.loads(kept[1]) | {"new": value})
    assert ["line 2 is no entry" in problem for problem in rewrite(folder, kept)] == [True]


ODD = [
    "a\nb",
    "a\r\nb",
    "a\u2028b\u2029c\x85d",
    "\ud800",
    "\udcff",
    '"\\',
    "\0\x1b[31m",
    "Größe λ 🎲",
    "\ufeff",
    "\U000e0041",
]


@pytest.mark.parametrize("reason", ODD)
def test_a_reason_of_odd_characters_stays_one_line_and_comes_back(tmp_path: Path, reason: str) -> None:
    folder = save(tmp_path, 1.0, reason)
    save(tmp_path, 2.0, reason)
    assert store.problems(folder) == []
    assert [entry["reason"] for entry in history.read(folder)] == [safe(reason), safe(reason)]
    assert len((folder / history.FILE).read_text("utf-8").splitlines()) == 2


def test_only_what_is_unsafe_on_a_line_is_written_as_an_escape() -> None:
    assert safe("a\u2028b\x9bc\u202ed\udcff\x7f") == "a\\u2028b\\u009bc\\u202ed\\udcff\\u007f"
    kept = "Größe λ 🎲 日本\u3000語 \n\t\0\x1b"
    assert safe(kept) == kept


@settings(max_examples=40)
@given(reasons=st.lists(st.text(st.characters()), min_size=1, max_size=4))
def test_any_reason_comes_back(reasons: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("history")
    for number, reason in enumerate(reasons):
        folder = save(root, number, reason)
    assert store.problems(folder) == []
    assert [entry["reason"] for entry in history.read(folder)] == [*map(safe, reasons)]


def test_windows_line_ends_are_the_same_history(folder: Path) -> None:
    path = folder / history.FILE
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert store.problems(folder) == []
    save(folder.parent, 5.0, "after")
    assert store.problems(folder) == []


def test_a_history_without_its_last_newline_is_named(folder: Path) -> None:
    path = folder / history.FILE
    path.write_bytes(path.read_bytes()[:-1])
    assert ["ends without a newline" in problem for problem in store.problems(folder)] == [True]


def test_nothing_is_added_to_a_history_that_cannot_be_read(folder: Path) -> None:
    path = folder / history.FILE
    path.write_bytes(path.read_bytes() + b"<<<<<<< HEAD\n")
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix != ".npy"}
    with pytest.raises(GoldenError, match="line 5: a merge conflict"):
        save(folder.parent, np.arange(9.0), "more")
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix != ".npy"} == before


FLIPS: dict[str, Callable[[int], int]] = {
    "lowest bit": lambda byte: byte ^ 1,
    "case": lambda byte: byte ^ 0x20,
    "highest bit": lambda byte: byte ^ 0x80,
    "a space": lambda byte: 0x20,
    "a carriage return": lambda byte: 0x0D,
    "a newline": lambda byte: 0x0A,
    "a digit": lambda byte: 0x37,
}


@pytest.mark.parametrize("flip", FLIPS)
def test_every_changed_byte_of_a_store_is_found(tmp_path: Path, flip: str) -> None:
    value = {"w": np.arange(4, dtype="f4"), "s": np.array(["a", "é\u2028"]), "loss": 0.25, "n": [1, 2], "t": "\u202a"}
    folder = save(tmp_path, value, "first\u2028 reason")
    save(tmp_path, value | {"loss": -0.0}, "second reason, plain")
    assert store.problems(folder) == []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        for place in range(len(data)):
            byte = FLIPS[flip](data[place])
            if byte == data[place]:
                continue
            path.write_bytes(data[:place] + bytes([byte]) + data[place + 1 :])
            assert store.problems(folder), f"{path.name}, byte {place}: {data[place]:#x} became {byte:#x}"
        path.write_bytes(data)


@pytest.mark.parametrize("change", ["cut", "empty", "doubled", "gone"])
def test_a_file_of_a_store_that_is_cut_doubled_or_gone_is_found(folder: Path, change: str) -> None:
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        path.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "doubled": data * 2, "gone": data}[change])
        if change == "gone":
            path.unlink()
        assert store.problems(folder), path.name
        path.write_bytes(data)
    assert store.problems(folder) == []


def test_each_entry_is_canonical_json_with_its_schema_and_algorithm(tmp_path: Path) -> None:
    folder = save(tmp_path, 1.0, "Größe \u2028 \ud800 \n")
    (line,) = lines(folder)
    entry = json.loads(line)
    assert (entry["schema"], entry["algorithm"]) == (2, "blake3")
    assert rfc8785.dumps(entry).decode() == line
    told = {name: value for name, value in entry.items() if name != "digest"}
    assert entry["digest"] == f"blake3:{blake3(rfc8785.dumps(told)).hexdigest()}"


def test_a_history_of_the_first_schema_goes_on_in_the_second(tmp_path: Path) -> None:
    kept = Path(__file__).parent.parent / "compat" / "golden-1" / "__golden__" / "test_values" / "test_values-bcf47d4b"
    folder = tmp_path / kept.name
    shutil.copytree(kept, folder)
    golden = store.load(folder)
    assert golden is not None
    without = replace(golden, checks={name: check for name, check in golden.checks.items() if name != "odd"})
    store.save(folder, without, folder, action="update", reason="third", change=None, root=tmp_path)
    assert [entry["schema"] for entry in history.read(folder)] == [1, 1, 2]
    assert store.problems(folder) == []
    whole = lines(folder)
    for number in range(3):
        for fault in ("reason", "time", "previous"):
            entry = json.loads(whole[number])
            entry[fault] = "another"
            edited = json.dumps(entry, sort_keys=True, separators=(",", ":"))
            assert rewrite(folder, [*whole[:number], edited, *whole[number + 1 :]])
    assert rewrite(folder, whole) == []


@pytest.mark.parametrize(
    ("spelling", "change"),
    [
        ("a space", lambda line: line.replace(",", ", ", 1)),
        ("an escape", lambda line: line.replace('"reason 3"', '"reason\\u0020 3"').replace("\\u0020 ", "\\u0020")),
        ("another order", lambda line: json.dumps(dict(reversed(json.loads(line).items())), separators=(",", ":"))),
        ("a field twice", lambda line: line.replace("{", '{"action":"record",', 1)),
        ("a number otherwise", lambda line: line.replace('"schema":2', '"schema":2e0')),
    ],
)
def test_another_spelling_of_the_same_entry_is_an_edit(
    folder: Path, spelling: str, change: Callable[[str], str]
) -> None:
    kept = lines(folder)
    changed = change(kept[3])
    assert changed != kept[3]
    assert rewrite(folder, [*kept[:3], changed]), spelling


def test_an_entry_that_names_another_algorithm_is_an_edit(folder: Path) -> None:
    kept = lines(folder)
    entry = json.loads(kept[3]) | {"algorithm": "md5"}
    entry["digest"] = history.digest(entry)
    assert any("line 4: this entry was edited" in text for text in rewrite(folder, [*kept[:3], canonical(entry)]))


def test_an_entry_of_a_later_version_says_so(folder: Path) -> None:
    kept = lines(folder)
    kept[1] = json.dumps(json.loads(kept[1]) | {"schema": 3, "more": 1})
    assert ["line 2 has schema 3, this version knows 2: update" in text for text in rewrite(folder, kept)] == [True]


def test_a_store_that_was_copied_elsewhere_is_whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "copy"
    shutil.copytree(folder, other)
    assert store.problems(other) == []

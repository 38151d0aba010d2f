"""Where goldens lie: readable, short, never the same for two tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.errors import UsageError
from pytest_mlrepro.golden.layout import array_file, golden_folder, hashed, pending_folder, slug
from pytest_mlrepro.records import TestId

ROOT = Path("/project")


def folder(name: str, file: str = "test_m.py") -> Path:
    return golden_folder(TestId(ROOT / "tests" / file, name), root=ROOT, golden_dir="__golden__")


def test_names_that_look_alike_have_folders_of_their_own() -> None:
    names = [
        "t[a-b]",
        "t[a_b]",
        "t[a b]",
        "t[a/b]",
        "t[ab]",
        "t[A-B]",
        "T[a-b]",
        "A::t",
        "B::t",
        "t[" + "x" * 300 + "]",
    ]
    names.append("t[" + "x" * 299 + "y]")
    assert len({str(folder(name)).lower() for name in names}) == len(names)


@given(st.text(), st.text())
def test_unequal_texts_have_unequal_names_also_when_case_does_not_count(one: str, other: str) -> None:
    assert (one == other) == (hashed(one).lower() == hashed(other).lower())


@given(st.text())
def test_slug_is_short_lower_case_ascii(text: str) -> None:
    short = slug(text)
    assert 1 <= len(short) <= 40
    assert short == short.lower()
    assert set(short) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")


def test_a_long_id_stays_within_the_limits_of_windows() -> None:
    path = folder("TestSomething::test_x[" + "long" * 100 + "]", "test_" + "module" * 30 + ".py")
    relative = path.relative_to(ROOT / "tests") / array_file("a" * 200, "value" * 100, "0" * 64)
    assert len(str(relative)) <= 170


def test_the_hash_does_not_depend_on_where_the_checkout_lies() -> None:
    here = folder("t")
    there = golden_folder(
        TestId(Path("/other/deep/tests/test_m.py"), "t"), root=Path("/other"), golden_dir="__golden__"
    )
    assert here.relative_to(ROOT / "tests") == there.relative_to("/other/deep/tests")


def test_files_of_one_stem_do_not_share_a_folder() -> None:
    assert folder("t", "test_m.py").parent != folder("t", "test_m.txt").parent


def test_a_central_folder_mirrors_the_folders_of_the_tests(tmp_path: Path) -> None:
    test = TestId(tmp_path / "a" / "b" / "test_m.py", "t")
    path = golden_folder(test, root=tmp_path, golden_dir="goldens/all")
    assert path.parent == tmp_path / "goldens" / "all" / "a" / "b" / "test_m"


def test_goldens_outside_of_the_root_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="below the root directory"):
        golden_folder(TestId(Path("/elsewhere/test_m.py"), "t"), root=tmp_path, golden_dir="goldens/all")


def test_tests_of_one_name_in_two_folders_have_proposals_of_their_own() -> None:
    one = golden_folder(TestId(ROOT / "a" / "test_m.py", "t"), root=ROOT, golden_dir="__golden__")
    other = golden_folder(TestId(ROOT / "b" / "test_m.py", "t"), root=ROOT, golden_dir="__golden__")
    assert pending_folder(ROOT, one) != pending_folder(ROOT, other)

"""Small pieces of what puts suspects back: names into places, variables from digests, places of imports."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pytest_mlrepro.bisect.dvc import cached
from pytest_mlrepro.bisect.imports import python_path
from pytest_mlrepro.bisect.restore import Restorer, qualname_in, variable_value
from pytest_mlrepro.fingerprints import Fingerprint
from pytest_mlrepro.fingerprints.environment import environment_of, fingerprint_environment
from pytest_mlrepro.fingerprints.environment.facts import Fact
from pytest_mlrepro.provenance.record import Provenance


@pytest.mark.parametrize(
    ("path", "name", "qualname"),
    [
        ("train.py", "train.fit", "fit"),
        ("src/pack/train.py", "pack.train.Model.fit", "Model.fit"),
        ("src/pack/__init__.py", "pack.fit", "fit"),
        ("tests/conftest.py", "conftest.data", "data"),
        ("tests/test_m.py", "tests.test_m.test_a", "test_a"),
        ("a/a.py", "a.a.a", "a"),
        ("a.py", "a.a", "a"),
        ("train.py", "other.fit", None),
    ],
)
def test_the_name_inside_a_file(path: str, name: str, qualname: str | None) -> None:
    assert qualname_in(path, name) == qualname


@pytest.mark.parametrize("value", ["3", "", "empty", "a" * 120, " x "])
def test_variables_whose_whole_value_is_known(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert variable_value(fingerprint_environment([]), "OMP_NUM_THREADS") == value


@pytest.mark.parametrize(("name", "value"), [("OMP_X", "a" * 121), ("LD_PRELOAD", "/home/me/lib.so")])
def test_variables_of_which_a_part_was_kept_are_not_made_up(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "LD_PRELOAD":
        area = environment_of([Fact("variable LD_PRELOAD", "lib.so", value="=lib.so")])
        assert variable_value(area, name) == "lib.so"  # as it would count: only names do
        return
    monkeypatch.setenv(name, value)
    assert variable_value(fingerprint_environment([]), name) is None


def test_places_that_no_file_may_have(tmp_path: Path) -> None:
    part = Fingerprint("x", "file")
    for name in ("../secret", "/etc/passwd", "declared [0]"):
        old, new = (Provenance(data=Fingerprint(d, "data", ((name, Fingerprint(d, "file")),))) for d in "ab")
        units, untried = Restorer(old, new, Nothing(), tmp_path, "", "t.py").sorted()  # type: ignore[arg-type]
        assert units == []
        assert [one.label for one in untried] == [name]
    assert part.digest == "x"


class Nothing:
    """A repository that knows no file."""

    commits = ("abc",)

    def below(self, commit: str, folder: str) -> list[str]:
        return []

    def find(self, path: str, fits: object) -> object:
        from pytest_mlrepro.bisect.old_files import OldFile

        return OldFile(None, "abc")


def test_pythonpath_leads_into_the_copy(tmp_path: Path) -> None:
    origin, copy = tmp_path / "origin", tmp_path / "copy"
    (origin / "lib").mkdir(parents=True)
    outside = str(tmp_path / "outside")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([outside, str(origin / "lib")])}
    parts = [("pack.train.fit", "src/pack/train.py:3"), ("test_m.test", "tests/test_m.py:1"), ("package numpy", "2.0")]
    found = python_path(origin, copy, origin, environment, parts, "sub/").split(os.pathsep)
    expected = [outside, str(copy / "lib"), str(copy / "sub" / "src"), str(copy / "sub" / "tests")]
    assert [path for path in found if path in expected] == expected
    assert not [path for path in found if path.startswith(str(origin))]
    assert sys.executable


def test_a_dvc_pointer_of_a_folder_or_of_several_files_is_no_file(tmp_path: Path) -> None:
    assert cached(b"outs:\n- md5: 0123456789abcdef0123456789abcdef.dir\n", tmp_path) is None
    two = b"outs:\n- md5: 0123456789abcdef0123456789abcdef\n- md5: 0123456789abcdef0123456789abcdee\n"
    assert cached(two, tmp_path) is None

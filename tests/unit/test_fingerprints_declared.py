"""What a test declares: paths, patterns and values, under names that are the same everywhere."""

import os
from pathlib import Path

import numpy as np
import pytest

from pytest_mlrepro.errors import FingerprintError, UsageError
from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.fingerprints.files.declared import resolve_declared
from pytest_mlrepro.fingerprints.files.stat_cache import StatCache
from pytest_mlrepro.fingerprints.files.whole import fingerprint_artifact, fingerprint_path


@pytest.fixture
def root(tmp_path):
    for name in (
        *("tests/data/b.csv", "tests/data/a.csv", "tests/data/.hidden.csv", "tests/data/deep/c.csv", "tests/one.csv"),
        *("data/r.csv", "tests/data/__pycache__/x.csv", "tests/img[1].png", "both.csv", "tests/both.csv"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def resolve(root, *declared, **options):
    return resolve_declared(list(declared), base=root / "tests", root=root, **options)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("one.csv", {"one.csv": "tests/one.csv"}),
        ("./data//a.csv", {"data/a.csv": "tests/data/a.csv"}),
        (Path("data/a.csv"), {"data/a.csv": "tests/data/a.csv"}),
        ("../data/r.csv", {"../data/r.csv": "data/r.csv"}),
        ("data", {"data": "tests/data"}),
        ("data/r.csv", {"data/r.csv": "data/r.csv"}),
        ("both.csv", {"both.csv": "tests/both.csv"}),
        ("img[1].png", {"img[1].png": "tests/img[1].png"}),
        ("data/*.csv", {"data/a.csv": "tests/data/a.csv", "data/b.csv": "tests/data/b.csv"}),
        ("data/[ab].csv", {"data/a.csv": "tests/data/a.csv", "data/b.csv": "tests/data/b.csv"}),
        ("data/?.csv", {"data/a.csv": "tests/data/a.csv", "data/b.csv": "tests/data/b.csv"}),
        ("data/d*", {"data/deep": "tests/data/deep"}),
        (
            "data/**",
            {
                "data/a.csv": "tests/data/a.csv",
                "data/b.csv": "tests/data/b.csv",
                "data/deep/c.csv": "tests/data/deep/c.csv",
            },
        ),
        ("**/c.csv", {"data/deep/c.csv": "tests/data/deep/c.csv"}),
        ("data/r*.csv", {"data/r.csv": "data/r.csv"}),
        ("data/__pycache__/*", {"data/__pycache__/x.csv": "tests/data/__pycache__/x.csv"}),
    ],
)
def test_paths_and_patterns(root, declared, expected):
    assert resolve(root, declared) == [(name, fingerprint_path(root / path)) for name, path in expected.items()]


def test_absolute_paths_are_named_the_same_on_every_machine(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("elsewhere") / "big.bin"
    outside.write_bytes(b"x")
    names = [name for name, _ in resolve(root, root / "tests" / "one.csv", str(root / "data" / "*.csv"), outside)]
    assert names == ["one.csv", "../data/r.csv", "big.bin"]


def test_values_are_named_by_position(root):
    found = resolve(root, "one.csv", np.arange(3), {"a": 1})
    assert [name for name, _ in found] == ["one.csv", "[1]", "[2]"]
    assert found[1][1] == fingerprint(np.arange(3))
    with pytest.raises(FingerprintError, match=r"declared item \[0\]: value is of type"):
        resolve(root, (number for number in "ab"))


def test_a_lone_path_is_a_list_of_it(root):
    for declared in ("one.csv", Path("one.csv")):
        assert resolve_declared(declared, base=root / "tests") == resolve(root, "one.csv")
    assert resolve_declared((), base=root) == []


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("nothing.csv", r"'nothing.csv' doesn't exist: looked in .*tests and .*Correct it"),
        ("one.csv/inner", r"'one.csv/inner' doesn't exist"),
        ("data/*.json", r"'data/\*.json' matches nothing: looked in .*tests and .*"),
        ("data/__py*/**", r"matches nothing"),
        ("/nowhere/at/all", r"'/nowhere/at/all' doesn't exist"),
        ("s3://bucket/key", r"'s3://bucket/key' doesn't exist"),
        ("", r"expected the path of a file"),
        ("a\0b", r"expected the path of a file"),
    ],
)
def test_what_is_not_there_is_a_usage_error(root, declared, message):
    with pytest.raises(UsageError, match=message):
        resolve(root, declared)


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_a_dangling_link_is_there_and_broken(root):
    (root / "tests" / "lost").symlink_to("nowhere")
    with pytest.raises(FingerprintError, match="lost is a dangling link"):
        resolve(root, "lost")
    with pytest.raises(FingerprintError, match="lost is a dangling link"):
        resolve(root, "los*")
    (root / "tests" / "loop").symlink_to("loop")
    with pytest.raises(FingerprintError, match="loop is a link that leads to itself"):
        resolve(root, "loop")


def test_artifacts_and_the_cache(root, tmp_path):
    np.savez(root / "tests" / "m.npz", x=np.ones(2))
    cache = StatCache(tmp_path / "cache")
    ((_, found),) = resolve(root, "m.npz", as_artifacts=True, cache=cache)
    assert found == fingerprint_artifact(root / "tests" / "m.npz")
    assert found.kind == "artifact.npz"
    assert resolve(root, "m.npz", cache=cache)[0][1].kind == "file"

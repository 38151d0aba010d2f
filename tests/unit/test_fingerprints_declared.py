"""What a test declares: paths, patterns and values, under names that are the same everywhere."""

import os
from pathlib import Path

import pytest

from pytest_mlrepro.errors import FingerprintError, UsageError
from pytest_mlrepro.fingerprints.files.declared import declared_paths
from pytest_mlrepro.fingerprints.files.whole import fingerprint_path


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


def resolve(root, *declared):
    found = [entry for item in declared for entry in declared_paths(item, base=root / "tests", root=root)]
    return [(name, fingerprint_path(path)) for name, path in found]


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

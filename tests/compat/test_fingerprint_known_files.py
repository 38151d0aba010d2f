"""Digests of files and folders written down, and the encoding followed on paper from docs/fingerprint-format.md."""

import json
import os
import struct
from pathlib import Path

import pytest
from blake3 import blake3

from pytest_mlrepro.fingerprints.files import fingerprint_artifact, fingerprint_path

PREFIX = "mlrepro1-blake3:"
PIECE = 4_194_304
SKIPPED = [
    *(".git", ".hg", ".svn", ".jj", ".cache", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db", "desktop.ini"),
    *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".mlrepro", "__golden__"),
]

KNOWN = {
    "empty file": (b"", "7e504661aa972427818af1d14f899f6c59d35bbbb778068a1e8aa8f5f107e241"),
    "file": (b"abc", "e3a3d0ca0e3fc5fbc68c13ccd06d65408451a2e6fe8c2d06aabe0eeffe62ea47"),
    "one piece": (bytes(range(256)) * 16384, "337d182126b70cec30abfdd7abf15fb806ce18af3c3aa7f29d7069ea80f1c55a"),
    "two pieces": (
        bytes(range(256)) * 16384 + b"!",
        "52a98584b98a50879f1bd345803f389badb3017da957a60a1adb257d8c4142b2",
    ),
    "empty folder": ({}, "bf8244be6572baad3f9bfca976d0bb7e22b1722a619459482ec9a7ada65237db"),
    "folder": (
        {"b": b"2", "a": {"c": b"", "é": {}}, "a.b": b"1"},
        "cab5619c48db80bff0ee27bf9a1779f44a956b9623800d7ba4f6f9841106e621",
    ),
}


def grow(path, tree):
    if isinstance(tree, bytes):
        path.write_bytes(tree)
    else:
        path.mkdir()
        for name, inner in tree.items():
            grow(path / name, inner)
    return path


@pytest.mark.parametrize("name", KNOWN)
def test_files(tmp_path, name):
    tree, expected = KNOWN[name]
    assert fingerprint_path(grow(tmp_path / "it", tree)).digest == PREFIX + expected


def u64(number):
    return struct.pack("<Q", number)


def lp(data):
    return u64(len(data)) + data


def h(data):
    return blake3(data).digest()


def pieces(data):
    cut = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
    if len(cut) < 2:
        return u64(len(cut)) + b"".join(map(lp, cut))
    return u64(len(cut)) + b"".join(map(h, cut))


def by_hand(path: Path) -> bytes:
    """A second implementation, slow and plain."""
    if path.is_file():
        return h(b"mlrepro1F" + pieces(path.read_bytes()))
    entries = sorted((os.fsencode(entry.name), entry) for entry in path.iterdir() if entry.name not in SKIPPED)
    return h(b"mlrepro1D" + u64(len(entries)) + b"".join(lp(name) + by_hand(entry) for name, entry in entries))


def part_by_hand(kind, facts, data):
    return PREFIX + h(b"mlrepro1P" + lp(kind.encode()) + lp(facts.encode()) + pieces(data)).hex()


@pytest.mark.parametrize("name", KNOWN)
def test_the_second_implementation_agrees(tmp_path, name):
    path = grow(tmp_path / "it", KNOWN[name][0])
    assert fingerprint_path(path).digest == PREFIX + by_hand(path).hex()


def test_the_second_implementation_agrees_on_everything_at_once(tmp_path):
    tree = {
        "big": os.urandom(2 * PIECE + 17),
        "deep": {"a": {"b": {"c": os.urandom(100)}}, "empty": {}},
        **dict.fromkeys(SKIPPED, b"left out"),
        **{f"f{number}": bytes([number]) * number for number in range(100)},
        "Z": b"", "z": b"", "ä": b"", "a b": b"",
    }  # fmt: skip
    path = grow(tmp_path / ".git", tree)
    (path / os.fsdecode(b"\xff\xfe")).write_bytes(b"no UTF-8")
    (path / "link").symlink_to("deep")
    found = fingerprint_path(path)
    assert found.digest == PREFIX + by_hand(path).hex()
    assert fingerprint_artifact(path).digest == found.digest
    parts = dict(found.parts)
    data = (path / "big").read_bytes()
    assert parts["big"].parts == tuple(
        (f"[{at}:{min(at + PIECE, len(data))}]", type(found)(PREFIX + h(data[at : at + PIECE]).hex(), "chunk"))
        for at in range(0, len(data), PIECE)
    )


def test_parts_of_an_artifact_by_hand(tmp_path):
    large = os.urandom(PIECE + 8)
    header = {
        "__metadata__": {"b": "2", "a": "1"},
        "w": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]},
        "large": {"dtype": "U8", "shape": [len(large)], "data_offsets": [8, 8 + len(large)]},
    }
    text = json.dumps(header).encode()
    (tmp_path / "m").write_bytes(u64(len(text)) + text + b"12345678" + large)
    found = {name: part.digest for name, part in fingerprint_artifact(tmp_path / "m").parts}
    assert found == {
        ".metadata": part_by_hand("metadata", '{"a": "1", "b": "2"}', b""),
        "['w']": part_by_hand("tensor", "F32 [2, 1]", b"12345678"),
        "['large']": part_by_hand("tensor", f"U8 [{len(large)}]", large),
    }

#!/usr/bin/env python3
"""Verify an export of golden runs with Python's standard library alone:  python -I -S verify.py [--expect SHA256] [--deep]

It checks that every file is the one that SHA256SUMS names and that none was added; that each golden.json has the content that
its seal says; that each history is unbroken, entry by entry, and ends in that golden; and that the files which a golden names
are the ones that were recorded.

--expect SHA256  the digest that the export printed when it was made, kept elsewhere. Without it the result is *unanchored*: an
                 export that somebody made anew as a whole can't be told from the one that was made.
--deep           compute the BLAKE3 of large files too (in plain Python: about 1 MiB a second). SHA256SUMS covers them anyway.
--unpack FILE    write the signed bytes and the signature of a DSSE envelope (*.dsse.json) into the current folder, and say how
                 openssl checks them: this script has no cryptography of signatures of its own.

Exit status: 0 all is well; 1 something is not as it was; 2 this is no export, or nothing that can be unpacked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SUMS = "SHA256SUMS"
SMALL = 256 * 1024
PIECE = 4 << 20
FIRST = {"action", "author", "change", "commit", "digest", "new", "old", "previous", "reason", "schema", "time"}


def main(arguments: list[str], folder: Path) -> int:
    """Return the exit status, and print what was found."""
    expected: str | None = None
    deep = False
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--deep":
            deep = True
        elif word == "--unpack" and len(rest) == 1:
            return unpack(Path(rest[0]))
        elif word == "--expect" and rest and re.fullmatch("[0-9a-f]{64}", rest[0]):
            expected = rest.pop(0)
        else:
            say(__doc__ or "")
            return 0 if word in ("-h", "--help") else 2
    if not (folder / SUMS).is_file():
        say(f"{folder} is no export: it has no {SUMS}")
        return 2
    return told(*examined(folder, expected, deep=deep), expected=expected)


def examined(folder: Path, expected: str | None, *, deep: bool) -> tuple[list[str], str, str]:
    """Return what is wrong with an export, what was verified, and the SHA-256 of its sums."""
    sums = (folder / SUMS).read_bytes()
    own = hashlib.sha256(sums).hexdigest()
    files, problems = listed(sums)
    if expected is not None and own != expected:
        problems.insert(0, f"{SUMS} is not the one that was made: its SHA-256 is {own}, expected {expected}")
    problems += check_files(folder, files, on_disk(folder))
    goldens = sorted({found[1] for path in files if (found := re.fullmatch(r"(records/.+\.golden)/[^/]+", path))})
    entries = left = 0
    for golden in goldens:
        try:
            count, skipped = check_golden(folder, golden, files, deep=deep)
            entries, left = entries + count, left + skipped
        except ChangedError as error:
            problems.append(f"{golden}: {error}")
        except Exception as error:  # noqa: BLE001  # whatever a damaged file raises is damage
            problems.append(f"{golden}: damaged ({type(error).__name__}: {error})")
    seen = f"{counted(len(files), 'file')}, {counted(len(goldens), 'golden')}, {counted(entries, 'change')} on record"
    verified = f"verified: {seen}, all as they were made"
    if left:
        verified += f"\nchecked by SHA-256 alone: {counted(left, 'large file')}; --deep computes what was recorded too"
    return problems, verified, own


def told(problems: list[str], verified: str, own: str, *, expected: str | None) -> int:
    """Print what was found, and return the exit status."""
    for problem in problems:
        say(problem)
    if problems:
        say(f"{counted(len(problems), 'problem')}: this export is NOT as it was made")
        return 1
    say(verified)
    if expected is None:
        say(f"unanchored: compare the SHA-256 of {SUMS} with the one kept elsewhere (--expect):")
        say(f"  {own}")
    return 0


class ChangedError(Exception):
    """Something that is not as it was."""


def listed(data: bytes) -> tuple[dict[str, str], list[str]]:
    """Return SHA-256 by path as SHA256SUMS says, and what is wrong with its lines."""
    files: dict[str, str] = {}
    problems = [] if data.endswith(b"\n") else [f"{SUMS} is not whole"]
    for number, line in enumerate(data.split(b"\n"), start=1):
        found = re.fullmatch(rb"([0-9a-f]{64})  ([^\\\r]+)", line)
        name = found[2].decode("utf-8", "surrogateescape") if found else ""
        if found and name not in files and not escapes(name):
            files[name] = found[1].decode()
        elif line or number <= data.count(b"\n"):
            problems.append(f"{SUMS}, line {number} is damaged")
    return files, problems


def escapes(path: str) -> bool:
    """Tell whether a path leads out of the export."""
    return path.startswith("/") or ".." in path.split("/") or Path(path).is_absolute()


def on_disk(folder: Path) -> set[str]:
    """Return the paths of all files below the export's folder, with slashes."""
    found: set[str] = set()
    for here, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(here) / name).is_symlink()]
        for name in [*names, *links]:
            found.add((Path(here) / name).relative_to(folder).as_posix())
    return found - {SUMS}


def check_files(folder: Path, files: dict[str, str], found: set[str]) -> list[str]:
    """Return what is missing, added or changed."""
    problems = [f"{path} was added: {SUMS} doesn't know it" for path in sorted(found - set(files))]
    for path, digest in sorted(files.items()):
        if path not in found:
            problems.append(f"{path} is missing")
        elif sha256(folder / path) != digest:
            problems.append(f"{path} was changed: its SHA-256 is not the one in {SUMS}")
    return problems


def check_golden(folder: Path, golden: str, files: dict[str, str], *, deep: bool) -> tuple[int, int]:
    """Return how many entries its history has, and how many of its files were too large to be digested here."""
    place = folder / golden
    text = (place / "golden.json").read_bytes().decode("utf-8")
    data = json.loads(text)
    seal = data["seal"]
    bare = text.replace(f'\n "seal": "{seal}"', '\n "seal": ""', 1)
    if "blake3:" + blake3(bare.encode("utf-8")).hex() != seal:
        raise ChangedError("golden.json does not match its seal")
    count = check_history((place / "history.jsonl").read_bytes().decode("utf-8"), seal)
    skipped = 0
    for entry in named(data):
        if f"{golden}/{entry['file']}" in files:
            skipped += not check_file(place / entry["file"], entry, deep=deep)
    return count, skipped


def named(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the entries of all files that a part of golden.json names."""
    if isinstance(data, dict):
        if set(data) == {"file", "size", "blake3"}:
            yield data
        else:
            for value in data.values():
                yield from named(value)
    elif isinstance(data, list):
        for value in data:
            yield from named(value)


def check_file(path: Path, entry: dict[str, Any], *, deep: bool) -> bool:
    """Raise ChangedError for a file that is not the one that was recorded; tell whether its content was looked at."""
    if path.stat().st_size != entry["size"]:
        raise ChangedError(f"{entry['file']} has another size than was recorded")
    if entry["size"] > SMALL and not deep:
        return False
    data = path.read_bytes()
    pieces = b"".join(blake3(data[start : start + PIECE]) for start in range(0, len(data) or 1, PIECE))
    if blake3(pieces).hex() != entry["blake3"]:
        raise ChangedError(f"{entry['file']} is not the file that was recorded")
    return True


def check_history(text: str, seal: str) -> int:
    """Return the number of entries; raise ChangedError for the first that doesn't fit, or an end that isn't the seal."""
    lines = text.split("\n")
    if len(lines) < 2 or lines.pop():
        raise ChangedError("history.jsonl is empty or not whole")
    before: dict[str, Any] = {}
    for number, line in enumerate(lines, start=1):
        entry = json.loads(line)
        if set(entry) != (FIRST if entry.get("schema") == 1 else FIRST | {"algorithm"}):
            raise ChangedError(f"history.jsonl, line {number} is no entry")
        fields = {name: value for name, value in entry.items() if name != "digest"}
        spelled, spellings = spelling(entry, fields)
        if "blake3:" + blake3(spelled.encode()).hex() != entry["digest"] or line not in spellings:
            raise ChangedError(f"history.jsonl, line {number}: this entry was edited")
        if entry["previous"] != before.get("digest"):
            raise ChangedError(
                f"history.jsonl, line {number}: an entry before it was dropped, swapped, inserted or edited"
            )
        if entry["old"] not in ((before["new"], before["old"]) if before else (None,)):
            raise ChangedError(f"history.jsonl, line {number}: starts from a golden that no entry before it announced")
        before = entry
    if before["new"] != seal:
        raise ChangedError("golden.json is not the golden that the last entry of its history announces")
    return len(lines)


def spelling(entry: dict[str, Any], fields: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the text that is digested, and those that the line may have; schema 1 is not canonical JSON."""
    if entry["schema"] == 1:
        plain, escaped = (
            json.dumps(entry, sort_keys=True, ensure_ascii=a, separators=(",", ":")) for a in (False, True)
        )
        return json.dumps(fields, sort_keys=True, separators=(",", ":")), (plain, escaped)
    if entry["schema"] != 2 or entry["algorithm"] != "blake3":
        raise ChangedError(f"an entry has schema {entry['schema']!r}, which this verifier doesn't know")
    return canonical(fields), (canonical(entry),)


def canonical(value: Any) -> str:
    """Return RFC 8785 JSON of text, integers, truth values, null, lists and objects."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        raise ChangedError("canonical JSON of ours holds no floats")
    return json.dumps(value, ensure_ascii=False)


IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
MIXED = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)
START, END, PARENT, ROOT = 1, 2, 4, 8


def blake3(data: bytes) -> bytes:
    """Return the BLAKE3 of bytes: 32 bytes, plain hashing (https://github.com/BLAKE3-team/BLAKE3-specs)."""
    chunks = [data[start : start + 1024] for start in range(0, len(data) or 1, 1024)]
    return struct.pack("<8I", *subtree(chunks, 0, ROOT))


def subtree(chunks: list[bytes], first: int, root: int) -> tuple[int, ...]:
    """Return the chaining value over chunks, the left side being the largest power of two that leaves some for the right."""
    if len(chunks) == 1:
        return chunk_value(chunks[0], first, root)
    left = 1 << (len(chunks) - 1).bit_length() - 1
    words = subtree(chunks[:left], first, 0) + subtree(chunks[left:], first + left, 0)
    return compress(IV, words, 0, 64, PARENT | root)


def chunk_value(chunk: bytes, number: int, root: int) -> tuple[int, ...]:
    """Return the chaining value of a chunk of up to 1024 bytes."""
    value: tuple[int, ...] = IV
    blocks = [chunk[start : start + 64] for start in range(0, len(chunk) or 1, 64)]
    for at, block in enumerate(blocks):
        flags = START * (at == 0) | (END | root) * (at == len(blocks) - 1)
        value = compress(value, struct.unpack("<16I", block.ljust(64, b"\0")), number, len(block), flags)
    return value


def compress(value: tuple[int, ...], words: tuple[int, ...], counter: int, length: int, flags: int) -> tuple[int, ...]:
    """Return the eight words of the compression function that chain on."""
    v = [*value, *IV[:4], counter & 0xFFFFFFFF, counter >> 32, length, flags]
    m = list(words)
    for turn in range(7):
        for at, (a, b, c, d) in enumerate(MIXED):
            mix(v, a, b, c, d, m[2 * at], m[2 * at + 1])
        if turn < 6:
            m = [m[index] for index in ORDER]
    return tuple(v[index] ^ v[index + 8] for index in range(8))


def mix(v: list[int], a: int, b: int, c: int, d: int, x: int, y: int) -> None:
    """Mix two words into four of the state."""
    for word, one, two in ((x, 16, 12), (y, 8, 7)):
        v[a] = v[a] + v[b] + word & 0xFFFFFFFF
        v[d] = turned(v[d] ^ v[a], one)
        v[c] = v[c] + v[d] & 0xFFFFFFFF
        v[b] = turned(v[b] ^ v[c], two)


def turned(word: int, bits: int) -> int:
    """Return 32 bits rotated to the right."""
    return (word >> bits | word << 32 - bits) & 0xFFFFFFFF


def unpack(path: Path) -> int:
    """Write what an envelope's signatures are over, and the signatures, and return the exit status."""
    try:
        envelope = json.loads(path.read_bytes())
        kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in envelope["signatures"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        say(f"{path} is no DSSE envelope: {error}")
        return 2
    name = path.name
    Path(f"{name}.signed").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    say(f"{name}.signed holds what was signed: the statement, behind a header of its length")
    for number, signature in enumerate(signatures, start=1):
        Path(f"{name}.{number}.sig").write_bytes(signature)
        say(
            f"Ed25519:  openssl pkeyutl -verify -pubin -inkey KEY.pub -rawin -in {name}.signed -sigfile {name}.{number}.sig"
        )
        say(f"ECDSA:    openssl dgst -sha256 -verify KEY.pub -signature {name}.{number}.sig {name}.signed")
        say(
            "          (P-384: -sha384, P-521: -sha512; RSA: -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:auto)"
        )
    return 0


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'s' * (number != 1)}"


def say(text: str) -> None:
    """Print a line, whatever the terminal can show; what moves a cursor is written as an escape."""
    shown = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
    sys.stdout.write(shown.encode("utf-8", "backslashreplace").decode("ascii", "backslashreplace") + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent))

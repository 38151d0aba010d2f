"""A store held against what was noted of it: by a checkpoint kept elsewhere, or by somebody's signature."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from . import checkpoint
from .checkpoint import Checkpoint
from .envelope import is_envelope, opened
from .keys import public_key
from .names import counted
from .statement import Signed, parsed
from .stock import Holding

__all__ = ["Anchored", "by_checkpoint", "by_signature"]

LARGEST = 256 * 2**20
"""Bytes; a store of a hundred thousand goldens needs less."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """What came of it: what is wrong, and what was held against, in words."""

    problems: tuple[str, ...]
    said: str = ""
    signed: bool = False


def by_checkpoint(held: list[Holding], path: Path, key: Path | None, unreadable: Collection[str] = ()) -> Anchored:
    """Hold goldens against a checkpoint; or against a signature of former times, which takes its public key.

    Goldens and entries that were added since are no problem: a history grows. `unreadable` are folders of goldens that are
    there and damaged, of which that was said.
    """
    text = _read(path, "--checkpoint")
    if not is_envelope(text):
        point = checkpoint.loads(text, path)
        return Anchored(tuple(point.problems(held, unreadable=unreadable)), f"anchored: {_held(point, held)}")
    if key is None:
        raise UsageError(f"--checkpoint {path} is signed: give the public key too, with  --key FILE")
    payload, by = opened(text, key, str(path))
    signed = parsed(payload, str(path))
    return Anchored(
        tuple(signed.point.problems(held, unreadable=unreadable, made="the signature")),
        f"anchored, signed by the key {by}: {_held(signed.point, held)}",
        signed=True,
    )


def by_signature(held: list[Holding], path: Path, key: Path, unreadable: Collection[str] = ()) -> Anchored:
    """Hold goldens against their signature: each file is the one that was signed, and nothing was added."""
    public_key(key)  # a wrong file is said first
    if not path.exists():
        return Anchored(
            (f"unsigned: there is no {path}. Sign with  mlrepro sign --key KEY.pem , or name it with --signature",),
        )
    payload, by = opened(_read(path, "--signature"), key, str(path))
    signed = parsed(payload, str(path))
    return Anchored(
        tuple(_unlike(signed, held, unreadable)),
        f"signed by the key {by} on {signed.point.time}: every file is the one that was signed",
    )


def _unlike(signed: Signed, held: list[Holding], unreadable: Collection[str]) -> Iterator[str]:
    if signed.is_expired:
        yield f"the signature of {signed.point.time} expired on {signed.expires}: sign again with  mlrepro sign"
    yield from signed.point.problems(held, unreadable=unreadable, made="the signature")
    broken = {mark.folder for mark in signed.point.marks}
    for one in held:
        if one.folder not in broken:
            yield f"{one.folder} ({one.test}) is not signed: it was added after {signed.point.time}. Sign again"
    yield from _files(signed, held)


def _files(signed: Signed, held: list[Holding]) -> Iterator[str]:
    """Yield a sentence for each golden that has grown since, and else for each file that isn't the one that was signed."""
    marks = {mark.folder: mark for mark in signed.point.marks}
    for one in held:
        mark = marks.get(one.folder)
        if mark is None or one.count < mark.count or one.digests[mark.count - 1] != mark.head:
            continue  # said already
        if one.count > mark.count:
            yield (
                f"{one.folder} ({one.test}) was changed after it was signed on {signed.point.time}, on record: "
                f"its history has {one.count} entries, {mark.count} are signed. Review them and sign again"
            )
            continue
        present = {file.path: file.sha256 for file in one.files}
        expected = {path: digest for path, digest in signed.files.items() if path.startswith(f"{one.folder}/")}
        for path in sorted({*present, *expected}):
            if present.get(path) != expected.get(path):
                yield f"{path} is not the file that was signed on {signed.point.time}"


def _held(point: Checkpoint, held: list[Holding]) -> str:
    goldens, changes = counted(len(point.marks), "golden"), counted(point.count, "change")
    return f"{goldens} and {changes} of {point.time} as they were; {point.grown(held)}"


def _read(path: Path, option: str) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{option} {path} is too large to be one of ours: {path.stat().st_size:,} bytes")
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"{option} {path} can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{option} {path} is damaged: it is not UTF-8 ({error.reason})") from None

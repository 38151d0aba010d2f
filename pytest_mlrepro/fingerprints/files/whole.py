"""Files and folders as fingerprints: by their bytes and names alone, wherever they lie and whoever wrote them."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Final, NamedTuple

from blake3 import blake3

from ...errors import FingerprintError
from ..digest import PREFIX, Fingerprint
from .folders import Entry, Identity, Tree, identity, look_at, survey
from .layouts import layout_of
from .parts import Layout
from .pieces import Job, combine, entry_name, jobs_over, ranges, run_jobs, shown
from .stat_cache import StatCache, size_text

__all__ = ["fingerprint_artifact", "fingerprint_path"]

_FILE: Final = b"mlrepro1F"
_FOLDER: Final = b"mlrepro1D"
_PART: Final = b"mlrepro1P"
_SHOWN: Final = 100
"""Characters of what a file says of itself that are kept for people."""
_pack_size: Final = struct.Struct("<Q").pack


def fingerprint_path(path: Path, *, cache: StatCache | None = None, executor: Executor | None = None) -> Fingerprint:
    """Return the fingerprint of a file (kind `file`) or of a folder with all that is in it (kind `folder`).

    Contents and names count; path, times, owners and modes don't, and neither does the name of the thing itself. Links
    count as what they lead to. In folders, what tools leave there doesn't count (`folders.SKIPPED`), empty folders do.
    A file of more than 4 MiB has its pieces as parts, a folder its entries.

    cache: files in it that are unchanged are not read; the caller saves it.
    executor: where files are read, instead of on all cores of this machine. It must see the same paths.
    Raises FingerprintError for what is missing, dangling, not permitted, no file (pipe, socket, device), a folder that
    contains itself, and a file that changes or vanishes while it is read.
    """
    return _fingerprint(path, False, cache, executor)


def fingerprint_artifact(
    path: Path, *, cache: StatCache | None = None, executor: Executor | None = None
) -> Fingerprint:
    """Return the fingerprint of a saved model or the like: the digest of `fingerprint_path`, with parts that name more.

    Kinds are `artifact.` and `safetensors`, `npz`, `torch`, `zip`, `file` or `folder`, by content and not by name. The
    parts are the tensors of a safetensors or torch file, the members of another zip file, else pieces. Nothing is
    decompressed, unpickled or loaded; a file whose inner index is broken or hostile is `artifact.file`. Errors are those
    of `fingerprint_path`.
    """
    return _fingerprint(path, True, cache, executor)


class _Plan(NamedTuple):
    """What is to be hashed of one file: all of it, and the parts that its inner index names."""

    entry: Entry
    layout: Layout | None
    jobs: list[list[Job]]


def _fingerprint(path: Path, as_artifact: bool, cache: StatCache | None, executor: Executor | None) -> Fingerprint:
    top = look_at(os.path.abspath(path))  # noqa: PTH100  # keeps links, which Path.resolve doesn't
    if not top.is_folder:
        return _files({identity(top): top}, as_artifact, cache, executor)[identity(top)]
    tree = survey(top, executor)
    return _Builder(tree, _files(tree.files(), as_artifact, cache, executor), as_artifact).folder(top, ())


def _files(
    entries: Mapping[Identity, Entry], as_artifact: bool, cache: StatCache | None, executor: Executor | None
) -> dict[Identity, Fingerprint]:
    found: dict[Identity, Fingerprint] = {}
    if cache is not None:
        for key, entry in entries.items():
            known = cache.find(entry.stamp, as_artifact=as_artifact)
            if known is not None:
                found[key] = known
    missing = {key: entry for key, entry in entries.items() if key not in found} if found else entries
    if not missing:
        return found
    began = cache.clock() if cache is not None else 0
    plans = [_plan(entry, as_artifact) for entry in missing.values()]
    digests = iter(run_jobs([job for plan in plans for jobs in plan.jobs for job in jobs], executor))
    for key, plan in zip(missing, plans, strict=True):
        found[key] = _file(plan, [[next(digests) for _ in jobs] for jobs in plan.jobs], as_artifact)
        if cache is not None:
            cache.keep(plan.entry.stamp, found[key], as_artifact=as_artifact, began=began)
    return found


def _plan(entry: Entry, as_artifact: bool) -> _Plan:
    path, stamp = entry.path, entry.stamp
    layout = layout_of(path, stamp) if as_artifact else None
    jobs = [jobs_over(path, stamp, _FILE, 0, stamp.size)]
    for part in () if layout is None else layout.parts:
        head = _PART + _text(part.kind) + _text(part.facts)
        jobs.append(jobs_over(path, stamp, head, part.start, part.stop))
    return _Plan(entry, layout, jobs)


def _file(plan: _Plan, digests: list[list[bytes]], as_artifact: bool) -> Fingerprint:
    size = plan.entry.stamp.size
    whole = PREFIX + combine(_FILE, digests[0]).hex()
    if plan.layout is None:
        return Fingerprint(whole, "artifact.file" if as_artifact else "file", ranges(digests[0], size), size_text(size))
    parts = []
    for part, pieces in zip(plan.layout.parts, digests[1:], strict=True):
        head = _PART + _text(part.kind) + _text(part.facts)
        inner = ranges(pieces, part.stop - part.start)
        digest = PREFIX + combine(head, pieces).hex()
        parts.append((part.name, Fingerprint(digest, part.kind, inner, part.facts[:_SHOWN])))
    return Fingerprint(whole, f"artifact.{plan.layout.kind}", tuple(parts), size_text(size))


class _Builder:
    """Folders from the inside out; one that several links lead to is made once."""

    def __init__(self, tree: Tree, files: Mapping[Identity, Fingerprint], as_artifact: bool) -> None:
        self._tree, self._files = tree, files
        self._kind = "artifact.folder" if as_artifact else "folder"
        self._made: dict[Identity, Fingerprint] = {}

    def folder(self, entry: Entry, above: tuple[Identity, ...]) -> Fingerprint:
        """Return the fingerprint of a folder that stands in those above."""
        key = identity(entry)
        if key in above:
            raise FingerprintError(f"{shown(entry.path)} leads back to a folder that it stands in: remove the link")
        if key not in self._made:
            self._made[key] = self._make(self._tree.folders[key], (*above, key))
        return self._made[key]

    def _make(self, entries: list[Entry], above: tuple[Identity, ...]) -> Fingerprint:
        encoded = [_FOLDER, _pack_size(len(entries))]
        parts = []
        for entry in entries:
            part = self.folder(entry, above) if entry.is_folder else self._files[identity(entry)]
            name = os.fsencode(entry.name)
            encoded += (_pack_size(len(name)), name, bytes.fromhex(part.digest[len(PREFIX) :]))
            parts.append((entry_name(entry.name), part))
        text = "1 entry" if len(entries) == 1 else f"{len(entries):,} entries"
        return Fingerprint(PREFIX + blake3(b"".join(encoded)).hexdigest(), self._kind, tuple(parts), text)


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return _pack_size(len(data)) + data

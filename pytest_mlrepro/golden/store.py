"""Goldens on disk: read and trusted only when whole; written so that a crash leaves the old one or the new one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from .._json import Json
from ..compare.tolerance import Tolerances
from ..errors import GoldenError
from ..fingerprints import Fingerprint, fingerprint_node
from ..provenance.record import Provenance
from ..provenance.record import dumps as dumps_provenance
from ..provenance.record import loads as loads_provenance
from ..values.node import Node, Scalar, Source
from . import history
from .beside import contract_problems
from .codecs import encode
from .files import content_digest, copy_whole, file_digest, read_start, read_whole, sweep, sync_folder, write_whole
from .layout import array_file, contract_file
from .npy import write_source
from .objects import Objects, is_object, object_file
from .record import CONTRACT, FILE, LFS, Golden, Recorded, dumps, loads
from .sound import guarded
from .step_details import Details
from .step_details import dumps as dumps_details
from .step_details import loads as loads_details
from .timings import Timing, keep_timings, write_timings

__all__ = ["Staging", "details_of", "load", "problems", "provenance_of", "save", "tidy", "verify_arrays"]

SMALL = 256 * 1024
"""Files up to this size are digested each time their check runs; larger ones when they are read, and by `verify`."""


class Staging:
    """Checks of one run, put aside with their arrays until it is decided whether they are recorded."""

    def __init__(self, folder: Path | None = None, objects: Objects | None = None) -> None:
        self._objects = objects
        """Where large arrays go; None where all stay with the golden."""
        self.folder = folder or Path(tempfile.mkdtemp(prefix="mlrepro-"))
        self.checks: dict[str, Recorded] = {}
        self.details: dict[str, Json] | None = None
        """The entry of what the steps were made of, if there are steps."""

    def files(self) -> list[Path]:
        """Return the files that were put aside, but for the timings."""
        names = {entry["file"] for check in self.checks.values() for entry in check.files()}
        names |= {self.details["file"]} if self.details is not None else set()
        return [self.folder / name for name in sorted(names)]

    def add(self, name: str, node: Node, allowed: Tolerances | Mapping[str, Json]) -> None:
        """Put a check aside as it is now: what the test does to its arrays later changes nothing."""

        def write(path: str, source: Source, dtype: str, shape: tuple[int, ...]) -> dict[str, Json]:
            raw = self.folder / "raw"
            write_source(raw, source, dtype, shape)
            content = file_digest(raw)
            apart = self._objects is not None and self._objects.takes(raw.stat().st_size)
            named = raw.replace(self.folder / (object_file(content) if apart else array_file(name, path, content)))
            return {"file": named.name, "size": named.stat().st_size, "blake3": content}

        try:
            self.checks[name] = Recorded.of(fingerprint_node(node).digest, allowed, encode(node, write), self._objects)
        except OSError as error:
            raise GoldenError(f"can't put the value aside in {self.folder}: {error.strerror or error}") from error

    def made_from(self, provenance: Provenance) -> None:
        """Note what all checks that were put aside were made from."""
        raw = self.folder / "raw"
        try:
            raw.write_bytes(dumps_provenance(provenance).encode("utf-8", "surrogatepass"))
            content = file_digest(raw)
            named = raw.replace(self.folder / f"provenance-{content[:8]}.json")
        except OSError as error:
            raise GoldenError(f"can't put the provenance aside in {self.folder}: {error.strerror or error}") from error
        entry = {"file": named.name, "size": named.stat().st_size, "blake3": content}
        self.checks = {name: replace(check, provenance=entry) for name, check in self.checks.items()}

    def add_steps(self, details: Details, timings: Mapping[str, Timing]) -> dict[str, Json]:
        """Put aside what steps were made of, and what they took; return the entry of the first."""
        raw = self.folder / "raw"
        try:
            raw.write_bytes(dumps_details(details).encode("utf-8", "surrogatepass"))
            content = file_digest(raw)
            named = raw.replace(self.folder / f"steps-{content[:8]}.json")
            write_timings(self.folder, timings)
        except OSError as error:
            raise GoldenError(f"can't put the steps aside in {self.folder}: {error.strerror or error}") from error
        self.details = {"file": named.name, "size": named.stat().st_size, "blake3": content}
        return self.details

    def discard(self) -> None:
        """Remove everything that was put aside."""
        shutil.rmtree(self.folder, ignore_errors=True)


def load(folder: Path, objects: Objects | None = None) -> Golden | None:
    """Return the golden in `folder`, or None where there is none; raise GoldenError for one that can't be trusted.

    objects: where large arrays lie, if the configuration above the folder doesn't say it.
    """
    path = folder / FILE
    try:
        return loads(read_whole(path).decode("utf-8"), path, objects)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise GoldenError(f"{path} is not UTF-8: {error.reason}. Put it back from version control") from None
    except OSError as error:
        raise GoldenError(f"can't read {path}: {error.strerror or error}") from error


def save(
    folder: Path,
    golden: Golden,
    arrays: Path,
    *,
    action: history.Action,
    reason: str,
    change: str | None,
    root: Path,
    objects: Objects | None = None,
) -> None:
    """Make `golden` the one in `folder`; its new arrays lie in `arrays`, the others are where they belong already.

    Large arrays go to the store first, so that what this golden refers to is there whoever reads it. Then the other arrays,
    then the history's entry, then `golden.json` in one step: before that step the old golden stands with all its files,
    after it the new one.
    """
    old = load(folder)
    text, seal = dumps(golden)
    if old is not None and old.seal == seal:
        return
    keep = {entry["file"] for entry in golden.files()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GoldenError(f"can't make the folder {folder}: {error.strerror or error}. Nothing was recorded") from error
    apart = _put(golden, arrays, objects or Objects.near(folder))
    for name in sorted(keep - apart):
        if (arrays / name).exists():
            copy_whole(arrays / name, folder / name)
    history.append(
        folder, action=action, reason=reason, change=change, old=old.seal if old else None, new=seal, root=root
    )
    write_whole(folder / FILE, text)
    keep_timings(folder, arrays, [step.name for step in golden.steps])
    _write_contracts(folder, golden)
    sync_folder(folder)
    sweep(folder, keep)


def _put(golden: Golden, arrays: Path, objects: Objects) -> set[str]:
    """Put what lies in `arrays` and belongs to a store into it; return the names of all files that lie there."""
    apart = {entry["file"]: entry for entry in golden.files() if is_object(entry)}
    if objects.store is None:
        return set()
    for name, entry in sorted(apart.items()):
        if (arrays / name).exists():
            try:
                objects.put(arrays / name, entry)
            except GoldenError as error:
                raise GoldenError(f"{error}\nNothing was recorded: the golden is as it was") from None
    return set(apart)


def _write_contracts(folder: Path, golden: Golden) -> None:
    """Lay the text of contracts beside the golden, where people edit it."""
    for name, check in golden.checks.items():
        if CONTRACT in check.tolerance:
            node = check.node(folder)
            assert isinstance(node, Scalar)
            write_whole(folder / contract_file(name), str(node.value))


def tidy(folder: Path) -> None:
    """Remove what a recording that was killed left beside the golden in `folder`."""
    golden = load(folder)
    if golden is not None:
        sweep(folder, {entry["file"] for entry in golden.files()})


def verify_arrays(check: Recorded, folder: Path, *, large: bool = True, fetch: bool = True) -> None:
    """Raise GoldenError if an array of the check is missing or not the one recorded.

    Unless `large`, big ones are looked at by their size only, and those in a store not at all. Unless `fetch`, what is in a
    store and not on this machine is left there.
    """
    for entry in check.arrays():
        path, size = folder / entry["file"], entry["size"]
        if is_object(entry) and not path.exists():
            if large and (fetch or check.near(folder).here(folder, entry) is not None):
                check.near(folder).checked(folder, entry)
            continue
        try:
            if size <= SMALL:
                same = content_digest(read_start(path, size + 1)) == entry["blake3"]
            else:
                same = path.stat().st_size == size and (not large or file_digest(path) == entry["blake3"])
        except OSError as error:
            raise GoldenError(f"{path}, which the golden needs, can't be read: {error.strerror or error}") from None
        if not same:
            raise GoldenError(_altered(path))


def provenance_of(check: Recorded, folder: Path) -> Provenance:
    """Return what a check was made from, all unknown where that was not recorded; GoldenError if it can't be trusted."""
    if check.provenance is None:
        return Provenance()
    path = folder / check.files()[-1]["file"]
    try:
        if file_digest(path) != check.provenance["blake3"]:
            raise GoldenError(_altered(path))
        text = read_whole(path).decode("utf-8", "surrogatepass")
    except OSError as error:
        raise GoldenError(f"{path}, which the golden needs, can't be read: {error.strerror or error}") from None
    return loads_provenance(text, str(path))


def details_of(golden: Golden, folder: Path) -> Details:
    """Return what the steps of a golden were made of, nothing where it has none; GoldenError if it can't be trusted."""
    if golden.details is None:
        return Details()
    path = folder / golden.files()[-1]["file"]
    try:
        if file_digest(path) != golden.details["blake3"]:
            raise GoldenError(_altered(path))
        text = read_whole(path).decode("utf-8", "surrogatepass")
    except OSError as error:
        raise GoldenError(f"{path}, which the golden needs, can't be read: {error.strerror or error}") from None
    return loads_details(text, str(path))


def _altered(path: Path) -> str:
    with path.open("rb") as file:
        if file.read(len(LFS)) == LFS.encode():
            return f"{path} is a Git LFS pointer, not the file itself: run  git lfs pull"
    return f"{path} is not the file that was recorded: its digest differs. Put it back with  git checkout -- {path}"


def problems(folder: Path) -> list[str]:
    """Return everything that is wrong with the golden in `folder`: file, arrays, digests, history, texts of contracts."""
    try:
        golden = load(folder)
        if golden is None:
            return [f"{folder} holds no golden.json: a recording was interrupted, record the test again"]
        return [
            *_wrong_values(golden, folder),
            *contract_problems(golden, folder),
            *history.problems(folder, golden.seal),
        ]
    except GoldenError as error:
        return [str(error)]


def _wrong_values(golden: Golden, folder: Path) -> list[str]:
    found = []
    for name, check in golden.checks.items():
        try:
            verify_arrays(check, folder)
            provenance_of(check, folder)
            if guarded(partial(_recomputed, check, folder)).digest != check.digest:
                found.append(f"{folder}: the value of check {name!r} does not have the digest that was recorded")
        except GoldenError as error:
            found.append(str(error))
    try:
        details = details_of(golden, folder)
        lacking = [step.name for step in golden.steps if step.name not in details.steps]
        if lacking:
            found.append(f"{folder}: what step {lacking[0]!r} was made of is not recorded")
    except GoldenError as error:
        found.append(str(error))
    return found


def _recomputed(check: Recorded, folder: Path) -> Fingerprint:
    return fingerprint_node(check.node(folder))

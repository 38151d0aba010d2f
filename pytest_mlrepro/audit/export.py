"""Exports: a folder with goldens in one of the standard formats, the records behind it, and a verifier that needs no library.

The folder is whole or not there: it is made under another name and renamed. The same store gives the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from .._canonical import canonical
from .._json import json_text
from ..errors import GoldenError, UsageError
from ..pipeline.lineage import lineage
from .cyclonedx import bom_text
from .data import Copies, copies
from .envelope import FILE as SIGNATURE
from .envelope import sealed
from .facts import made
from .in_toto import statements
from .names import clean, short_name
from .open_lineage import event_lines
from .prov_json import prov_text
from .ro_crate import METADATA, crate_text
from .stock import Holding, read_file

__all__ = ["FORMATS", "SUMS", "VERIFIER", "Exported", "Format", "export"]

Format: TypeAlias = Literal["in-toto", "prov", "openlineage", "cyclonedx", "ro-crate"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
SUMS: Final = "SHA256SUMS"
VERIFIER: Final = "verify.py"
RECORDS: Final = ("golden.json", "history.jsonl")
UNSAFE: Final = re.compile("[\\\\\r\n\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    files: int
    sha256: str
    """SHA-256 of `SHA256SUMS`: whoever keeps it elsewhere can tell this export from any other."""
    left_out: tuple[str, ...]
    """Data that was asked for and is not in it, with the reason."""


def export(
    form: Format, held: list[Holding], root: Path, out: Path, *, data: bool = False, signer: Any = None
) -> Exported:
    """Write goldens to the folder `out`, which must be empty or not there.

    data: put the files that the goldens were made from into it too (RO-Crate only). signer: a `private_key`, to sign each
    statement (in-toto only). Raises UsageError for an argument that can't be, GoldenError if something can't be written.
    """
    if data and form != "ro-crate":
        raise UsageError(f"--data goes into an ro-crate only, and the format is {form}")
    if signer is not None and form != "in-toto":
        raise UsageError(f"--key signs in-toto statements, and the format is {form}: sign its {SUMS} instead")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"-o {out} must be a folder that is empty or not there yet")
    copied = copies([made(one, root) for one in held], root) if data else Copies({}, {}, ())
    files = {**_records(held, root, form), **{name: path.read_bytes for name, path in copied.files.items()}}
    files |= _written(form, held, root, copied, files, signer)
    return Exported(len(files) + 1, _placed(files, out), copied.left_out)


Content: TypeAlias = Callable[[], bytes]


def _records(held: list[Holding], root: Path, form: Format) -> dict[str, Content]:
    """Return what lies in goldens; only an RO-Crate carries their arrays.

    Folders have another name than goldens, so that an export within the project is not taken for some.
    """
    found: dict[str, Content] = {VERIFIER: Path(__file__).with_name("standalone.py").read_bytes}
    if (root / SIGNATURE).exists():
        found[SIGNATURE] = (root / SIGNATURE).read_bytes
    for one in held:
        for file in one.files:
            name = file.path.rpartition("/")[2]
            if form == "ro-crate" or name in RECORDS or name.endswith(".json"):
                found[f"records/{one.folder}.golden/{name}"] = lambda path=root / file.path: read_file(path)  # type: ignore[misc]  # bound now
        if form == "ro-crate":
            found |= {f"records/{one.folder}.golden/{name}": content for name, content in _elsewhere(one, root)}
    return found


def _elsewhere(one: Holding, root: Path) -> Iterator[tuple[str, Content]]:
    """Yield the arrays of a golden that lie in a store, and not with it."""
    folder = root / one.folder
    for check in one.golden.checks.values():
        for entry in check.arrays():
            if not (folder / entry["file"]).exists():
                path = check.near(folder).path(folder, entry)
                yield entry["file"], partial(read_file, path)


def _written(
    form: Format, held: list[Holding], root: Path, copied: Copies, files: dict[str, Content], signer: Any
) -> dict[str, Content]:
    """Return what the format itself consists of."""
    if form == "prov":
        return {"provenance.prov.json": _text(prov_text(held, root))}
    if form == "openlineage":
        return {"events.jsonl": _text(event_lines(held, root))}
    if form == "cyclonedx":
        return {"bom.cdx.json": _text(bom_text(held, root))}
    if form == "in-toto":
        return _statements(held, root, signer)
    graphs = {
        f"lineage/{short_name(one.folder)}.mmd": _text(lineage(one.golden.steps, title=one.test, form="mermaid"))
        for one in held
        if one.golden.steps
    }
    return {**graphs, METADATA: _text(crate_text(held, root, _sizes({**files, **graphs}), copied.names))}


def _statements(held: list[Holding], root: Path, signer: Any) -> dict[str, Content]:
    found = {}
    for name, statement in statements(held, root).items():
        found[f"statements/{name}.json"] = _text(json_text(statement))
        if signer is not None:
            found[f"statements/{name}.dsse.json"] = _text(sealed(canonical(statement).encode(), signer)[0])
    return found


def _text(text: str) -> Content:
    return clean(text).encode


def _sizes(files: dict[str, Content]) -> dict[str, int]:
    return {name: len(content()) for name, content in sorted(files.items())}


def _placed(files: dict[str, Content], out: Path) -> str:
    """Write the files and their sums; return the SHA-256 of the sums."""
    for name in files:
        if UNSAFE.search(name):
            raise UsageError(f"{name!r} can't be exported: a path with a backslash, a line break or what is no Unicode")
    making = out.with_name(f".{out.name}-{os.getpid()}.tmp")
    try:
        making.mkdir(parents=True)
        sums = "".join(f"{_write(making / name, files[name]())}  {name}\n" for name in sorted(files))
        digest = _write(making / SUMS, sums.encode())
        if out.exists():
            out.rmdir()
        making.replace(out)
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        raise GoldenError(
            f"can't write the export to {out}: {error.strerror or error}. Nothing was left there"
        ) from error
    return digest


def _write(path: Path, data: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()

"""What a golden was made from, in lines for a person: a few that name what matters, or all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from ..errors import GoldenError
from ..fingerprints import Fingerprint
from ..golden.record import Golden, Recorded
from ..golden.store import provenance_of
from ..provenance.record import AREAS, UNKNOWN, WRITTEN, Provenance
from ..provenance.words import plain, shorten

__all__ = ["commit_text", "origins"]

WIDTH: Final = 66
"""Characters of a line beside its label, so that all fits into 80 columns."""
NAME: Final = 48
NAMED: Final = 6
PACKAGE: Final = "package "
OTHER: Final = "environment.other"
NOUNS: Final = {"function": "functions", "class": "classes", "constant": "constants", "bytecode": "functions"}


def origins(golden: Golden, folder: Path, names: Collection[str] | None = None, *, full: bool) -> Iterator[str]:
    """Yield what the checks (of these names, if given) were made from: one block for all that were recorded together.

    A provenance that can't be read is told in its place, since the values beside it may be good.
    """
    blocks: dict[str, tuple[Recorded, list[str]]] = {}
    for name, check in sorted(golden.checks.items()):
        if names is None or name in names:
            key = "" if check.provenance is None else str(check.provenance["file"])
            blocks.setdefault(key, (check, []))[1].append(name or "(unnamed)")
    for check, owners in blocks.values():
        yield "made from" + (f"  ({shorten(', '.join(owners), NAME)})" if len(blocks) > 1 else "")
        try:
            provenance = provenance_of(check, folder)
        except GoldenError as error:
            yield f"  unknown: {plain(str(error))}"
            continue
        if check.provenance is None:
            yield "  not recorded: this golden was written by a version that didn't"
        else:
            yield from (f"  {line}" for line in (_whole(provenance) if full else _short(provenance)))


def commit_text(provenance: Provenance, length: int = 10) -> str:
    """Return which commit was checked out, and whether files differed from it."""
    if provenance.commit == UNKNOWN:
        return "unknown: no git, or no commit yet"
    state = {True: ", with uncommitted changes", False: "", None: ", changes unknown"}[provenance.dirty]
    return f"{plain(provenance.commit)[:length]}{state}"


def _short(provenance: Provenance) -> Iterator[str]:
    yield _line("commit", commit_text(provenance))
    yield _line("code", _code(provenance.code))
    for label, area in (("data", provenance.data), ("artifacts", provenance.artifacts)):
        yield _line(label, _files(area))
    yield _line("packages", _packages(provenance))
    yield _line("Python", _python(provenance.environment))


def _line(label: str, text: str) -> str:
    return f"{label:<9}  {text}"


def _code(code: Fingerprint | None) -> str:
    if code is None:
        return "not recorded"
    own = [part for name, part in code.parts if part.kind in NOUNS and not name.startswith(PACKAGE)]
    if not own:
        return code.text or "none of the project's own"
    files = {part.text.rpartition(":")[0] for part in own} - {""}
    kinds = Counter(NOUNS[part.kind] for part in own)
    counted = [_count(kinds[noun], noun) for noun in dict.fromkeys(NOUNS.values()) if kinds[noun]]
    return _and(counted) + (f" of {_count(len(files), 'files')}" if files else "")


def _count(number: int, nouns: str) -> str:
    one = {"classes": "class"}.get(nouns, nouns.removesuffix("s"))
    return f"{number:,} {one if number == 1 else nouns}"


def _and(items: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))


def _files(area: Fingerprint | None) -> str:
    if area is None:
        return "not recorded"
    parts = [(name, part) for name, part in area.parts if name != WRITTEN]
    if not parts:
        return area.text or "none seen"
    return _fitting([shorten(name, NAME) + (f" ({plain(part.text)})" if part.text else "") for name, part in parts])


def _packages(provenance: Provenance) -> str:
    """Return the packages that the code imports and their versions; without known code, all that can change numbers."""
    for area in (provenance.code, provenance.environment):
        if area is not None:
            found = [
                f"{plain(name.removeprefix(PACKAGE))} {plain(part.text)}".rstrip()
                for name, part in area.parts
                if name.startswith(PACKAGE) and part.kind != OTHER
            ]
            return _fitting(found) if found else "none"
    return "not recorded"


def _python(environment: Fingerprint | None) -> str:
    if environment is None:
        return "not recorded"
    texts = {name: plain(part.text) for name, part in environment.parts}
    facts = [texts.get("Python", UNKNOWN), texts.get("platform", ""), texts.get("CPU", "")]
    return ", ".join(filter(None, facts))


def _fitting(items: list[str]) -> str:
    """Return the first items that fit into a line, and how many there are besides."""
    for shown in range(min(len(items), NAMED), 0, -1):
        more = f" and {len(items) - shown:,} more" if len(items) > shown else ""
        text = ", ".join(items[:shown]) + more
        if len(text) <= WIDTH or shown == 1:
            return text
    return ""


def _whole(provenance: Provenance) -> Iterator[str]:
    yield _line("commit", commit_text(provenance, length=64))
    for area in AREAS:
        tree = provenance.area(area)
        if tree is None:
            yield _line(area, "not recorded")
            continue
        yield _line(area, tree.text or (tree.digest if tree.parts else "none seen"))
        yield from _parts(tree, "  ")


def _parts(tree: Fingerprint, indent: str) -> Iterator[str]:
    """Yield every part with its words and the start of its digest; what can't change numbers says so."""
    for name, part in tree.parts:
        words = [plain(part.text)] if part.text else []
        words += ["(can't change numbers)"] if part.kind == OTHER else []
        digest = part.digest.rpartition(":")[2][:12]
        yield f"{indent}{plain(name)}  {' '.join([*words, digest])}"
        yield from _parts(part, indent + "  ")

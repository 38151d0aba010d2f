"""Suspects as what can be put back, and those that can't be, with what to do by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from ..fingerprints import Fingerprint
from ..fingerprints.code.written import place_of, qualname_in
from ..fingerprints.environment import environment_of
from ..fingerprints.environment.facts import Fact
from ..provenance.record import Area, Provenance
from ..provenance.suspects import NOT_SET, Suspect, suspects
from ..provenance.words import plain, statement
from .old_files import OldFile, OldFiles
from .recorded import fits_code, fits_file
from .source import Unsplicable
from .splice import spliced
from .units import Unit, Untried, read

__all__ = ["Restorer", "qualname_in", "variable_value"]

_MACHINE: Final = "it belongs to the machine or to a library: rerun where it is as it was"


@dataclass(frozen=True)
class Restorer:
    """Makes units of suspects, for one golden and the state of now."""

    old: Provenance
    new: Provenance
    files: OldFiles
    top: Path
    """The tree of now."""
    prefix: str
    """The way from there to the root directory of the tests: "", or ending in a slash."""
    test_file: str
    """The test's own file, from the top: it is never put back as a whole."""

    def sorted(self) -> tuple[list[Unit], list[Untried]]:
        """Return what can be put back and what can't, each in the order of suspicion."""
        units: dict[str, Unit] = {}
        untried: dict[str, Untried] = {}
        found = suspects(self.old, self.new)
        for suspect in _grouped(found):
            made = self._made(suspect)
            if isinstance(made, Unit):
                units.setdefault(made.label, made)
            else:
                untried.setdefault(made.label, made)
        return list(units.values()), list(untried.values())

    def _made(self, suspect: Suspect) -> Unit | Untried:
        label = plain(suspect.name)
        match suspect.source:
            case "code":
                return self._code(suspect, label)
            case "data" | "artifacts":
                return self._data(suspect, suspect.source)
            case "package":
                return _package(suspect)
            case "environment":
                return self._variable(suspect)

    # Code

    def _code(self, suspect: Suspect, label: str) -> Unit | Untried:
        if suspect.change == "renamed":
            return Untried(plain(statement(suspect)), "the same code under another name")
        place = suspect.old if suspect.change == "removed" else suspect.new or suspect.old
        path = self.prefix + place_of(place)
        qualname = qualname_in(place_of(place), suspect.name.removeprefix("ran/").removeprefix("ran."))
        if not place_of(place).endswith(".py") or qualname is None:
            return Untried(label, f"its source isn't in a file of the project ({plain(place) or 'unknown'})")
        if "<locals>" in qualname:
            return Untried(label, "a value that it holds changed, not its source")
        was = self._old_path(suspect, path)
        old = self.files.find(was, fits_code(_recorded(self.old.code, suspect.name), qualname))
        if old.trouble:
            return Untried(label, old.trouble)
        return self._definition(label, path, qualname, old)

    def _old_path(self, suspect: Suspect, path: str) -> str:
        """Return where the code stood: a module may have become a package."""
        return self.prefix + place_of(suspect.old) if place_of(suspect.old).endswith(".py") else path

    def _definition(self, label: str, path: str, qualname: str, old: OldFile) -> Unit | Untried:
        now = read(self.top / path)
        try:
            if now is None:
                raise Unsplicable(f"{path} is gone")
            if spliced(now, old.data or b"", qualname) == now:
                return Untried(
                    label, f"its source is that of {old.commit[:10]}: a value that it holds changed, or what runs it"
                )
        except Unsplicable as error:
            if path == self.test_file:
                return Untried(label, f"{error}, and the test's own file stays as it is")
            if old.data is None:
                return Untried(label, f"{old.commit[:10]} has no file {path} to take it from")
            note = f"the whole file {path}, since {error}"
            return Unit(label, note, old.known, old.commit, files=((path, old.data),))
        return Unit(label, "", old.known, old.commit, definitions=((path, qualname, old.data or b""),))

    # Data and artifacts

    def _data(self, suspect: Suspect, area: Area) -> Unit | Untried:
        if suspect.change == "renamed":
            return self._renamed(suspect)
        label = plain(suspect.root)
        path = self.prefix + suspect.root
        if not _inside(path):
            return Untried(label, "it lies outside of the repository")
        recorded = next(iter(_recorded(self.old.area(area), suspect.root)), None)
        commit = self.files.commits[0]
        inside = self.files.below(commit, path)
        if inside or (self.top / path).is_dir():
            return self._folder(label, path, inside, commit)
        old = self.files.find(path, fits_file(recorded))
        if old.trouble:
            return Untried(label, old.trouble)
        now = read(self.top / path)
        if old.data is None and now is None:
            return Untried(label, "it is no file: a value that the test declared, or one elsewhere")
        if old.data is None and recorded is not None:
            return Untried(label, f"git doesn't know it, and so not what it was at {old.commit[:10]}")
        if old.data == now:
            return Untried(
                label, f"git has no other content of it than that of now (looked at {old.commit[:10]} and its history)"
            )
        return Unit(label, "", old.known, old.commit, files=((path, old.data),))

    def _folder(self, label: str, path: str, inside: Sequence[str], commit: str) -> Unit | Untried:
        """Return a folder with the files that git knows of it as they were."""
        files: list[tuple[str, bytes | None]] = []
        here = (one for one in (self.top / path).rglob("*") if one.is_file())
        for name in sorted({*inside, *(one.relative_to(self.top).as_posix() for one in here)}):
            old = self.files.at(commit, name)
            if old.trouble:
                return Untried(label, f"{name}: {old.trouble}")
            if old.data != read(self.top / name):
                files.append((name, old.data))
        if not files:
            return Untried(label, f"its files are those of {commit[:10]}")
        return Unit(
            label, f"{len(files)} files of it" if len(files) > 1 else files[0][0], None, commit, files=tuple(files)
        )

    def _renamed(self, suspect: Suspect) -> Unit | Untried:
        was, now = self.prefix + suspect.old, self.prefix + suspect.new
        data = read(self.top / now)
        label = plain(statement(suspect))
        if data is None or not _inside(was) or not _inside(now):
            return Untried(label, "the same content under another name")
        return Unit(label, "called as before", True, "", files=((was, data), (now, None)))

    # Environment

    def _variable(self, suspect: Suspect) -> Unit | Untried:
        if not suspect.root.startswith("variable "):
            hint = f"run the test with {plain(suspect.old)}" if suspect.name == "Python" else _MACHINE
            return Untried(plain(statement(suspect)), hint)
        name = suspect.root.removeprefix("variable ")
        value = variable_value(self.old.environment, name)
        label = f"{name} ({'not set' if value is None else value or 'empty'})"
        if suspect.old != NOT_SET and value is None:
            return Untried(plain(statement(suspect)), "its whole value wasn't kept: set it by hand")
        return Unit(plain(label), "", True, "", variables=((name, value),))


def variable_value(area: Fingerprint | None, name: str) -> str | None:
    """Return the value of a variable if the whole of it was recorded, which its digest tells; else None."""
    for part in _recorded(area, f"variable {name}"):
        for value in ("", part.text) if part.text == "empty" else (part.text,):
            fact = Fact(f"variable {name}", value or "empty", value=f"={value}")
            ((_, made),) = environment_of([fact]).parts
            if made.digest == part.digest:
                return value
    return None


def _grouped(found: list[Suspect]) -> Iterator[Suspect]:
    """Leave out what comes or goes with its class."""
    whole = {suspect.name for suspect in found if suspect.source == "code" and suspect.change in ("added", "removed")}
    for suspect in found:
        owners = suspect.name.split(".")
        if suspect.source == "code" and any(".".join(owners[:count]) in whole for count in range(1, len(owners))):
            continue
        yield suspect


def _package(suspect: Suspect) -> Untried:
    label = plain(statement(suspect))
    if suspect.change == "added" or not suspect.old:
        return Untried(label, f"a package is not removed: pip uninstall {plain(suspect.name)}")
    return Untried(label, f"pip install {plain(suspect.name)}=={plain(suspect.old)}")


def _recorded(area: Fingerprint | None, name: str) -> list[Fingerprint]:
    return [part for other, part in (area.parts if area else ()) if other == name]


def _inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts and ":" not in path[:2]

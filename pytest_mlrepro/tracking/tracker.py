"""The files that a test reads and writes, noticed by themselves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from .events import Log, Seen, switch_off, switch_on
from .libraries import hold, let_go, look_again
from .places import Places

__all__ = ["FileTracker", "Tracking"]


class FileTracker:
    """Notices which files below `roots` are opened, until it is closed.

    roots: the project and its data folders. excluded: folders inside them that don't count, such as those of goldens
    and pytest's base folder for temporary files; the folder for temporary files, the environment that Python runs in,
    and what tools keep (`.git`, `__pycache__`, `.mlrepro`, …) are left out anyway, and so is code (`.py`, `.so`, …).
    Where such folders lie inside each other the innermost decides.

    Seen are: opens by Python in any thread, and in children that were forked (on Linux) until the end of the stretch;
    SQLite; and what polars, pyarrow, safetensors, torch and h5py open through the functions listed in
    `tracking/table.py`, wherever a module holds such a function. Not seen are children that were spawned, programs,
    and other libraries that open files by themselves (OpenCV, DuckDB, `pyarrow.fs`, partitioned writes of Arrow): declare those
    files. Paths that are relative to an open folder (`dir_fd`) are taken as relative to the working folder.
    """

    def __init__(self, roots: Iterable[Path], *, excluded: Iterable[Path] = ()) -> None:
        self._places = Places(roots, excluded)
        self._holds = False

    def tracking(self) -> Tracking:
        """Return a context manager; what is opened inside it is in its `read` and `written`. They may nest."""
        if self._holds:
            look_again()
        else:
            hold()
            self._holds = True
        return Tracking(self._places)

    def close(self) -> None:
        """Put back the functions of libraries that were replaced; a second call does nothing."""
        if self._holds:
            self._holds = False
            let_go()

    def __enter__(self) -> FileTracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Tracking:
    """One tracked stretch: what was opened in it, as whole paths, sorted, by the names that they were opened by."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._log = Log()
        self._seen: dict[tuple[str | bytes, str], Seen] | None = None
        """What was noted until the end; which files that are is found out when somebody asks."""

    def __enter__(self) -> Tracking:
        switch_on(self._log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        switch_off(self._log)
        self._seen = self._log.gather()
        self._log.close()

    @property
    def read(self) -> tuple[Path, ...]:
        """Files that were opened for reading before they were opened for writing here, if they still exist."""
        return self._sorted()[0]

    @property
    def written(self) -> tuple[Path, ...]:
        """Files that were opened for writing, made by a rename or linked, if they still exist."""
        return self._sorted()[1]

    def _sorted(self) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        seen = self._log.gather() if self._seen is None else self._seen
        if not seen:
            return (), ()
        reads: dict[str, int] = {}
        writes: dict[str, int] = {}
        for (path, folder), when in seen.items():
            whole = self._places.find(path, folder)
            if whole is None:
                continue
            for number, firsts in ((when.read, reads), (when.written, writes)):
                if number is not None:
                    firsts[whole] = min(number, firsts.get(whole, number))
        read = (path for path, number in reads.items() if number <= writes.get(path, number))
        return tuple(map(Path, sorted(read))), tuple(map(Path, sorted(writes)))

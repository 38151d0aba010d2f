"""The run record: a line of JSON for each verdict, on disk as soon as its test is over, so that a killed run leaves its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import BinaryIO, Final

from .._json import Json, one_line
from ..errors import UsageError

__all__ = ["Lines", "read"]

PIECE: Final = 1 << 16


class Lines:
    """A file that lines are appended to.

    Each line goes out in one unbuffered write: what is written stays when the process is killed, and runs beside each other
    don't mix lines. A line that a killed run left half is cut off before anything is appended.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file; UsageError if it can't be written, or holds something else."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._mend()
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise UsageError(f"--mlrepro-json: can't write {path}: {error.strerror or error}") from None

    def write(self, record: Json) -> None:
        """Append a line; UsageError if the disk is full."""
        line = f"{one_line(record)}\n".encode()
        try:
            written = self._file.write(line)
        except OSError as error:
            raise UsageError(f"--mlrepro-json: can't write {self.path}: {error.strerror or error}") from None
        if written != len(line):
            raise UsageError(
                f"--mlrepro-json: only {written} of {len(line)} bytes went to {self.path}: is the disk full?"
            )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _mend(self) -> None:
        """End the last line where only its end is missing; cut it off where it is torn."""
        if not self.path.exists():
            return
        with self.path.open("r+b") as file:
            if file.read(1) not in (b"", b"{"):
                raise UsageError(f"--mlrepro-json: {self.path} is no run record, and nothing is appended to it")
            start = _last_line(file)
            file.seek(start)
            tail = file.read()
            if _is_torn(tail):
                file.truncate(start)
            elif tail:
                file.write(b"\n")


def _last_line(file: BinaryIO) -> int:
    """Return where the text behind the last end of a line begins."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - PIECE)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _is_torn(line: bytes) -> bool:
    """Tell whether this is the beginning of a line of ours, and not all of it."""
    try:
        json.loads(line)
    except ValueError:
        return b'{"'.startswith(line[:2])
    return False


def read(path: Path) -> list[Json]:
    """Return the records of a file, oldest first, without a last line that a killed run left half.

    UsageError for a file that is none, naming the line.
    """
    try:
        data = path.read_bytes()
        torn = data.rfind(b"\n") + 1
        text = (data[:torn] if _is_torn(data[torn:]) else data).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"can't read {path}: {getattr(error, 'strerror', None) or error}") from None
    records = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            records.append((record["time"], record["test"], record["check"], record))
        except (ValueError, TypeError, KeyError):
            raise UsageError(f"{path}:{number} is no line of a run record (--mlrepro-json): {line[:80]!r}") from None
    return [record for *_, record in sorted(records, key=lambda item: item[0])]

"""The run record: a line of JSON for each verdict, appended to a file, so that runs on a schedule make a course over time."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

from .._json import Json, one_line
from ..errors import UsageError
from ..session import Session

__all__ = ["append", "read"]


def append(session: Session, path: Path) -> None:
    """Append the verdicts of a run; UsageError if the file can't be written."""
    text = "".join(f"{one_line(line)}\n" for line in _lines(session))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(
            "a", encoding="utf-8", newline="\n"
        ) as file:  # one write: runs beside each other don't mix lines
            file.write(text)
    except OSError as error:
        raise UsageError(f"--mlrepro-json: can't write {path}: {error.strerror or error}") from None


def _lines(session: Session) -> Iterator[Json]:
    told = {(nodeid, name) for nodeid, name, _ in session.verdicts}
    for nodeid, name, facts in session.verdicts:
        yield {"test": nodeid, "check": name, **json.loads(facts)}
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    for nodeid, checks in session.by_test.items():
        for check in checks:
            if (nodeid, check.name) not in told:
                yield {"test": nodeid, "check": check.name, "kind": "golden", "outcome": check.outcome, "time": now}


def read(path: Path) -> list[Json]:
    """Return the records of a file, oldest first; UsageError for a file that is none, naming the line."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"can't read {path}: {getattr(error, 'strerror', None) or error}") from None
    records = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            records.append((record["time"], record["test"], record["check"], record))
        except (ValueError, TypeError, KeyError):
            raise UsageError(f"{path}:{number} is no line of a run record (--mlrepro-json): {line[:80]!r}") from None
    return [record for *_, record in sorted(records, key=lambda item: item[0])]

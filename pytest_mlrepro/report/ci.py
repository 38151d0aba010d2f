"""A run as CI services show it: annotations and a summary for GitHub, a code-quality report for GitLab.

Names and values come from tests, and so from whoever wrote a pull request: none may end a line, start a command of the
service, or become markup. So each is escaped where it is put into a text, by the rules of that text.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from ..session import Session

__all__ = ["Failure", "Service", "code_quality", "commands", "service_of", "summary", "written"]

Service: TypeAlias = Literal["github", "gitlab", "none"]

ANNOTATIONS: Final = 10
"""GitHub shows ten errors of one step."""
SUMMARY_BYTES: Final = 1000 * 1024
"""GitHub refuses a summary of more than 1024 KiB, all of it."""
LINES: Final = 12
CHARACTERS: Final = 4000
_CONTROL: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_PUNCTUATION: Final = re.compile(r"[^\w\s]|[_\n\r]")


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed test whose checks are ours."""

    nodeid: str
    path: Path
    line: int
    """From 1."""
    text: str
    """What the failure says: its conclusion in the first line."""

    @property
    def headline(self) -> str:
        """The conclusion."""
        return next((line.strip() for line in self.text.splitlines() if line.strip()), "failed")


def service_of(asked: str, environment: Mapping[str, str]) -> Service:
    """Return which service to report to: the one that was asked for, or with `auto` the one that runs this."""
    if asked == "github" or (asked == "auto" and environment.get("GITHUB_ACTIONS") == "true"):
        return "github"
    if asked == "gitlab" or (asked == "auto" and environment.get("GITLAB_CI") == "true"):
        return "gitlab"
    return "none"


def commands(failures: Iterable[Failure], top: Path) -> Iterator[str]:
    """Yield a workflow command for each failure, at its file and line below `top`; after the tenth, how many more there are.

    Source of the syntax: docs.github.com, "Workflow commands for GitHub Actions".
    """
    failed = list(failures)
    shown = failed if len(failed) <= ANNOTATIONS else failed[: ANNOTATIONS - 1]
    for failure in shown:
        facts = {"file": _below(failure.path, top), "line": str(failure.line), "title": f"mlrepro: {failure.nodeid}"}
        properties = ",".join(f"{key}={_property(_plain(value))}" for key, value in facts.items())
        yield f"::error {properties}::{_data(_cut(_plain(failure.text)))}"
    if len(shown) < len(failed):
        yield f"::error title=mlrepro::{len(failed) - len(shown)} more tests failed: see the summary of this job"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(session: Session, failures: Iterable[Failure], lines: Iterable[str]) -> str:
    """Return a run in Markdown: what came out, each failure with its words behind a fold, then the lines of the terminal."""
    failed = list(failures)
    parts = ["## mlrepro\n\n", _table(session)]
    parts += [f"\n**{len(failed)} failed**\n\n"] if failed else []
    parts += [
        f"<details><summary><code>{_markup(failure.nodeid)}</code> {_markup(failure.headline)}</summary>\n"
        f"<pre>{_markup(_cut(_plain(failure.text)))}</pre></details>\n"
        for failure in failed
    ]
    rest = "\n".join(_plain(line) for line in lines)
    parts += [f"\n<pre>{_markup(rest)}</pre>\n"] if rest else []
    return _fitting(parts, len(failed))


def _table(session: Session) -> str:
    counts = [(f"golden: {outcome}", count) for outcome, count in sorted(session.outcomes.items())]
    verdicts: dict[str, int] = {}
    for _, _, told in session.verdicts:
        facts = json.loads(told)
        words = f"{facts.get('kind', 'check')}: {facts.get('verdict', facts.get('outcome', ''))}"
        verdicts[words] = verdicts.get(words, 0) + 1
    rows = [f"| {_markup(_plain(words))} | {count} |\n" for words, count in [*counts, *sorted(verdicts.items())]]
    return "".join(["| check | count |\n| --- | ---: |\n", *rows]) if rows else ""


def _fitting(parts: list[str], total: int) -> str:
    """Return the parts that fit into what GitHub takes, whole ones only."""
    size, kept = 0, []
    for part in parts:
        size += len(part.encode())
        if size > SUMMARY_BYTES:
            kept.append(f"\nand more than fits here: {total} tests failed in all.\n")
            break
        kept.append(part)
    return "".join(kept)


def _markup(text: str) -> str:
    """Return text that neither Markdown nor HTML takes for more than text: punctuation and line ends as character references.

    An empty line would end our own block of HTML, also inside `<pre>`.
    """
    return _PUNCTUATION.sub(lambda match: f"&#{ord(match[0])};", text)


def code_quality(failures: Iterable[Failure], top: Path) -> str:
    """Return the failures as a code-quality report of GitLab; a run without any gives an empty one, which clears the last.

    Source of the format: docs.gitlab.com, "Code Quality report format".
    """
    entries = [
        {
            "check_name": "mlrepro",
            "description": f"{_plain(failure.nodeid)}: {_plain(failure.headline)}"[:CHARACTERS],
            "fingerprint": hashlib.sha256(failure.nodeid.encode("utf-8", "surrogatepass")).hexdigest(),
            "severity": "major",
            "location": {"path": _below(failure.path, top), "lines": {"begin": failure.line}},
        }
        for failure in failures
    ]
    return json.dumps(entries, indent=1) + "\n"


def _below(path: Path, top: Path) -> str:
    return Path(os.path.relpath(path, top)).as_posix()


def _plain(text: str) -> str:
    """Return text without what moves a cursor, colours a terminal or can't be written as UTF-8."""
    return _CONTROL.sub(lambda match: "" if match[0].startswith("\x1b[") else "�", text)


def _cut(text: str) -> str:
    lines = text.splitlines()
    kept = lines if len(lines) <= LINES else [*lines[:LINES], f"… and {len(lines) - LINES} more lines"]
    whole = "\n".join(kept)
    return whole if len(whole) <= CHARACTERS else whole[:CHARACTERS] + "…"


def written(write: Callable[[], object], what: str) -> str:
    """Write something, and return what to say where that fails: a report that can't be written fails no run."""
    try:
        write()
    except OSError as error:
        return f"can't write {what}: {error.strerror or error}"
    return ""

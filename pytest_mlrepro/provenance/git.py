"""What git says about a folder, if there is a git and it answers: a broken repository never stops a test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["GitState", "ask_git", "git_state", "own_environment", "read_git"]

_SECONDS: Final = 10.0
_FOREIGN: Final = frozenset(
    {
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
        *(
            "GIT_COMMON_DIR",
            "GIT_NAMESPACE",
            "GIT_PREFIX",
            "GIT_GRAFT_FILE",
            "GIT_SHALLOW_FILE",
            "GIT_IMPLICIT_WORK_TREE",
        ),
    }
)
"""Set while git runs a hook, such as one that runs the tests: they point to the repository of that hook."""


@dataclass(frozen=True, slots=True)
class GitState:
    """Which commit is checked out, and whether files that git knows differ from it."""

    commit: str
    """The full name of the commit, in hexadecimal."""
    dirty: bool | None
    """None where git couldn't tell. Files that git doesn't know make nothing dirty, as in `git describe --dirty`."""


def git_state(root: Path, *, exclude: Sequence[str] = (), seconds: float = _SECONDS) -> GitState | None:
    """Return the state of the repository that `root` lies in; None if it is unknown.

    It is unknown outside of a repository, before the first commit, without a git command, if the repository is broken or
    belongs to somebody that git doesn't trust, and if git takes more than `seconds`. Detached and linked worktrees and
    submodules are repositories like others. Nothing is written, no lock is taken.

    exclude: git's glob patterns, seen from the top of the repository, of files whose changes don't count, as `**/__golden__/**`.
    """
    commit = ask_git(root, "rev-parse", "--verify", "HEAD^{commit}", seconds=seconds)
    if not commit:
        return None
    paths = (":(top)", *(f":(top,exclude,glob){pattern}" for pattern in exclude))
    changed = ask_git(root, "status", "--porcelain", "--untracked-files=no", "--", *paths, seconds=seconds)
    return GitState(commit, None if changed is None else bool(changed))


def ask_git(root: Path, *arguments: str, seconds: float = _SECONDS) -> str | None:
    """Return what a git command that only reads prints, without the last newline; None if it fails or takes too long."""
    printed = read_git(root, *arguments, seconds=seconds)
    return None if printed is None else printed.decode("utf-8", "replace").rstrip("\n")


def read_git(root: Path, *arguments: str, given: bytes = b"", seconds: float = _SECONDS) -> bytes | None:
    """Return the bytes that a git command prints; `given` is what it reads. None if it fails or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603  # fixed words, no shell
            ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-C", str(root), *arguments],  # noqa: S607  # the user's own git
            input=given,
            capture_output=True,
            timeout=seconds,
            check=False,
            env=own_environment(),
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):  # ValueError: a path with a zero byte
        return None
    return done.stdout if done.returncode == 0 else None


def own_environment() -> dict[str, str]:
    """Return the environment without what points git to the repository of a hook."""
    return {name: value for name, value in os.environ.items() if name not in _FOREIGN}

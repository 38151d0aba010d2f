"""A copy of the state of now, in a git worktree of its own: changed for a try, put back after it, gone at the end.

The user's checkout, index and branches are only read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from ..errors import UsageError
from ..provenance.git import own_environment
from .interrupt import undisturbed

__all__ = ["Tree", "tree_of"]

_Stamp: TypeAlias = tuple[int, int, int]
_PREFIX: Final = "mlrepro-bisect-"
_LINKED: Final = 256 * 2**20
"""Larger files are linked, not copied."""


@dataclass
class Tree:
    """The copy."""

    origin: Path
    """The top of the user's checkout."""
    top: Path
    """The top of the copy."""
    is_worktree: bool
    """Whether git knows the copy as a worktree; else it is a plain folder."""
    _stamps: dict[str, _Stamp] = field(default_factory=dict)
    _origins: dict[str, _Stamp] = field(default_factory=dict)

    def fill(self, paths: list[str]) -> None:
        """Copy the files of now."""
        for path in paths:
            self._copy(path)

    def read(self, path: str) -> bytes | None:
        """Return what a file of now holds; None if there is none."""
        try:
            return (self.origin / path).read_bytes()
        except OSError:
            return None

    def change(self, files: Mapping[str, bytes | None]) -> None:
        """Write files, or remove those that are None."""
        for path, data in files.items():
            whole = self.top / path
            if whole.is_symlink() or whole.exists():
                whole.unlink()
            if data is not None:
                whole.parent.mkdir(parents=True, exist_ok=True)
                whole.write_bytes(data)
                _same_mode(self.origin / path, whole)

    def reset(self) -> None:
        """Put everything back to the state of now: what a try changed, wrote or removed.

        Raises UsageError if the user's own file has changed meanwhile, since then there is no one state of now.
        """
        there = set(self._files())
        for path in there - self._stamps.keys():
            (self.top / path).unlink(missing_ok=True)
        for path, stamp in self._stamps.items():
            if path not in there or _stamp(self.top / path) != stamp:
                self._copy(path)

    def _copy(self, path: str) -> None:
        source, target = self.origin / path, self.top / path
        try:
            stamp = _stamp(source)
            if self._origins.setdefault(path, stamp) != stamp:
                raise UsageError(
                    f"{path} has changed meanwhile: leave the files alone while this runs, and run it again"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            if source.stat().st_size > _LINKED and not source.is_symlink():
                target.symlink_to(source)
            else:
                shutil.copy2(source, target, follow_symlinks=False)
            self._stamps[path] = _stamp(target)
        except OSError as error:
            raise UsageError(f"can't copy {source} to {target}: {error.strerror or error}") from error

    def _files(self) -> Iterator[str]:
        for folder, names, files in os.walk(self.top):
            below = Path(folder).relative_to(self.top)
            links = [name for name in names if (Path(folder) / name).is_symlink()]
            names[:] = [name for name in names if name not in links and not (below == Path() and name == ".git")]
            for name in (*files, *links):
                path = (below / name).as_posix()
                if path != ".git":
                    yield path


@contextmanager
def tree_of(origin: Path) -> Iterator[Tree]:
    """Make an empty copy of a checkout, and remove it at the end, whatever happens.

    It is called as the checkout is, since a package may be the folder itself.
    """
    place = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
    top = place / (origin.name or "tree")
    admin: Path | None = None
    try:
        with undisturbed():  # half a worktree would be one that nobody removes
            admin = _add(origin, top)
        yield Tree(origin, top, admin is not None)
    finally:
        with undisturbed():
            _remove(origin, top, admin)
            shutil.rmtree(place, ignore_errors=True)


def _add(origin: Path, top: Path) -> Path | None:
    """Add a worktree without files and return its folder in the repository; a plain folder and None if git can't."""
    done = _git(origin, "worktree", "add", "--detach", "--no-checkout", str(top), "HEAD")
    if done and _git(top, "read-tree", "HEAD"):
        return _admin(top)
    _git(origin, "worktree", "remove", "--force", "--force", str(top))
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir(parents=True)
    return None


def _admin(top: Path) -> Path:
    return Path((top / ".git").read_text("utf-8").removeprefix("gitdir: ").strip())


def _remove(origin: Path, top: Path, admin: Path | None) -> None:
    """Remove the worktree; if git can't, by hand: `git worktree prune` could take others that are only not mounted."""
    if admin is None:
        return
    _git(origin, "worktree", "remove", "--force", "--force", str(top))
    if admin.exists() and admin.parent.name == "worktrees":
        shutil.rmtree(admin, ignore_errors=True)


def _git(folder: Path, *arguments: str) -> bool:
    """Run a git command that writes, without hooks; tell whether it worked."""
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(  # noqa: S603  # fixed words, no shell
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=600,
            check=False,
            env=own_environment(),
            start_new_session=True,  # a Ctrl-C is ours to deal with
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _stamp(path: Path) -> _Stamp:
    stat = path.lstat()
    return stat.st_size, stat.st_mtime_ns, stat.st_mode


def _same_mode(source: Path, target: Path) -> None:
    if source.exists():
        target.chmod(source.stat().st_mode)

"""A whole search: a copy of the project, the suspects as what can be put back, the tries, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ..errors import GoldenError, UsageError
from ..fingerprints.environment.variables import counts
from ..golden import pending, store
from ..golden.record import FILE
from ..provenance.git import own_environment, read_git
from ..provenance.objects import Repository, repository
from ..provenance.record import UNKNOWN, WRITTEN, Provenance
from .child import Outcome, Runner
from .imports import python_path
from .interrupt import interruptible
from .old_files import OldFiles
from .restore import Restorer, variable_value
from .source import Unsplicable
from .state import files_of_now
from .tree import Tree, tree_of
from .tries import Found, Search, Try
from .units import Unit, put_back
from .verdict import Verdict

__all__ = ["Case", "search"]

_TEXTS: Final = (".md", ".rst")
_BOOKS: Final = frozenset({".gitignore", ".gitattributes", "LICENSE"})


@dataclass(frozen=True)
class Case:
    """What is asked: a test with a proposal, what its golden was made from, and what it is made from now."""

    nodeid: str
    root: Path
    """The root directory of the tests."""
    golden: Path
    """The golden's folder."""
    old: Provenance
    new: Provenance
    expected: dict[str, str]
    """The digests of the values that differ, by check."""
    cwd: Path
    arguments: tuple[str, ...] = ()
    seconds: float = 600.0


def search(case: Case, tell: Callable[[Try], None] = lambda done: None) -> Verdict:
    """Rerun the test with the suspects put back one at a time, and return what that says.

    Raises UsageError or GoldenError if the old state can't be had, the project can't be copied, or git doesn't answer.
    The copy is removed in the end, whatever happens; KeyboardInterrupt stands for all signals that ask for an end.
    """
    with interruptible():
        repo = repository(case.root)
        if repo is None:
            raise UsageError(
                f"{case.root} lies in no git repository, or git doesn't answer: there is no old state to put back. "
                "See  git status"
            )
        commits, notes = _commits(case, repo)
        with tree_of(repo.top) as tree:
            tree.fill(files_of_now(repo.top, named=_named(case, repo)))
            if not tree.is_worktree:
                notes.append("The tests ran in a plain copy, since git could add no worktree.")
            return _searched(_Bench(case, repo, tree, commits), notes, tell)


@dataclass(frozen=True)
class _Bench:
    """What the tries are made with."""

    case: Case
    repo: Repository
    tree: Tree
    commits: tuple[str, ...]

    @property
    def root(self) -> Path:
        return self.tree.top / self.repo.prefix

    @property
    def test_file(self) -> str:
        return self.repo.prefix + self.case.nodeid.partition("::")[0]

    def restorer(self) -> Restorer:
        files = OldFiles(self.repo, self.commits)
        return Restorer(self.case.old, self.case.new, files, self.repo.top, self.repo.prefix, self.test_file)

    def runner(self) -> Runner:
        """Return how the test is run: in the copy, with the variables that counted when it failed."""
        case, top = self.case, self.repo.top
        inside = case.cwd.resolve().is_relative_to(top)
        cwd = self.tree.top / case.cwd.resolve().relative_to(top) if inside else self.root
        environment = _environment_of_now(case.new)
        parts = [(name, part.text) for name, part in (case.new.code.parts if case.new.code else ())]
        environment["PYTHONPATH"] = python_path(top, self.tree.top, case.cwd, environment, parts, self.repo.prefix)
        environment["PYTHONDONTWRITEBYTECODE"] = "1"  # bytecode of one try must not serve another
        return Runner(
            case.nodeid, self.root, cwd if cwd.is_dir() else self.root, environment, case.arguments, case.seconds
        )

    def run(self, runner: Runner, units: Sequence[Unit]) -> Outcome:
        """Put units back, run, and put the copy back to the state of now."""
        try:
            change = put_back(units, self.tree.read)
        except Unsplicable as error:
            return Outcome("breaks", f"can't be put back together: {error}")
        try:
            self.tree.change(change.files)
            outcome = runner.run(change.variables)
            return replace(outcome, digests=_digests(self.root)) if outcome.kind == "fails" else outcome
        finally:
            self.tree.reset()


def _searched(bench: _Bench, notes: list[str], tell: Callable[[Try], None]) -> Verdict:
    units, untried = bench.restorer().sorted()
    runner = bench.runner()
    tried = Search(lambda some: bench.run(runner, some), tell)
    found = tried.start(bench.case.expected)
    if found is None and units:
        found = tried.among(units)
    if found is None or found.answer == "none":
        files = _changed_files(bench, units)
        if files:
            notes.append(
                f"Then whole files were put back as at {bench.commits[0][:10]}, {len(files)} that differ, beside the test's own."
            )
            units = [*units, *files]
            found = tried.among(files)
    if found is None:
        found = tried.twice() or Found("none")
    return Verdict(bench.case.nodeid, found, tried.tries, units, untried, [*notes, *_doubts(found, units)])


def _commits(case: Case, repo: Repository) -> tuple[tuple[str, ...], list[str]]:
    """Return the commits that may have what the golden was made from, the likeliest first, and what to say of them."""
    recorded = repo.commit(case.old.commit) if case.old.commit != UNKNOWN else None
    own = _commit_of_golden(case, repo)
    if recorded is None and own is None:
        raise UsageError(_no_commit(case))
    if case.old.dirty is False and recorded is not None:
        return tuple(dict.fromkeys(filter(None, (recorded, own)))), []
    commits = tuple(dict.fromkeys(filter(None, (own, recorded))))
    if case.old.commit == UNKNOWN:
        why = "The golden was recorded before there was a commit"
    elif recorded is None:
        why = f"The golden's commit {case.old.commit[:10]} is not in this repository"
    else:
        why = f"The golden was recorded with uncommitted changes on top of {recorded[:10]}"
    where = "the commit that the golden came with" if own else "the commit before them"
    return commits, [f"{why}: what is put back is from {commits[0][:10]}, {where}."]


def _no_commit(case: Case) -> str:
    if case.old.commit == UNKNOWN:
        why = "the golden says of no commit that it was recorded at, and isn't committed itself"
    else:
        why = f"the golden's commit {case.old.commit[:10]} is not in this repository (rebased, or a shallow clone?)"
    return (
        f"{why}: there is no old state to put back.\n"
        "git fetch --unshallow  may bring it; else compare by hand, from what  mlrepro explain  names"
    )


def _commit_of_golden(case: Case, repo: Repository) -> str | None:
    """Return the commit in which the golden became what it is now; None if it isn't committed as it is."""
    try:
        path = (case.golden.resolve() / FILE).relative_to(repo.top).as_posix()
    except ValueError:
        return None
    latest = repo.log(path, 1)
    entry = repo.entry(latest[0], path) if latest else None
    if entry is None or repo.content(entry) != _read(repo.top / path):
        return None
    return latest[0]


def _named(case: Case, repo: Repository) -> Iterator[str]:
    """Yield the files that count although git may ignore them: of data, artifacts and code, and of the golden itself."""
    for area in (case.new.data, case.new.artifacts):
        for name, _ in area.parts if area else ():
            yield repo.prefix + name if name != WRITTEN else ""
    for _, part in case.new.code.parts if case.new.code else ():
        place = part.text.partition(" (")[0].rpartition(":")[0]
        yield repo.prefix + place if place else ""
    yield repo.prefix + case.nodeid.partition("::")[0]
    if case.golden.resolve().is_relative_to(repo.top):
        yield case.golden.resolve().relative_to(repo.top).as_posix()


def _environment_of_now(new: Provenance) -> dict[str, str]:
    """Return this process's environment with the variables that count as they were when the test failed."""
    environment = own_environment()
    environment.pop("PYTEST_CURRENT_TEST", None)
    if new.environment is None:
        return environment
    named = {name.removeprefix("variable ") for name, _ in new.environment.parts if name.startswith("variable ")}
    for name in [name for name in environment if counts(name) and name not in named]:
        del environment[name]
    for name in named:
        value = variable_value(new.environment, name)
        if value is not None:
            environment[name] = value
    return environment


def _digests(root: Path) -> dict[str, str]:
    """Return the digests of the values that differ, from the proposal that a run has left in the copy."""
    try:
        proposals = pending.read_all(root)
        golden = store.load(proposals[0].folder) if proposals else None
    except GoldenError:
        return {}
    return {name: golden.checks[name].digest for name in proposals[0].changed} if golden else {}


def _changed_files(bench: _Bench, units: Sequence[Unit]) -> list[Unit]:
    """Return each file that differs from the old commit, whatever the suspects: imports and settings are in none of them."""
    commit, top = bench.commits[0], bench.repo.top
    answer = read_git(
        top, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", commit, seconds=600
    )
    names = {raw.decode("utf-8", "surrogateescape") for raw in (answer or b"").split(b"\0") if raw}
    new = read_git(top, "ls-files", "-z", "--others", "--exclude-standard", seconds=600) or b""
    names |= {raw.decode("utf-8", "surrogateescape") for raw in new.split(b"\0") if raw.endswith(b".py")}
    files, made = OldFiles(bench.repo, bench.commits[:1]), []
    done = {path for unit in units for path, _ in unit.files}
    for path in sorted(names - done - {bench.test_file}):
        old = files.at(commit, path)
        if not _is_book(path) and not old.trouble and old.data != bench.tree.read(path):
            made.append(Unit(f"the file {path}", "", None, commit, files=((path, old.data),)))
    return [*made, *(unit for unit in units if made and (unit.files or unit.variables))]


def _is_book(path: str) -> bool:
    """Tell whether a file is of goldens, or for people alone."""
    steps = path.split("/")
    return "__golden__" in steps or ".mlrepro" in steps or steps[-1] in _BOOKS or path.endswith(_TEXTS)


def _doubts(found: Found, units: Sequence[Unit]) -> Iterator[str]:
    """Say of what was put back that it isn't known to be what the golden was made from."""
    unsure = [unit.label for unit in found.carriers or units if unit.commit and not unit.known]
    if unsure and len(unsure) <= 3:
        yield f"Not known to be what the golden was made from, as its digest can't be told: {', '.join(unsure)}."
    elif unsure:
        yield f"Of {len(unsure)} it isn't known whether they were what the golden was made from."


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None

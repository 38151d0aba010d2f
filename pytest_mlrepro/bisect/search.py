"""A whole search: a copy of the project, the suspects as what can be put back, the tries, and the verdict."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import GoldenError, UsageError
from ..fingerprints.environment.variables import counts
from ..golden import pending, store
from ..provenance.git import own_environment
from ..provenance.objects import Repository, repository
from ..provenance.record import WRITTEN, Provenance
from .case import Case
from .child import Outcome, Runner
from .commits import commits_of
from .imports import python_path, strangers
from .interrupt import interruptible
from .old_files import OldFiles
from .restore import Restorer, variable_value
from .source import Unsplicable
from .state import files_of_now
from .stored import lend, store_arguments
from .tree import Tree, tree_of
from .tries import Found, Search, Try
from .units import Unit, put_back
from .verdict import Verdict
from .whole_files import whole_files

__all__ = ["search"]


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
        commits = commits_of(case, repo)
        notes = [commits.doubt] if commits.doubt else []
        with tree_of(repo.top) as tree:
            tree.fill(files_of_now(repo.top, named=_named(case, repo)))
            if not tree.is_worktree:
                notes.append("The tests ran in a plain copy, since git could add no worktree.")
            return _searched(_Bench(case, repo, tree, OldFiles(repo, commits.names, commits.sure)), notes, tell)


@dataclass(frozen=True)
class _Bench:
    """What the tries are made with."""

    case: Case
    repo: Repository
    tree: Tree
    files: OldFiles

    @property
    def root(self) -> Path:
        return self.tree.top / self.repo.prefix

    @property
    def test_file(self) -> str:
        return self.repo.prefix + self.case.nodeid.partition("::")[0]

    def restorer(self) -> Restorer:
        return Restorer(self.case.old, self.case.new, self.files, self.repo.top, self.repo.prefix, self.test_file)

    def runner(self) -> Runner:
        """Return how the test is run: in the copy, with the variables that counted when it failed."""
        case, top = self.case, self.repo.top
        inside = case.cwd.resolve().is_relative_to(top)
        cwd = self.tree.top / case.cwd.resolve().relative_to(top) if inside else self.root
        environment = _environment_of_now(case.new)
        parts = [(name, part.text) for name, part in (case.new.code.parts if case.new.code else ())]
        environment["PYTHONPATH"] = python_path(top, self.tree.top, case.cwd, environment, parts, self.repo.prefix)
        environment["PYTHONDONTWRITEBYTECODE"] = "1"  # bytecode of one try must not serve another
        arguments = (*case.arguments, *store_arguments(case.root))
        return Runner(case.nodeid, self.root, cwd if cwd.is_dir() else self.root, environment, arguments, case.seconds)

    def run(self, runner: Runner, units: Sequence[Unit]) -> Outcome:
        """Put units back, run, and put the copy back to the state of now."""
        try:
            change = put_back(units, self.tree.read)
        except Unsplicable as error:
            return Outcome("breaks", f"can't be put back together: {error}")
        try:
            self.tree.change(change.files)
            lend(self.case.root, self.root)
            outcome = runner.run(change.variables)
            outcome = replace(outcome, words=outcome.words.replace(f"{self.tree.top}{os.sep}", ""))
            return replace(outcome, digests=_digests(self.root)) if outcome.kind == "fails" else outcome
        finally:
            self.tree.reset()


def _searched(bench: _Bench, notes: list[str], tell: Callable[[Try], None]) -> Verdict:
    units, untried = bench.restorer().sorted()
    runner = bench.runner()
    _refuse_strangers(bench, runner)
    tried = Search(lambda some: bench.run(runner, some), tell)
    found = tried.start(bench.case.expected)
    if found is None and units:
        found = tried.among(units)
    if found is None or found.answer == "none":
        files = whole_files(bench.tree, bench.files, bench.test_file, units)
        if files:
            notes.append(
                f"At last all files that differ from {bench.files.commits[0][:10]} were put back as a whole, "
                "but for the test's own and for goldens: what no suspect holds, such as imports and settings, is in them."
            )
            units = [*units, *files]
            found = tried.among(files)
    if found is None:
        found = tried.twice() or Found("none")
    return Verdict(bench.case.nodeid, found, tried.tries, units, untried, [*notes, *_doubts(found, units)])


def _refuse_strangers(bench: _Bench, runner: Runner) -> None:
    """Raise UsageError if code of the project would be imported from the user's checkout, where nothing is put back."""
    code = bench.case.new.code
    names = {name.partition(".")[0] for name, part in code.parts if ".py:" in part.text} if code else set()
    for name, place in strangers(names, runner.cwd, runner.environment):
        if place.is_relative_to(bench.repo.top) and not place.is_relative_to(bench.tree.top):
            raise UsageError(
                f"{name} is imported from {place} also in a copy of the project, so that nothing can be put back: an "
                "import hook, as of an editable install with builds, comes first. Install the project without it, and run again"
            )


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


def _doubts(found: Found, units: Sequence[Unit]) -> Iterator[str]:
    """Say of what was put back that it isn't known to be what the golden was made from."""
    unsure = [unit.label for unit in found.carriers or units if unit.commit and not unit.known]
    if unsure and len(unsure) <= 3:
        yield f"Not known to be what the golden was made from, as its digest can't be told: {', '.join(unsure)}."
    elif unsure:
        yield f"Of {len(unsure)} it isn't known whether they were what the golden was made from."

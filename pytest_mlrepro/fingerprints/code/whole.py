"""The fingerprint of code: the project's functions, classes and constants that some functions reach, and packages."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import CodeType
from typing import Final

from ...values.node import Group
from ...values.origins import module_file, module_namespace
from ..combined import combined
from ..digest import Fingerprint
from ..values import fingerprint_node
from .packages import packages_of
from .parts import Part
from .project import Project, project_of
from .reach import Reach
from .scopes import Scope

__all__ = ["RAN", "changed_code", "fingerprint_code", "project_of", "without_ran"]

RAN: Final = "ran"
"""Name of the part that holds functions which ran though nothing mentions them."""


def fingerprint_code(
    roots: Iterable[object],
    *,
    project: Path | str | Sequence[Path | str],
    ran: Iterable[CodeType] | None = None,
    alone: bool = False,
) -> Fingerprint:
    """Return the fingerprint of the code that functions and classes reach.

    `roots` are functions, methods, classes or what decorators made of them, such as a test and its fixtures. Each
    function, class and module-level constant that they reach in the files of `project` (its folder, or several) is a
    part named `module.qualname`, whose text is its place, `train.py:41`. A part changes only when its own source or
    value does: comments, docstrings, formatting and place don't count, and neither does what it calls. Installed
    packages that the code mentions are parts named `package numpy`, by version; one that was installed from a folder
    (`pip install -e .`) counts by its code. Python itself is left out: its version is part of the environment.

    `ran` are the code objects that really ran (see `Ran`); those that nothing mentions become parts of a part named
    `ran`. None, as on Python 3.11, leaves it out; compare with `changed_code`.

    `alone`: a function inside another one, such as a lambda, counts by its own source. Without it the source of the
    outermost one counts, on which depends what it captures: only who knows that otherwise can do without.
    """
    reach = Reach(Project.at(project), alone=alone)
    for root in roots:
        reach.root(root)
    own = _named(reach.parts)
    modules = set(reach.parts.modules)
    if ran is not None:
        own.append((RAN, combined("ran", _named(_add_ran(reach, ran)))))
    packages = {package for module in sorted(modules) for package in packages_of(module)}
    own += [(f"package {package.name}", _package(package.name, package.version)) for package in sorted(packages)]
    return combined("code", own)


def _named(parts: Iterable[Part]) -> list[tuple[str, Fingerprint]]:
    """Sort parts by name; those of one name, such as two closures of one function, by content."""
    found = [(part.name, part.fingerprint) for part in parts]
    return sorted(found, key=lambda entry: (entry[0], entry[1].kind, entry[1].digest))


def _add_ran(reach: Reach, ran: Iterable[CodeType]) -> list[Part]:
    """Walk on from the functions that ran and were not reached; return what that adds."""
    before = len(reach.parts)
    modules: dict[str, str] = {}
    for code in ran:
        file = reach.file(code.co_filename)
        pieces = file.function(code) if file is not None else ()
        if file is None or not pieces or reach.parts.has_source(file, pieces[0].lineno):
            continue
        modules = modules or _modules_by_file()
        module = modules.get(code.co_filename, Path(code.co_filename).stem)
        outer = file.definitions.get(code.co_qualname.partition(".<locals>")[0], [])
        inside = "<locals>" in code.co_qualname and any(reach.parts.has_source(file, node.lineno) for node in outer)
        if not inside and reach.project.holds(code.co_filename, module):
            reach.define(file, pieces, Scope(module, module_namespace(module), {}), code.co_qualname, code=code)
    reach.run()
    return list(reach.parts)[before:]


def _modules_by_file() -> dict[str, str]:
    found = ((module_file(module_namespace(name)), name) for name in list(sys.modules))
    return {filename: name for filename, name in found if filename is not None}


def _package(name: str, version: str) -> Fingerprint:
    plain = fingerprint_node(Group("package", (("name", name), ("version", version)), ()))
    return Fingerprint(plain.digest, "package", (), version)


def without_ran(code: Fingerprint) -> Fingerprint:
    """Return a code fingerprint without the part of what ran: what was found by reading alone."""
    kept = [(name, part) for name, part in code.parts if name != RAN]
    return combined("code", kept) if len(kept) != len(code.parts) else code


def changed_code(old: Fingerprint, new: Fingerprint) -> tuple[str, ...]:
    """Return the names of the parts of a code fingerprint that were changed, added or removed.

    What ran differs from run to run, by what was cached and by the version of Python, though no code changed; so of
    the part `ran` only functions that are in both fingerprints count.
    """
    names = [name for name in without_ran(old).diff(without_ran(new)) if name]
    before, after = _digests_of_ran(old), _digests_of_ran(new)
    changed = [f"{RAN}/{name}" for name in before if name in after and before[name] != after[name]]
    return (*names, *changed)


def _digests_of_ran(code: Fingerprint) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for part in [part for name, part in code.parts if name == RAN]:
        for name, function in part.parts:
            found.setdefault(name, Counter())[function.digest] += 1
    return found

"""The marker `adversarial`: before the body of a test, the model that its fixtures give is attacked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from _pytest.fixtures import FixtureLookupError

from ..errors import UsageError
from ..robustness.arguments import OPTIONS
from ..robustness.corruption import Corruption
from ..robustness.tabular import Tabular
from ..robustness.threats import Ball, Threat
from .phases import Phases

__all__ = ["Adversarial", "asks"]

NAMES: Final = ("model", "inputs", "labels")
ALSO: Final = frozenset({"name", "baseline", "max_drop"})
WHERE: Final = "@pytest.mark.adversarial"


def asks(item: pytest.Item) -> bool:
    """Tell whether a test has the marker."""
    return item.get_closest_marker("adversarial") is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """One marker."""

    threats: tuple[Threat, ...]
    names: Mapping[str, str | None]
    """Of the fixtures or arguments: by model, inputs and labels; None for labels that a regression has none of."""
    options: Mapping[str, Any] = field(default_factory=dict)


class Adversarial:
    """A plugin of runs in which some test has the marker."""

    def __init__(self, phases: Phases) -> None:
        self._phases = phases

    def begin(self, items: Iterable[pytest.Item]) -> None:
        """Have pytest make the fixtures that markers name, for tests that don't ask for them as arguments."""
        for item in items:
            names = getattr(item, "fixturenames", None)
            if names is None or not asks(item) or not hasattr(item, "_fixtureinfo"):
                continue
            try:
                wanted = {name for asked in _asked(item) for name in asked.names.values() if name is not None}
            except UsageError:
                continue  # the test will say so
            wanted = {name for name in wanted if _known(item, name)}
            kept = {"robustness"} if any(asked.options.get("baseline") for asked in _asked(item)) else set()
            names.extend(sorted({*kept, *wanted} - set(names)))  # a fixture that records has the test recorded twice

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Attack, and fail the test before its body if the model falls."""
        __tracebackhide__ = True
        if asks(item):
            self._phases.attacking(lambda: self._attack(item))

    def _attack(self, item: pytest.Item) -> None:
        robustness = self._phases.open_robustness()
        failures = []
        for asked in _asked(item):
            given = {role: None if name is None else _value(item, role, name) for role, name in asked.names.items()}
            for threat in asked.threats:
                options = dict(asked.options)
                if options.get("name") is not None and len(asked.threats) > 1:
                    options["name"] = f"{options['name']} {threat}"
                _, failure = robustness.evaluate(given["model"], given["inputs"], given["labels"], threat, **options)
                failures += [failure] if failure else []
        if failures:
            raise AssertionError("\n\n".join(failures))


def _known(item: Any, name: str) -> bool:
    """Tell whether a test has a fixture of this name; then it and those that it asks for are the test's from now on."""
    known = item._fixtureinfo.name2fixturedefs
    if name in known:
        return True
    found = item.session._fixturemanager.getfixturedefs(name, item)
    if not found:
        return False
    known[name] = found
    for other in found[-1].argnames:
        _known(item, other)
    return True


def _asked(item: pytest.Item) -> list[Asked]:
    """Return the markers of a test, the outermost first; UsageError for a wrong one."""
    return [_read(mark) for mark in reversed(list(item.iter_markers("adversarial")))]


def _read(mark: pytest.Mark) -> Asked:
    if not mark.args:
        raise UsageError(f"{WHERE}: a threat is expected, such as Linf(8/255, bounds=(0, 1))")
    for threat in mark.args:
        if not isinstance(threat, Ball | Tabular | Corruption):
            raise UsageError(f"{WHERE}: threats such as Linf(8/255) are expected, got {threat!r}")
    unknown = sorted(mark.kwargs.keys() - {*NAMES, *OPTIONS, *ALSO})
    if unknown:
        known = (*NAMES, *sorted(OPTIONS | ALSO))
        raise UsageError(f"{WHERE} has no argument {unknown[0]!r}: {_hint(unknown[0], known)}")
    names = {role: mark.kwargs.get(role, role) for role in NAMES}
    if mark.kwargs.get("max_change") is not None and "labels" not in mark.kwargs:
        names["labels"] = None  # a regression has none
    for role, name in names.items():
        if name is not None and (not isinstance(name, str) or not name):
            raise UsageError(f"{WHERE}: {role} is the name of a fixture or an argument of the test, got {name!r}")
    return Asked(mark.args, names, {name: value for name, value in mark.kwargs.items() if name not in NAMES})


def _hint(name: str, known: tuple[str, ...]) -> str:
    import difflib  # only a mistake needs it

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    return f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"


def _value(item: pytest.Item, role: str, name: str) -> Any:
    """Return what a fixture or an argument of the test gives."""
    held = getattr(item, "funcargs", {})
    if name in held:
        return held[name]
    request = getattr(item, "_request", None)
    try:
        if request is not None:
            return request.getfixturevalue(name)
    except FixtureLookupError:
        pass
    raise UsageError(
        f"{WHERE}: the test has no fixture and no argument {name!r}; write one, or give the name of another: {role}='…'"
    )

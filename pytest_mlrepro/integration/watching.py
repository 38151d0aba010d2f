"""What a test is made from, as far as pytest knows it: its function and fixtures, and the files that are opened meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..records import Settings
from .markers import Plan

if TYPE_CHECKING:
    from ..provenance.gather import Sources
    from ..tracking import FileTracker, Tracking

__all__ = ["Watch", "Watched", "of_the_project"]

PACKAGE = str(Path(__file__).parent.parent)
ASKING = frozenset({"golden", "fingerprint", "pipeline", "drift", "robustness", "contract"})


class Watched:
    """One test: the stretch in which its files are noted, and what its provenance is gathered from."""

    def __init__(self, watch: Watch, item: pytest.Item, plan: Plan | None) -> None:
        self._watch, self._item, self._plan = watch, item, plan
        self._tracking: Tracking | None = None
        self._ran: Any = None
        self._sources: Sources | None = None

    def start(self, tracker: FileTracker | None, ran: Any) -> Watched:
        """Note files from now on, and what runs if `ran` is given."""
        if tracker is not None:
            self._tracking = tracker.tracking().__enter__()
        if ran is not None:
            self._ran = ran.__enter__()
        return self

    def stop(self) -> None:
        """Note nothing any more; what was noted stays."""
        if self._ran is not None:
            self._ran.__exit__(None, None, None)
        if self._tracking is not None:
            self._tracking.__exit__(None, None, None)

    @property
    def sources(self) -> Sources:
        """Return what the provenance of the test is gathered from; made when somebody asks first."""
        if self._sources is None:
            from ..provenance.gather import Sources

            plan = self._plan
            self._sources = Sources(
                root=self._item.config.rootpath,
                base=self._item.path.parent,
                functions=tuple(_functions(self._item)),
                code=plan.code if plan else (),
                data=plan.data if plan else (),
                artifacts=plan.artifacts if plan else (),
                golden_dir=self._watch.settings.golden_dir,
                data_dirs=self._watch.settings.data_dirs,
                opened=self._opened,
                ran=self._that_ran,
            )
        return self._sources

    def _opened(self) -> tuple[set[Path], set[Path]] | None:
        if self._tracking is None:
            return None
        stretches = [(self._tracking.read, self._tracking.written), *self._watch.by_fixtures(self._item)]
        written = {path for _, paths in stretches for path in paths}
        read = {path for paths, _ in stretches for path in paths}
        return read, written - read

    def _that_ran(self) -> Any:
        return None if self._ran is None else self._ran.codes


class Watch:
    """Notes the files that tests with a golden open, and those that their wider fixtures opened before."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config, self.settings = config, settings
        self._tracker: FileTracker | None = None
        self._ran: Any = None
        self._fixtures: dict[object, tuple[tuple[Path, ...], tuple[Path, ...]]] = {}

    def concerns(self, item: pytest.Item) -> bool:
        """Tell whether a test asks for something that needs a provenance."""
        return not ASKING.isdisjoint(getattr(item, "fixturenames", ()))

    def watch(self, item: pytest.Item, plan: Plan | None) -> Watched:
        """Start to note what a test opens; on a recording also what code of the project runs (Python 3.12 and later)."""
        return Watched(self, item, plan).start(self._tracking_of(), self._runs_of())

    def unwatched(self, item: pytest.Item, plan: Plan | None) -> Watched:
        """Return what is known of a test that was not watched from its start."""
        return Watched(self, item, plan)

    def begin(self, items: list[pytest.Item]) -> None:
        """Look at wider fixtures from now on, if any test of this run needs a provenance."""
        if self.settings.track_files and any(map(self.concerns, items)):
            self._config.pluginmanager.register(WiderFixtures(self), "mlrepro-fixture-files")

    def close(self) -> None:
        """Put back what was replaced in libraries in order to see what they open."""
        if self._tracker is not None:
            self._tracker.close()

    def around(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Note what a fixture opens that outlives the test which happens to set it up."""
        tracker = self._tracking_of()
        assert tracker is not None  # the hook is there only if files are noted
        with tracker.tracking() as seen:
            result = yield
        self._fixtures[fixturedef] = (seen.read, seen.written)
        return result

    @property
    def tracking(self) -> Callable[[], Tracking] | None:
        """What opens a stretch in which files are noted, inside that of the test; None if files are not noted."""
        tracker = self._tracking_of()
        return None if tracker is None else tracker.tracking

    def by_fixtures(self, item: pytest.Item) -> Iterator[tuple[tuple[Path, ...], tuple[Path, ...]]]:
        """Yield what the wider fixtures of a test opened."""
        for fixturedef in _fixturedefs(item):
            if fixturedef in self._fixtures:
                yield self._fixtures[fixturedef]

    def _tracking_of(self) -> FileTracker | None:
        if not self.settings.track_files:
            return None
        if self._tracker is None:
            from ..tracking import FileTracker

            settings, basetemp = self.settings, self._config.getoption("basetemp", None)
            goldens = [settings.root / settings.golden_dir] if "/" in settings.golden_dir else []
            if settings.store and "://" not in settings.store:
                goldens.append(settings.root / settings.store)
            excluded = [*goldens, *([Path(basetemp).absolute()] if basetemp else [])]
            self._tracker = FileTracker([settings.root, *settings.data_dirs], excluded=excluded)
        return self._tracker

    def _runs_of(self) -> Any:
        if self.settings.mode == "check" or not hasattr(sys, "monitoring"):
            return None
        if self._ran is None:
            from ..fingerprints.code import Ran

            self._ran = Ran(self.settings.root)
        return self._ran


class WiderFixtures:
    """The hook around fixtures that live longer than a test."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Note the files that it opens."""
        if fixturedef.scope == "function":
            return (yield)
        return (yield from self._watch.around(fixturedef))


def _functions(item: pytest.Item) -> Iterator[object]:
    """Yield the test and the functions of its fixtures, but for those that plugins bring."""
    if (function := getattr(item, "obj", None)) is not None:
        yield function
    for fixturedef in _fixturedefs(item):
        if of_the_project(fixturedef.func):
            yield fixturedef.func


def _fixturedefs(item: pytest.Item) -> Iterator[pytest.FixtureDef[Any]]:
    info = getattr(item, "_fixtureinfo", None)
    for fixturedefs in info.name2fixturedefs.values() if info is not None else ():
        yield from fixturedefs


def of_the_project(function: object) -> bool:
    """Tell whether a fixture's function is none that a plugin brings."""
    code = getattr(function, "__code__", None)
    file = code.co_filename if code is not None else ""
    return not file.startswith(PACKAGE) and not {"site-packages", "dist-packages"} & set(Path(file).parts)

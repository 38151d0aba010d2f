"""What a run collected and left out, so that only a complete one may call a golden obsolete."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..records import Settings
from ..session import Session
from .completeness import is_worker, judge, report_to_controller
from .properties import cached_steps, entropy_sites, outcomes, remarks, spreads, variant_of, verdicts
from .running import test_id

__all__ = ["collect", "finish", "holds_goldens", "wants_attacks", "wants_reruns", "write_last_run"]


def collect(session: Session, items: list[pytest.Item], config: pytest.Config) -> None:
    """Note the tests of this run, and whether they are all there are."""
    session.run.collected = {test_id(item): item.nodeid for item in items}
    judge(session, config)


def holds_goldens(settings: Settings, path: Path) -> bool:
    """Tell whether this is the folder of a module's goldens: pytest would make a collector of each golden in it.

    One look inside settles it, since a folder of tests may have the name that was chosen for goldens.
    """
    if "/" in settings.golden_dir:
        inside = path.is_relative_to(settings.root / settings.golden_dir)
    else:
        inside = path.parent.name == settings.golden_dir
    if not inside:
        return False
    try:
        with os.scandir(path) as entries:
            first = next(entries, None)
            return first is not None and Path(first, "golden.json").exists()
    except OSError:
        return False


def finish(session: Session, report: pytest.TestReport) -> None:
    """Gather the golden checks of a test from its last report, and how the test went."""
    run = session.run
    if report.when == "setup" and report.passed:
        run.passed.add(report.nodeid)
    elif not report.passed:
        run.passed.discard(report.nodeid)
    if report.when == "teardown":
        run.finished.add(report.nodeid)
    if report.when == "teardown" and report.user_properties:
        for check in outcomes(report):
            run.touched.add(report.nodeid)
            session.add(report.nodeid, check)
        session.entropy.update(entropy_sites(report))
        session.verdicts += [(report.nodeid, name, facts) for name, facts in verdicts(report)]
        variant = variant_of(report)
        if variant is not None:
            session.variants[report.nodeid] = variant
        said = dict(remarks(report))
        if said:
            session.remarks[report.nodeid] = said
        if report.nodeid in run.passed:  # in one that failed they may be what failed it
            session.spreads += [(report.nodeid, *spread) for spread in spreads(report)]
        for step, event in cached_steps(report):
            session.cached.setdefault(event, []).append(f"{report.nodeid}: {step}")


def write_last_run(session: Session, config: pytest.Config) -> None:
    """Keep what the run tells of goldens for `mlrepro prune` and `status`; processes of pytest-xdist tell the first one."""
    if is_worker(config):
        report_to_controller(session, config)
    elif session.run.judged:
        session.keep_last_run()


def wants_reruns(items: list[pytest.Item]) -> bool:
    """Tell whether any test of a run has a marker that asks for reruns."""
    return _any_node(items, _asks)


def wants_attacks(items: list[pytest.Item]) -> bool:
    """Tell whether any test of a run has the marker `adversarial`."""
    return _any_node(items, _attacked)


def _any_node(items: list[pytest.Item], asks: Callable[[Any], bool]) -> bool:
    """Tell whether a test or what holds it asks; most have no marker at all."""
    parents: dict[pytest.Item | pytest.Collector | None, bool] = {None: False}

    def marked(node: Any) -> bool:
        known = parents.get(node)
        if known is None:
            known = parents[node] = asks(node) or marked(node.parent)
        return known

    return any((item.own_markers and asks(item)) or marked(item.parent) for item in items)


def _asks(node: pytest.Item | pytest.Collector) -> bool:
    return any(
        mark.name == "repro" and not mark.kwargs.keys().isdisjoint(("reruns", "vary")) for mark in node.own_markers
    )


def _attacked(node: pytest.Item | pytest.Collector) -> bool:
    return any(mark.name == "adversarial" for mark in node.own_markers)

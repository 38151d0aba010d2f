"""Where two runs of ordinary code part: what is to blame is named, and what differs and harms nobody is not."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_mlrepro.determinism.trace import Options, Parting, parting, tracing

from . import tracing_cases

CLOSE = Options(close=True)


def made(function: Callable[[], object], file: Path, options: Options = CLOSE) -> None:
    with tracing(file, project=Path(__file__).parent, options=options) as recorder:
        recorder.checked("the value", function())


def apart(function: Callable[[], object], folder: Path, varied: str | None = None) -> Parting | None:
    for name in ("one", "other"):
        made(function, folder / name)
    return parting(folder / "one", folder / "other", varied=varied)


def line(marker: str) -> int:
    lines = Path(tracing_cases.__file__).read_text("utf-8").splitlines()
    return next(number for number, text in enumerate(lines, 1) if text.endswith(f"# parts: {marker}"))


@pytest.mark.parametrize("name", ["seeded", "process_number"])
def test_runs_that_agree_do_not_part(name: str, tmp_path: Path) -> None:
    assert apart(getattr(tracing_cases, name), tmp_path) is None


@pytest.mark.parametrize(
    ("name", "marker", "operation", "cause"),
    [
        ("clock_and_generator", "clock_and_generator", "numpy.random.default_rng", "was not seeded"),
        ("clock_through_a_function", "clock_through_a_function", "time.time_ns", "read the clock"),
        ("filled_later", "filled_later", "numpy.random.RandomState", "was not seeded"),
        ("global_draw", "global_draw", "numpy.random.normal", "which was not seeded"),
        ("in_a_loop", "in_a_loop", "numpy.random.default_rng", "was not seeded"),
        ("in_a_comprehension", "in_a_comprehension", "numpy.random.default_rng", "was not seeded"),
        ("method", "Model.fit", "numpy.random.default_rng", "was not seeded"),
        ("from_a_generator", "generator", "numpy.random.default_rng", "was not seeded"),
    ],
)
def test_the_line_and_the_cause_are_named(name: str, marker: str, operation: str, cause: str, tmp_path: Path) -> None:
    found = apart(getattr(tracing_cases, name), tmp_path)
    assert found is not None
    told = "\n".join(found.lines())
    assert (found.operation, found.place.line) == (operation, line(marker)), told
    assert cause in found.headline, told
    assert found.chain[-1] == "the value", told


def test_runs_that_go_different_ways_are_told(tmp_path: Path) -> None:
    found = apart(tracing_cases.other_path, tmp_path)
    assert found is not None
    assert "tracing_cases.py" in found.headline
    assert "different ways" in found.headline


def test_a_value_of_nothing_that_was_traced_says_so(tmp_path: Path) -> None:
    values = iter([1.0, 2.0])
    found = apart(values.__next__, tmp_path)
    assert found is not None
    assert found.headline.startswith("the value is the first that differs: nothing that was traced parts before it")


def test_the_value_that_differs_first_is_kept_on_demand(tmp_path: Path) -> None:
    from pytest_mlrepro.determinism.kept import Kept

    found = apart(tracing_cases.global_draw, tmp_path)
    assert found is not None
    assert found.wanted < 0  # the state of a generator is no value
    found = apart(tracing_cases.in_a_loop, tmp_path)
    assert found is not None
    assert found.wanted >= 0
    made(tracing_cases.in_a_loop, tmp_path / "kept", Options(close=True, wanted=found.wanted))
    kept = Kept.read(tmp_path / "kept.value")
    assert kept is not None
    assert kept.node is not None


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="lines are told by sys.monitoring, which several may use")
def test_the_trace_function_of_a_debugger_is_put_back(tmp_path: Path) -> None:
    def theirs(frame, event, arg):
        return None

    before, sys_before = threading.gettrace(), sys.gettrace()
    sys.settrace(theirs)
    try:
        made(tracing_cases.seeded, tmp_path / "one")
        assert sys.gettrace() is theirs
    finally:
        sys.settrace(sys_before)
    assert threading.gettrace() in (before, theirs)


def test_nothing_stays_behind(tmp_path: Path) -> None:
    made(tracing_cases.seeded, tmp_path / "one")
    size = (tmp_path / "one").stat().st_size
    tracing_cases.seeded()
    assert (tmp_path / "one").stat().st_size == size
    if sys.version_info >= (3, 12):
        assert all(sys.monitoring.get_tool(number) != "pytest-mlrepro" for number in range(6))
    else:
        assert sys.gettrace() is None or "Lines" not in repr(sys.gettrace())


def test_an_error_in_what_is_traced_comes_through(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        made(lambda: 1 / 0, tmp_path / "one")
    made(tracing_cases.seeded, tmp_path / "two")
    assert parting(tmp_path / "one", tmp_path / "two", varied=None) is not None

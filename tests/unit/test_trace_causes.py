"""Causes are worded from evidence: what bears on an event decides, and without any nothing is claimed."""

from __future__ import annotations

import pytest

from pytest_mlrepro.determinism.trace.causes import Look, cause_of, clocks_on, harmless
from pytest_mlrepro.determinism.trace.reading import Event, Line
from pytest_mlrepro.determinism.trace.stream import Kind, Place

PLACE = Place("model.py", 41, "Net.forward")


def look(
    kind: Kind,
    name: str,
    *calls: str,
    notes=({}, {}),
    varied=None,
    close=True,
    drawn=False,
    clocks=(),
    before=(),
    **facts,
):
    event, line = Event(kind, name, PLACE, 1), Line(tuple(calls), (), ())
    return Look(event, line, notes, drawn, tuple(clocks), tuple(before), varied, facts, close)


DEFAULT = {"generator": "the default generator of cpu", "seed": "1"}


@pytest.mark.parametrize(
    ("seen", "operation", "words"),
    [
        (look(Kind.DRAW, "aten::dropout", notes=(DEFAULT, DEFAULT)), "aten::dropout", "which was not seeded"),
        (
            look(Kind.DRAW, "aten::dropout", notes=(DEFAULT, {**DEFAULT, "seed": "2"})),
            "aten::dropout",
            "a generator that was not seeded",
        ),
        (
            look(Kind.DRAW, "aten::dropout", notes=(DEFAULT, DEFAULT), drawn=True),
            "aten::dropout",
            "when other numbers had been drawn before",
        ),
        (
            look(Kind.DRAW, "aten::rand", notes=(DEFAULT, {**DEFAULT, "seed": "2"}), clocks=("time.time",)),
            "time.time",
            "a generator is seeded with it",
        ),
        (
            look(Kind.DRAW, "numpy.random", "sklearn.utils.resample"),
            "sklearn.utils.resample",
            "numpy's global generator",
        ),
        (look(Kind.UNWRITTEN, "aten::empty"), "aten::empty", "never written to"),
        (look(Kind.LOCAL, "rng", "numpy.random.default_rng"), "numpy.random.default_rng", "was not seeded"),
        (look(Kind.LOCAL, "key", "builtins.sorted", "builtins.id"), "forward", "id()"),
        (
            look(Kind.LOCAL, "total", before=("concurrent.futures.as_completed",)),
            "concurrent.futures.as_completed",
            "order",
        ),
        (look(Kind.LOCAL, "out", "KMeans.fit", varied="threads"), "KMeans.fit", "number of threads"),
        (look(Kind.LOCAL, "slot", "builtins.hash", varied="hashseed"), "builtins.hash", "PYTHONHASHSEED"),
        (look(Kind.VALUE, "aten::index_add_"), "aten::index_add_", "order in which threads finish"),
        (look(Kind.VALUE, "aten::scatter_add_", cuda=True), "aten::scatter_add_", "order in which threads finish"),
        (
            look(Kind.VALUE, "aten::convolution", cuda=True, **{"cudnn.benchmark": True}),
            "aten::convolution",
            "torch.backends.cudnn.benchmark is on",
        ),
        (look(Kind.VALUE, "aten::mm", cuda=True), "aten::mm", "CUBLAS_WORKSPACE_CONFIG=:4096:8"),
        (
            look(Kind.VALUE, "aten::add", cuda=True, streams=2),
            "aten::add",
            "2 CUDA streams were in use",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_evidence_decides(seen: Look, operation: str, words: str) -> None:
    cause = cause_of(seen)
    assert cause.operation == operation
    assert words in cause.words


@pytest.mark.parametrize(
    "seen",
    [
        look(Kind.LOCAL, "x", "project.helper"),
        look(Kind.VALUE, "aten::mm", close=False),
        look(Kind.VALUE, "aten::mm", cuda=True, close=False, CUBLAS_WORKSPACE_CONFIG=":4096:8"),
        look(Kind.VALUE, "aten::convolution", cuda=True, close=False, **{"cudnn.benchmark": False}),
        look(Kind.INPUT, "aten::mm"),
    ],
)
def test_without_evidence_nothing_is_claimed(seen: Look) -> None:
    assert not cause_of(seen).words


def test_clocks_and_unfilled_memory_do_no_harm_by_themselves() -> None:
    assert harmless(["time.time"], None) == ("time.time", "read the clock, and the result depends on it")
    assert harmless(["numpy.empty"], None) is not None
    assert harmless(["datetime.datetime.fromtimestamp", "time.sleep"], None) is None
    assert harmless(["torch.get_num_threads"], None) is None
    assert harmless(["torch.get_num_threads"], "threads") is not None


def test_a_clock_counts_as_a_seed_only_where_something_is_seeded() -> None:
    assert clocks_on(["torch.manual_seed", "time.time_ns"]) == ("time.time_ns",)
    assert clocks_on(["print", "time.time_ns"]) == ()

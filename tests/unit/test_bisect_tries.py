"""The order of the tries and what follows from them, with runs that a table stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.bisect.child import Outcome
from pytest_mlrepro.bisect.tries import ALONE, Found, Search, Try
from pytest_mlrepro.bisect.units import Unit, Untried
from pytest_mlrepro.bisect.verdict import Verdict, lines

FAILS, PASSES = Outcome("fails", "", ("w",), {"w": "1"}), Outcome("passes")


def units(count: int) -> list[Unit]:
    return [Unit(f"u{number}") for number in range(count)]


def search(passes: Callable[[set[str]], bool]) -> Search:
    def run(some: Sequence[Unit]) -> Outcome:
        return PASSES if passes({unit.label for unit in some}) else FAILS

    return Search(run, lambda done: None)


def labels(found: Found) -> list[str]:
    return sorted(unit.label for unit in found.carriers)


def found_in(passes: Callable[[set[str]], bool], count: int) -> tuple[Search, Found]:
    tried = search(passes)
    assert tried.start({"w": "1"}) is None
    return tried, tried.among(units(count))


def test_one_alone_is_confirmed_by_a_second_run() -> None:
    tried, found = found_in(lambda some: "u1" in some, 3)
    assert (found.answer, labels(found)) == ("alone", ["u1"])
    assert [one.again for one in tried.tries] == [False, False, False, False, True, True]


def test_each_of_two() -> None:
    _, found = found_in(lambda some: bool(some & {"u0", "u2"}), 3)
    assert (found.answer, labels(found)) == ("each", ["u0", "u2"])


def test_none() -> None:
    tried, found = found_in(lambda some: False, 3)
    assert (found.answer, labels(found)) == ("none", [])
    assert len(tried.tries) == 5


@given(st.integers(2, 40), st.data())
def test_the_fewest_that_carry_it_together(count: int, data: st.DataObject) -> None:
    names = [unit.label for unit in units(count)]
    needed = set(data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True)))
    tried, found = found_in(lambda some: needed <= some, count)
    assert labels(found) == sorted(needed)
    assert found.answer == ("alone" if len(needed) == 1 else "together")
    if len(needed) == 1 and count > ALONE:
        assert len(tried.tries) < 4 * count.bit_length() + 6


def test_no_run_is_made_twice_but_for_the_confirmation() -> None:
    tried, _ = found_in(lambda some: {"u1", "u30"} <= some, 31)
    first = [frozenset(unit.label for unit in one.units) for one in tried.tries if not one.again]
    assert len(first) == len(set(first))


def test_an_unsteady_test_carries_nothing() -> None:
    answers = iter([FAILS, PASSES, FAILS, PASSES, PASSES])
    tried = Search(lambda some: next(answers), lambda done: None)
    assert tried.start({"w": "1"}) is None
    assert tried.among(units(2)).answer == "by turns"


@pytest.mark.parametrize(
    ("outcomes", "answer"),
    [
        ([PASSES], "absent"),
        ([Outcome("breaks", "ImportError")], "broken"),
        ([FAILS, Outcome("fails", "", ("w",), {"w": "2"})], "not reproducible"),
        ([FAILS, PASSES], "by turns"),
        ([FAILS, FAILS], None),
    ],
)
def test_the_start(outcomes: list[Outcome], answer: str | None) -> None:
    runs = iter(outcomes)
    tried = Search(lambda some: next(runs), lambda done: None)
    found = tried.start({"w": "another value than here"})
    assert (found.answer if found else None) == answer
    assert next(runs, None) is None


def test_the_words() -> None:
    one, two = Unit("train.fit", note="the whole file train.py, since it moved"), Unit("data/x.csv", commit="abc")
    shown = [Try((), FAILS), Try((one,), Outcome("breaks", "NameError: " + "x" * 90)), Try((one, two), PASSES)]
    verdict = Verdict(
        "t.py::t", Found("together", (one, two)), shown, [one, two], [Untried("numpy 1 → 2", "pip install numpy==1")]
    )
    text = list(lines(verdict))
    assert text[0].startswith("train.fit and data/x.csv carry the change together: with both put back, t.py::t passes")
    assert "  numpy 1 → 2: pip install numpy==1" in text
    assert "  (train.fit: the whole file train.py, since it moved)" in text
    assert all(len(line) <= 80 for line in text[1:])


@pytest.mark.parametrize("answer", ["absent", "broken", "by turns", "not reproducible", "none"])
def test_what_is_not_found_is_not_called_found(answer: str) -> None:
    verdict = Verdict("t.py::t", Found(answer), [Try((), FAILS)], [], [])  # type: ignore[arg-type]
    assert not verdict.carried
    assert "carries" not in "\n".join(lines(verdict))

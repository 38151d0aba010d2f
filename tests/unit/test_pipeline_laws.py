"""Laws of pipelines, on random graphs: what is recorded is the true graph, and a planted fault is the first that parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro.pipeline.facts import Step
from pytest_mlrepro.pipeline.parting import depends_on, parting
from tests.unit.step_book import new_pipeline

FORMS: dict[str, Callable[[Any], Any]] = {
    "array": lambda x: x,
    "tuple": lambda x: (x, "label"),
    "dict": lambda x: {"meta": "m", "data": [x]},
    "number": lambda x: float(x.sum()),
}
TAKE: dict[str, Callable[[Any], Any]] = {
    "array": lambda value: value,
    "tuple": lambda value: value[0],
    "dict": lambda value: value["data"][0],
    "number": lambda value: value,
}


@dataclass(frozen=True)
class Node:
    parents: tuple[int, ...]
    form: str
    packed: bool
    """Whether its inputs are given as one list."""


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    """Return nodes in topological order, each with up to three of those before it as parents."""
    nodes: list[Node] = []
    for at in range(draw(st.integers(1, 9))):
        parents = draw(st.lists(st.integers(0, at - 1), max_size=3, unique=True)) if at else []
        nodes.append(Node(tuple(parents), draw(st.sampled_from(sorted(FORMS))), draw(st.booleans())))
    return nodes


def run(nodes: list[Node], fault: int | None = None, order: list[int] | None = None) -> list[Step]:
    """Run the graph; each node's output is another for other inputs, and for the fault."""
    pipeline, book = new_pipeline()
    values: dict[int, Any] = {}

    def work(at: int, *inputs: Any) -> Any:
        flat = [part for item in inputs for part in (item if isinstance(item, list) else [item])]
        total = np.full(3, at * 1.25) + (at == fault) * 0.001
        for number, item in enumerate(flat, start=1):
            total = total + np.asarray(item) * (number + 0.37)
        return FORMS[nodes[at].form](total)

    for at in order or range(len(nodes)):
        node = nodes[at]
        inputs = [TAKE[nodes[parent].form](values[parent]) for parent in node.parents]
        given_inputs = [inputs] if node.packed and inputs else inputs
        values[at] = pipeline.step(f"n{at}", lambda *x, at=at: work(at, *x), *given_inputs)
    return book.steps


def descendants(nodes: list[Node], at: int) -> set[str]:
    reached = {at}
    for number in range(at + 1, len(nodes)):
        if reached & {*nodes[number].parents}:
            reached.add(number)
    return {f"n{number}" for number in reached - {at}}


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_the_recorded_graph_is_the_true_graph(nodes: list[Node]) -> None:
    found = depends_on(run(nodes))
    assert {name: {*sources} for name, sources in found.items()} == {
        f"n{at}": {f"n{parent}" for parent in node.parents} for at, node in enumerate(nodes)
    }


@settings(max_examples=150, deadline=None)
@given(st.data(), graphs())
def test_a_planted_fault_is_named_first_and_its_descendants_are_its_consequences(
    data: st.DataObject, nodes: list[Node]
) -> None:
    fault = data.draw(st.integers(0, len(nodes) - 1))
    found = parting(run(nodes), run(nodes, fault))
    assert [root.name for root in found.roots] == [f"n{fault}"]
    assert not found.roots[0].inputs
    assert {parted.name for parted in found.consequences} == descendants(nodes, fault)
    assert {parted.name for parted in found.following(f"n{fault}")} == descendants(nodes, fault)
    assert {*found.same} == {f"n{at}" for at in range(len(nodes))} - descendants(nodes, fault) - {f"n{fault}"}


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_a_run_parts_nowhere_from_itself(nodes: list[Node]) -> None:
    found = parting(run(nodes), run(nodes))
    assert found.roots == found.consequences == found.added == found.removed == found.renamed == ()
    assert len(found.same) == len(nodes)


@settings(max_examples=80, deadline=None)
@given(st.data(), graphs())
def test_another_order_of_the_same_graph_parts_nowhere(data: st.DataObject, nodes: list[Node]) -> None:
    left, order = set(range(len(nodes))), []
    while left:
        ready = sorted(at for at in left if not left & {*nodes[at].parents})
        order.append(data.draw(st.sampled_from(ready)))
        left.remove(order[-1])
    found = parting(run(nodes), run(nodes, order=order))
    assert found.first is None
    assert depends_on(run(nodes)).keys() == depends_on(run(nodes, order=order)).keys()


@pytest.mark.parametrize("missing", ["n0", "n1"])
def test_steps_that_are_missing_on_either_side_are_told(missing: str) -> None:
    nodes = [Node((), "array", False), Node((0,), "array", False)]
    whole = run(nodes)
    part = [step for step in whole if step.name != missing]
    assert parting(whole, part).removed == (missing,) == parting(part, whole).added


def test_a_step_under_another_name_is_a_renamed_one() -> None:
    from dataclasses import replace

    whole = run([Node((), "array", False), Node((0,), "number", False)])
    other = [whole[0], replace(whole[1], name="total")]
    assert parting(whole, other).renamed == (("n1", "total"),)


def test_two_faults_are_two_roots_in_order() -> None:
    nodes = [Node((), "array", False), Node((), "array", False), Node((0, 1), "array", False)]
    old, one, two = run(nodes), run(nodes, 0), run(nodes, 1)
    both = [one[0], two[1], one[2]]
    found = parting(old, both)
    assert [root.name for root in found.roots] == ["n0", "n1"]
    assert found.roots[0] is found.first


def test_a_step_whose_input_was_made_outside_parts_by_itself_with_other_inputs() -> None:
    runs = []
    for k in (1.0, 2.0):
        pipeline, book = new_pipeline()
        raw = pipeline.step("load", lambda: np.arange(3.0))
        pipeline.step("use", lambda raw, k: raw * k, raw, k)
        runs.append(book.steps)
    (root,) = parting(*runs).roots
    assert (root.name, root.inputs, root.follows) == ("use", ("k",), ())


def test_a_fault_in_an_inner_step_is_named_before_the_outer_one() -> None:
    runs = []
    for k in (1.0, 2.0):
        pipeline, book = new_pipeline()

        def outer(raw: Any, k: float = k, pipeline: Any = pipeline) -> Any:
            scale = k
            return pipeline.step("inner", lambda raw: np.asarray(raw) * scale, raw) + 1

        pipeline.step("outer", lambda raw, outer=outer: outer(raw), [1.5])
        runs.append(book.steps)
    found = parting(*runs)
    assert [root.name for root in found.roots] == ["inner"]
    assert [parted.name for parted in found.consequences] == ["outer"]

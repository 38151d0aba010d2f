"""Each planted source of nondeterminism is found and named rightly: the operation, its line, and the cause in words."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from pytest_mlrepro.determinism.call import Call, call_in_child
from pytest_mlrepro.determinism.trace import Parting
from pytest_mlrepro.determinism.traces import Rounds, traced
from pytest_mlrepro.determinism.vary import VARIATIONS, Variation, child_environment, varied

from ..planted import Planted, planted

ROOT = Path(__file__).parents[2]
NEEDS = {
    "plain": ("numpy",),
    "estimators": ("sklearn", "threadpoolctl"),
    "tables": ("polars", "pyarrow"),
    "tensors": ("torch", "xxhash"),
}
TRIES = 20


def sources() -> Iterator[Planted]:
    for module, needed in NEEDS.items():
        if all(importlib.util.find_spec(name) is not None for name in needed):
            yield from planted(module)


@pytest.fixture(params=[pytest.param(source, id=source.name) for source in sources()])
def source(request: pytest.FixtureRequest) -> Planted:
    return request.param


@pytest.fixture(autouse=True)
def two_threads(source: Planted) -> Iterator[None]:
    if "torch" not in source.file.name and source.file.stem != "tensors":
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def where(source: Planted, function: Callable[..., object], folder: Path) -> Parting | None:
    variation = VARIATIONS[source.varied] if source.varied else None
    folder.mkdir()

    def maker(number: int) -> Callable[[Path], object]:
        changed = variation if number else None
        if variation is not None and variation.child:
            return lambda file: in_child(function, source.runs[number], changed, file)
        return lambda file: here(source, function, source.runs[number], changed, file)

    return Rounds(folder, maker(0), maker(1), variation).parting()


def here(source, function, arguments, variation: Variation | None, file: Path) -> None:
    source.before()
    with varied(variation.name) if variation else nullcontext(), traced(file, ROOT) as recorder:
        recorder.checked("the value", function(**arguments))


def in_child(function, arguments, variation: Variation | None, file: Path) -> None:
    folder = file.with_name(f"{file.name}.result")
    folder.mkdir()
    environment = child_environment((variation,) if variation else ())
    outcome = call_in_child(Call(function, (), dict(arguments), None), folder, environment, trace=file)
    assert not isinstance(outcome, str), outcome


@pytest.mark.slow
def test_each_source_is_named(source: Planted, tmp_path: Path) -> None:
    for attempt in range(TRIES if source.sometimes else 1):
        found = where(source, source.broken, tmp_path / str(attempt))
        if found is not None and (found.settled or not source.sometimes):
            break  # one that parts only now and then may agree when it is looked at closely
    assert found is not None, "two runs did not part"
    told = "\n".join(found.lines())
    assert source.operation in found.operation, told
    assert Path(found.place.file) == source.file, told
    assert found.place.line == source.line, told
    assert source.cause in found.cause, told
    assert f"{source.operation.rpartition('::')[2]}" in found.headline
    assert f"{source.file.name}:{source.line}" in found.headline


@pytest.mark.slow
def test_the_fixed_twin_does_not_part(source: Planted, tmp_path: Path) -> None:
    if source.runs[0] != source.runs[1]:
        pytest.skip("its runs do the same by other ways: only what they give is the same")
    found = where(source, source.fixed, tmp_path / "fixed")
    assert found is None, "\n".join(found.lines())

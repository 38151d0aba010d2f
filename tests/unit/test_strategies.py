"""Strategies of perturbations: inside the threat, of the sample's own kind, and shrinking towards it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from pytest_mlrepro import L0, L1, L2, Linf, Tabular, UsageError, strategies

THREATS = [Linf(0.1), Linf(0.1, bounds=(0, 1)), L2(0.3), L2(0.3, bounds=(0, 1)), L1(0.5), L0(3, bounds=(0, 1))]
IMAGE = np.random.default_rng(0).random((1, 8, 8))


@pytest.mark.parametrize("threat", THREATS, ids=str)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_all_lie_inside(threat, dtype) -> None:
    image = IMAGE.astype(dtype)

    @settings(max_examples=60, deadline=None)
    @given(strategies.perturbations(image, threat))
    def inside(found) -> None:
        assert found.shape == image.shape
        assert found.dtype == image.dtype
        assert threat.contains(found[None].astype(np.float64), image[None].astype(np.float64))[0]

    inside()


def test_the_edges_are_reached() -> None:
    far = find(
        strategies.perturbations(IMAGE, Linf(0.1)),
        lambda found: (np.abs(found - IMAGE) > 0.0999).sum() > 30,
        settings=settings(max_examples=500, database=None, deadline=None, phases=[Phase.generate]),
    )
    assert np.abs(far - IMAGE).max() <= 0.1 * (1 + 1e-6)


def test_they_shrink_to_the_sample_and_to_one_element() -> None:
    quiet = settings(max_examples=500, database=None)
    assert np.array_equal(find(strategies.perturbations(IMAGE, Linf(0.1)), lambda _: True, settings=quiet), IMAGE)
    one = find(
        strategies.perturbations(IMAGE, Linf(0.1)), lambda found: found[0, 3, 3] > IMAGE[0, 3, 3], settings=quiet
    )
    assert (one != IMAGE).sum() == 1
    sparse = find(
        strategies.perturbations(IMAGE, Linf(0.1)), lambda found: np.abs(found - IMAGE).sum() > 0.25, settings=quiet
    )
    assert (sparse != IMAGE).sum() <= 6


def test_tensors_numbers_and_vectors() -> None:
    torch = pytest.importorskip("torch")
    quiet = settings(max_examples=50, database=None)
    tensor = find(strategies.perturbations(torch.full((3, 4), 0.5), Linf(0.1)), lambda x: x.sum() > 6.2, settings=quiet)
    assert tensor.shape == (3, 4)
    assert tensor.dtype == torch.float32
    number = find(strategies.perturbations(0.5, Linf(0.1)), lambda x: x > 0.55, settings=quiet)
    assert number.shape == ()
    assert strategies.perturbations(np.zeros(5), L2(1.0)) is not None


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_rows_of_a_mixed_frame(kind: str) -> None:
    library = pytest.importorskip(kind)
    frame = library.DataFrame(
        {"age": [20, 30, 40], "income": [1.5, 2.5, 3.5], "city": ["a", "b", "c"], "debt": [0.5, None, 0.25]}
    )

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(strategies.rows(frame, Linf(0.1)))
    def same_kind(row) -> None:
        assert type(row) is type(frame)
        assert len(row) == 1
        assert list(row.columns) == list(frame.columns)
        assert [str(dtype) for dtype in row.dtypes] == [str(dtype) for dtype in frame.dtypes]
        values = row.iloc[0].tolist() if kind == "pandas" else list(row.row(0))
        at = [20, 30, 40].index(values[0])
        assert values[2] == "abc"[at]
        assert abs(values[1] - (1.5 + at)) <= 0.1 * (1 + 1e-6)
        missing = values[3] is None or values[3] != values[3]
        assert missing == (at == 1)

    same_kind()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: strategies.perturbations(np.zeros(3), 0.1), "a threat such as"),
        (lambda: strategies.perturbations(np.zeros(3, int), Linf(0.1)), "int64"),
        (lambda: strategies.perturbations(np.full(3, 2.0), Linf(0.1, bounds=(0, 1))), "outside of the bounds"),
        (lambda: strategies.rows([1.0], Linf(0.1)), "pandas or polars frame"),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        call()


def test_frames_without_anything_to_change_are_named() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(UsageError, match="no column of floats"):
        strategies.rows(pandas.DataFrame({"a": [1, 2]}), Linf(0.1))
    with pytest.raises(UsageError, match="no rows"):
        strategies.rows(pandas.DataFrame({"a": [1.0]})[:0], Linf(0.1))


@pytest.mark.parametrize("size", [1, 2, 64, 65, 1000])
def test_any_size_is_fine(size: int) -> None:
    x = np.random.default_rng(0).normal(size=size)
    quiet = settings(max_examples=200, database=None, deadline=None)
    assert np.array_equal(find(strategies.perturbations(x, L1(0.2)), lambda _: True, settings=quiet), x)
    moved = find(strategies.perturbations(x, Linf(0.2)), lambda found: found[-1] != x[-1], settings=quiet)
    assert (moved != x).sum() <= max(1, -(-size // 64)), "beyond 64 elements, neighbours move together"


@pytest.mark.parametrize("threat", [Linf(0.1), L2(0.1), L1(0.1), Linf(0.1, bounds=(0, 1))], ids=str)
def test_they_shrink_to_the_least_change_that_will_do(threat) -> None:
    quiet = settings(max_examples=500, database=None, deadline=None)
    flat = np.full(6, 0.5)
    least = find(strategies.perturbations(flat, threat), lambda found: found[2] < 0.463, settings=quiet)
    assert (least != flat).sum() == 1
    assert 0.4615 <= least[2] < 0.463


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("size", [16, 500])
def test_changes_to_one_side_are_drawn(sign: int, size: int) -> None:
    quiet = settings(max_examples=500, database=None, deadline=None, phases=[Phase.generate])
    flat = np.full(size, 0.5)
    found = find(strategies.perturbations(flat, Linf(0.1)), lambda x: sign * (x - flat).mean() > 0.05, settings=quiet)
    assert sign * (found - flat).mean() > 0.05


def test_numbers_of_a_table_shrink_to_the_least_change() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"income": [1.5, 2.5, 3.5], "city": ["a", "b", "c"]})
    quiet = settings(max_examples=500, database=None, deadline=None)
    row = find(
        strategies.rows(frame[:1], Tabular(noise=1.0, categorical=1, reference=frame)),
        lambda row: 1.9 < row["income"].iloc[0] < 2.4,
        settings=quiet,
    )
    assert row["city"].iloc[0] == "a"
    assert 1.9 < row["income"].iloc[0] < 1.902

"""Metamorphic relations: what a change ought to do to predictions, planted faults found and told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.errors import FailedHealthCheck, Unsatisfiable

from pytest_mlrepro import Linf, UsageError, assert_directional, assert_invariant, assert_monotone, strategies

X = np.random.default_rng(0).normal(size=(40, 3))


def scores(x):
    return np.stack([-x[:, 0], x[:, 0]], axis=1)


def shifted(x):
    changed = x.copy()
    changed[:, 1] += 1.0
    return changed


def doubled(x):
    changed = x.copy()
    changed[:, 0] *= -1.0
    return changed


def test_a_prediction_that_ignores_a_column_is_invariant_to_it() -> None:
    assert_invariant(scores, X, shifted)
    assert_invariant(scores, X, [shifted, lambda x: shifted(shifted(x))], rtol=1e-9)
    assert_invariant(lambda x: x[:, 0], X, shifted)


def test_one_that_does_not_is_told_with_its_samples() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_invariant(scores, X, [shifted, doubled])
    told = str(caught.value)
    assert "predictions should be the same under doubled, but 40 of 40 samples break it" in told
    assert "sample 0: 1 becomes 0" in told
    assert "[0]: 0.12573 becomes -0.12573" in told
    assert "… and 37 more" in told


def test_tolerances_hold_the_numbers_and_not_the_labels() -> None:
    def nudged(x):
        return x * 1.01

    assert_invariant(scores, X, nudged)
    assert_invariant(scores, X, nudged, rtol=0.011)
    with pytest.raises(AssertionError, match="break it"):
        assert_invariant(scores, X, nudged, rtol=0.001)
    with pytest.raises(AssertionError, match="break it"):
        assert_invariant(lambda x: x[:, 0], X, nudged)


def test_directions() -> None:
    def richer(x):
        changed = x.copy()
        changed[:, 0] += 0.5
        return changed

    assert_directional(scores, X, richer, direction="increase")
    assert_directional(scores, X, richer, direction="increase", at_least=0.5)
    assert_directional(scores, X, richer, direction="decrease", output=0)
    with pytest.raises(AssertionError, match=r"should increase by 0\.6 at least under richer, but 40 of 40"):
        assert_directional(scores, X, richer, direction="increase", at_least=0.6)
    with pytest.raises(AssertionError, match=r"column 1 of the outputs should decrease under richer"):
        assert_directional(scores, X, richer, direction="decrease")


def test_monotone_of_arrays() -> None:
    assert_monotone(scores, X, 0, strict=True)
    assert_monotone(scores, X, 1)
    with pytest.raises(AssertionError, match="should rise as 1 rises, but it does not for 40 of 40"):
        assert_monotone(scores, X, 1, strict=True)
    with pytest.raises(AssertionError) as caught:
        assert_monotone(lambda x: np.sin(x[:, 0]), X, 0, values=[0, 1, 2, 3])
    assert "sample 0: 0.909297 at 0 = 2, 0.14112 at 3 (-0.768)" in str(caught.value)
    assert_monotone(lambda x: -(x[:, 0] ** 3), X, 0, increasing=False)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_frames_and_pipelines_of_scikit_learn(kind: str) -> None:
    library = pytest.importorskip(kind)
    linear = pytest.importorskip("sklearn.linear_model")
    frame = library.DataFrame({"age": [20, 30, 40, 50] * 5, "income": X[:20, 0]})
    y = np.asarray([0, 0, 1, 1] * 5)
    model = linear.LogisticRegression().fit(frame, np.where(y, "old", "young"))
    assert_monotone(model, frame, "age", output="old", strict=True)
    assert_monotone(model, frame, "age", output="young", increasing=False)
    with pytest.raises(AssertionError, match=r"the score of 'young' should never fall as 'age' rises"):
        assert_monotone(model, frame, "age")  # of two classes the second by the alphabet

    def older(data):
        grown = (data["age"] + 30).astype(data["age"].dtype) if kind == "pandas" else data["age"] + 30
        return data.assign(age=grown) if kind == "pandas" else data.with_columns(age=grown)

    assert_directional(model, frame, older, direction="increase", output="old")
    with pytest.raises(AssertionError) as caught:
        assert_invariant(model, frame, older)
    assert "'young' becomes 'old'" in str(caught.value)
    assert "age: 20 becomes 50" in str(caught.value)
    with pytest.raises(UsageError, match=r"no column 'agee'; there are 'age', 'income'"):
        assert_monotone(model, frame, "agee")


def test_modules_are_asked_in_eval_mode_and_given_back() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.5))
    model.train()
    x = torch.from_numpy(X).float()
    assert_invariant(
        model, x, lambda given: given + 0.0 * given.sum() + 1e-12 * (given == given[0]) + 0 * given + _tiny(given)
    )
    assert model.training
    assert model[1].training
    assert_monotone(model, x, 0, increasing=bool(model[0].weight[1, 0] > 0))


def _tiny(given):
    changed = given * 0
    changed[0, 0] = 1e-6
    return changed


def test_texts() -> None:
    def sentiment(texts):
        return np.array(["good" if "good" in text else "bad" for text in texts])

    assert_invariant(sentiment, ["a good film", "a film"], lambda texts: [text + "!" for text in texts])
    with pytest.raises(AssertionError) as caught:
        assert_invariant(sentiment, ["a good film", "a film"], lambda texts: [text.upper() for text in texts])
    assert "'a good film'" in str(caught.value)
    assert "'A GOOD FILM'" in str(caught.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: assert_invariant(scores, X[:0], shifted), "samples are expected"),
        (lambda: assert_invariant(scores, X, lambda x: x), "equals the inputs"),
        (lambda: assert_invariant(scores, X, lambda x: x[:5] + 1), "as many samples"),
        (lambda: assert_invariant(scores, X, []), "a function of the inputs"),
        (lambda: assert_invariant(3, X, shifted), "a callable is expected"),
        (lambda: assert_invariant(lambda x: x[:, 0] * np.nan, X, shifted), "NaN"),
        (lambda: assert_invariant(lambda x: x[:3, 0], X, shifted), "one row of outputs"),
        (lambda: assert_directional(scores, X, shifted, direction="up"), "'increase' or 'decrease'"),
        (lambda: assert_directional(scores, X, shifted, direction="increase", output=7), "one of 0, 1"),
        (lambda: assert_directional(lambda x: x, X, shifted, direction="increase"), "3 columns; say which"),
        (lambda: assert_directional(lambda x: x[:, 0].astype(int), X, shifted, direction="increase"), "labels only"),
        (lambda: assert_monotone(scores, X, 5), "no column 5; there are 0, 1, 2"),
        (lambda: assert_monotone(scores, X, 0, values=[1.0, 1.0]), "two values at least"),
        (lambda: assert_monotone(scores, X.tolist(), 0), "as an array, a tensor or a frame"),
        (lambda: assert_monotone(scores, X.astype(int), 0, values=[1, 2.5]), "holds whole numbers, which 2.5 is not"),
        (lambda: assert_monotone(scores, X.astype(np.uint8), 0, values=[1, 300]), "can't hold 300"),
        (lambda: assert_monotone(scores, X, 0, values=[1, math.nan]), "finite numbers are expected for 0, got nan"),
        (lambda: assert_monotone(scores, X > 0, 0), "only a number rises"),
        (lambda: assert_invariant(scores, X, shifted, atol=math.nan), "a finite number from 0 on is expected, got nan"),
        (lambda: assert_invariant(scores, X, shifted, rtol=-1.0), "from 0 on is expected, got -1.0"),
        (
            lambda: assert_directional(scores, X, shifted, direction="increase", at_least=math.inf),
            "a finite number is expected, got inf",
        ),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        call()


def test_a_change_in_place_is_refused() -> None:
    def in_place(x):
        x += 1
        return x

    with pytest.raises(UsageError, match="changed the inputs that it was given"):
        assert_invariant(scores, X.copy(), in_place)


def test_nan_after_the_change_breaks_the_relation() -> None:
    def model(x):
        return np.where(x[:, 1] > 1, np.nan, x[:, 0])

    with pytest.raises(AssertionError, match="break it"):
        assert_invariant(model, np.clip(X, -3, 1), lambda x: np.where(np.arange(3) == 1, 2.0, x), atol=1.0)


def test_hypothesis_shrinks_a_broken_relation_to_one_element() -> None:
    x, broken = np.zeros(64), []

    def model(rows):
        return (rows[:, 7] > 0.05).astype(int)

    @settings(max_examples=2000, database=None, derandomize=True, deadline=None)
    @given(strategies.perturbations(x, Linf(0.1)))
    def small_changes_change_nothing(found) -> None:
        if not np.array_equal(found, x):
            try:
                assert_invariant(model, x[None], lambda _: found[None])
            except AssertionError:
                broken.append(found)
                raise

    with pytest.raises(AssertionError, match="0 becomes 1"):
        small_changes_change_nothing()
    assert np.flatnonzero(broken[-1]).tolist() == [7]


def test_one_huge_output_does_not_excuse_the_others() -> None:
    x = np.array([[0.0], [1.0], [2.0], [1e9]])

    def model(rows):
        return rows[:, 0] - 0.001 * (rows[:, 0] % 1 > 0.2)

    with pytest.raises(AssertionError, match="3 of 4 samples break it"):
        assert_directional(model, x, lambda rows: np.where(rows < 1e8, rows + 0.25, rows), direction="decrease")
    with pytest.raises(AssertionError, match="1 of 4 samples"):
        assert_invariant(model, x, lambda rows: np.where(rows == 1, 1.01, rows))


def test_equal_infinities_are_equal() -> None:
    def model(rows):
        return np.where(rows[:, 0] > 0, np.inf, rows[:, 1])

    assert_invariant(model, np.eye(3)[:, :2], lambda rows: rows * [2.0, 1.0])


def test_a_random_model_is_not_blamed_on_the_change() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match="other outputs for the same inputs"):
        assert_invariant(lambda rows: rng.random(len(rows)), X, shifted)
    with pytest.raises(UsageError, match="other outputs for the same inputs"):
        assert_monotone(lambda rows: rng.random(len(rows)), X, 0)


@pytest.mark.parametrize("dtype", ["Int64", "Int8", "UInt16", "Float32", "int32", "float64[pyarrow]"])
def test_columns_of_any_number_keep_their_dtype(dtype: str) -> None:
    pandas = pytest.importorskip("pandas")
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"age": pandas.array([20, 30, 40], dtype=dtype), "other": [1.0, 2.0, 3.0]})
    if dtype in ("Int64", "Float32"):
        frame.loc[1, "age"] = pandas.NA
    seen = set()

    def model(rows):
        seen.add(str(rows["age"].dtype))
        return rows["age"].fillna(0).to_numpy(dtype=np.float64)

    assert_monotone(model, frame, "age")
    assert seen == {str(frame["age"].dtype)}
    with pytest.raises(AssertionError, match="should never rise"):
        assert_monotone(model, frame, "age", increasing=False, values=[10, 20, 30])


def test_columns_of_polars_and_of_bfloat16() -> None:
    torch, polars = pytest.importorskip("torch"), pytest.importorskip("polars")
    table = polars.DataFrame({"age": polars.Series([20, None, 40], dtype=polars.Int8), "other": [1.0, 2.0, 3.0]})
    assert_monotone(lambda rows: rows["age"].fill_null(0).to_numpy().astype(float), table, "age")
    with pytest.raises(UsageError, match="can't hold 300"):
        assert_monotone(lambda rows: rows["age"].to_numpy(), table, "age", values=[1, 300])
    tensor = torch.rand(4, 3).bfloat16()
    assert_monotone(lambda rows: rows[:, 0], tensor, 0)
    with pytest.raises(AssertionError, match="should never fall"):
        assert_monotone(lambda rows: -rows[:, 0], tensor, 0)


def test_hypothesis_drops_changes_that_are_none() -> None:
    x, drawn = np.zeros((1, 4)), []

    @settings(max_examples=100, database=None, derandomize=True, deadline=None)
    @given(strategies.perturbations(x[0], Linf(0.1)))
    def invariant(found) -> None:
        drawn.append(found)
        assert_invariant(lambda rows: np.zeros(len(rows)), x, lambda _: found[None])

    invariant()
    assert any(not found.any() for found in drawn)


def test_hypothesis_tells_if_no_change_is_ever_one() -> None:
    @settings(max_examples=20, database=None, derandomize=True, deadline=None)
    @given(strategies.perturbations(np.zeros(4), Linf(0.1)))
    def invariant(found) -> None:
        assert_invariant(lambda rows: np.zeros(len(rows)), found[None], lambda rows: rows.copy())

    with pytest.raises((Unsatisfiable, FailedHealthCheck)):
        invariant()

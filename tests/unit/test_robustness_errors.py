"""Bad input: each mistake gets an error that names it, before anything is attacked."""

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from pytest_mlrepro import L0, Linf, UsageError, assert_robust
from pytest_mlrepro.robustness.robust import check_robust

X, Y = load_iris(return_X_y=True)
MODEL = LogisticRegression(max_iter=1000).fit(X, Y)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inputs": X[:0], "labels": Y[:0]}, "inputs: there are no samples"),
        ({"inputs": X[:, 0]}, "inputs: samples and their features"),
        ({"inputs": X.tolist()}, "inputs: a numpy array, .* got builtins.list"),
        ({"inputs": X.astype(int)}, r"inputs: the array is int64, .*Tabular"),
        ({"inputs": np.where(X > 7, np.nan, X)}, "inputs: 12 of 150 samples hold NaN"),
        ({"threat": Linf(0.1, bounds=(0, 7))}, r"inputs: 12 of 150 samples lie outside of the bounds \(0, 7\)"),
        ({"threat": L0(4, bounds=(0, 8))}, "threat: .* lets all 4 elements"),
        ({"threat": Linf(1e-20)}, "threat: .* is smaller than the model's numbers"),
        ({"threat": Linf}, r"threat: a value such as Linf\(0.1\)"),
        ({"threat": 0.1}, "threat: Linf"),
        ({"labels": Y[:-1]}, r"labels: one for each of the 150 samples .* \(149,\)"),
        ({"labels": np.eye(3)[Y]}, "not one-hot"),
        ({"labels": Y + 1}, r"labels: 50 don't fit the model, the first is 3 of sample 100; .*3 classes are 0, 1, 2"),
        ({"labels": np.where(Y == 0, np.nan, Y)}, "labels: 50 are missing"),
        ({"labels": None}, "labels: one for each sample is expected, got None"),
        ({"min_accuracy": 0}, "min_accuracy: .* a check that can't fail is none"),
        ({"min_accuracy": 50}, "min_accuracy: a share"),
        ({"min_accuracy": None}, "min_accuracy"),
        ({"confidence": 95}, "confidence: a share"),
        ({"confidence": 0.95, "min_accuracy": 1.0}, "confidence: no number of samples"),
        ({"attacks": "hard"}, "attacks: 'fast', 'auto', 'strong' or a list"),
        ({"attacks": []}, "attacks: .*at least one"),
        ({"attacks": ["NoSuchAttack"]}, "attacks: foolbox has no attack 'NoSuchAttack'"),
        ({"attacks": ["L2FMNAttack"]}, "attacks: L2FMNAttack of foolbox is not used: .*DDNAttack"),
        ({"attacks": ["DDNAttack"]}, "attacks: DDNAttack keeps its changes small in l2, and the threat is of linf"),
        ({"allow": ("failing",)}, "allow: some of 'failed'"),
        ({"seed": -1}, "seed: a whole number"),
        ({"batch_size": 0}, "batch_size: a whole number"),
        ({"executor": 4}, "executor: a concurrent.futures.Executor"),
        ({"max_change": 1.0}, "labels: none are used in a regression"),
        ({"max_change": -1.0, "labels": None}, "max_change: a positive number"),
        ({"model": LogisticRegression}, "model: .* got the class LogisticRegression"),
        ({"model": object()}, "model: .* got object"),
        ({"model": lambda x: np.full((len(x), 3), np.nan)}, "model: its outputs for 150 of 150 clean samples are NaN"),
        ({"model": lambda x: np.zeros((len(x), 3, 4))}, "model: outputs of shape"),
        ({"model": lambda x: 1}, "model: the call gave shape"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(changes, words):
    if any(isinstance(name, str) and "Attack" in name for name in changes.get("attacks", ())):
        pytest.importorskip("foolbox")
    given = {"model": MODEL, "inputs": X, "labels": Y, "threat": Linf(0.1), "min_accuracy": 0.5} | changes
    positional = [given.pop(name) for name in ("model", "inputs", "labels", "threat")]
    with pytest.raises(UsageError, match=words):
        assert_robust(*positional, **given)


def test_a_column_that_a_ball_makes_no_sense_for_is_named():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = pandas.DataFrame({"size": X[:, 0], "city": ["Rome"] * len(X)})
    for table in (frame, polars.from_dict(frame.to_dict("list"))):
        with pytest.raises(UsageError, match=r"column 'city' is .*Tabular"):
            assert_robust(MODEL, table, Y, Linf(0.1), min_accuracy=0.5)


def test_a_model_that_is_wrong_too_often_is_told_so_before_any_attack():
    report = check_robust(MODEL, X, (Y + 1) % 3, Linf(0.1), min_accuracy=0.5)
    assert report.verdict == "failed"
    assert not report.stages
    assert report.lines()[0].startswith("failed: clean accuracy 0.0")
    with pytest.raises(AssertionError, match="before any attack"):
        assert_robust(MODEL, X, (Y + 1) % 3, Linf(0.1), min_accuracy=0.5)


def test_foolbox_is_asked_for_by_its_command(monkeypatch):
    import sys

    from pytest_mlrepro import MissingDependencyError

    monkeypatch.setitem(sys.modules, "foolbox", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'pytest-mlrepro\[adversarial\]'"):
        assert_robust(MODEL, X, Y, Linf(0.1), min_accuracy=0.5, attacks=["LinfPGD"])
    assert_robust(MODEL, X, Y, Linf(0.01), min_accuracy=0.5, attacks="auto")

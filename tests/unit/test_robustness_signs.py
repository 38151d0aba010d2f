"""Masked gradients: each planted mask makes the verdict unreliable or failed and is named; honest models are not accused."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
import torch

from pytest_mlrepro import L0, L1, L2, Linf, assert_robust
from pytest_mlrepro.robustness.robust import check_robust
from tests.unit.robust_cases import Misled, fragile, masked, mlp, small, sturdy

BALL = Linf(0.1, bounds=(0, 1))


def names(report):
    return {sign.name for sign in report.signs}


@pytest.mark.parametrize("accuracy", [0.2, 0.85])
@pytest.mark.parametrize(
    ("mask", "sign"),
    [
        ("rounded", "zero gradients"),
        ("logits x 200", "zero gradients"),
        ("softmax", "zero gradients"),
        ("detached", "zero gradients"),
        ("noise", "randomised"),
    ],
)
def test_each_mask_is_named_and_fails(mask, sign, accuracy):
    model, x, y = small(epochs=15)
    with pytest.raises(AssertionError, match=sign):
        assert_robust(masked(model)[mask], x, y, BALL, min_accuracy=accuracy)


def test_gradients_that_point_the_wrong_way_are_found_by_everything_else():
    model, x, y = fragile()
    report = check_robust(Misled(model), x, y, BALL, min_accuracy=0.2)
    assert report.verdict == "unreliable"
    assert {"noise beats the attack", "black box beats white box", "robust at a large epsilon"} <= names(report)


def test_a_weak_attack_of_the_user_s_does_not_pass():
    pytest.importorskip("foolbox")
    model, x, y = fragile()
    report = check_robust(model, x, y, BALL, min_accuracy=0.6, attacks=["LinfAdditiveUniformNoiseAttack"])
    assert report.verdict == "unreliable"
    assert "black box beats white box" in names(report)


@pytest.mark.parametrize("ball", [BALL, L2(0.4, bounds=(0, 1)), L2(0.4)], ids=str)
@pytest.mark.parametrize(
    "make", [fragile, sturdy, lambda: small(kind=mlp), lambda: small(epsilon=0.1, kind=mlp)], ids=range(4)
)
def test_honest_models_are_not_accused(make, ball):
    model, x, y = make()
    report = check_robust(model, x, y, ball, min_accuracy=0.05)
    assert report.verdict == "passed (up to these attacks)"
    assert not report.signs


@pytest.mark.parametrize("ball", [L0(3, bounds=(0, 1)), L1(2.0, bounds=(0, 1))], ids=str)
def test_that_chance_finds_few_elements_better_than_a_gradient_is_no_sign(ball):
    model, x, y = small(epsilon=0.1, kind=mlp)
    report = check_robust(model, x[:300], y[:300], ball, min_accuracy=0.01, complete=True)
    assert not report.signs


def test_a_linear_model_is_not_accused():
    torch.manual_seed(0)
    model, x, y = small(kind=lambda: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10)), epochs=10)
    report = check_robust(model, x, y, Linf(0.05, bounds=(0, 1)), min_accuracy=0.05)
    assert report.passed
    assert not report.signs


def test_an_unreliable_pass_can_be_allowed():
    model, x, y = fragile()
    report = assert_robust(masked(model)["rounded"], x, y, BALL, min_accuracy=0.2, allow=("unreliable",))
    assert report.verdict == "unreliable"
    assert not report.passed
    assert "allow=('unreliable',)" in str(report)

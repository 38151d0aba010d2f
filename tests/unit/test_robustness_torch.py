"""Verdicts on torch models: what is found is real, what is given comes back, and nothing depends on the batch."""

import functools
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
import torch
from torch import nn

from pytest_mlrepro import L0, L1, L2, Linf, UsageError, assert_robust, fingerprint
from pytest_mlrepro.robustness.attacks.descent import Descent
from pytest_mlrepro.robustness.robust import check_robust
from tests.unit.robust_cases import cnn, fragile, mlp, small, sturdy

BALL = Linf(0.1, bounds=(0, 1))
BALLS = [BALL, Linf(0.1), L2(0.5, bounds=(0, 1)), L2(0.5), L1(1.5, bounds=(0, 1)), L1(1.5), L0(3, bounds=(0, 1))]


def lowest(model, x, y, ball=BALL, **options):
    """Return the report of a run of everything."""
    return check_robust(model, x, y, ball, min_accuracy=0.001, complete=True, **{"batch_size": 64, **options})


@functools.cache
def everything():
    return lowest(*fragile())


@pytest.mark.parametrize("ball", BALLS, ids=str)
def test_every_counterexample_is_real(ball):
    model, x, y = fragile()
    report = check_robust(model, x, y, ball, min_accuracy=1.0, attacks="fast")
    assert report.verdict == "failed"
    full = lowest(model, x, y, ball, attacks="fast")
    assert 0 < full.robust_accuracy < full.clean_accuracy
    for example in (*report.counterexamples, *full.counterexamples):
        change = (example.perturbed.astype(np.float64) - example.original).ravel()
        size = {
            "linf": np.abs(change).max(),
            "l2": np.sqrt((change**2).sum()),
            "l1": np.abs(change).sum(),
            "l0": (change != 0).sum(),
        }
        assert size[ball.norm] <= ball.epsilon * (1 + 1e-6)
        assert np.array_equal(example.original, x[example.index].numpy())
        if ball.bounds:
            assert example.perturbed.min() >= 0
            assert example.perturbed.max() <= 1
        alone = model(torch.as_tensor(example.perturbed)[None]).argmax().item()
        assert alone == example.predicted != example.label == y[example.index].item()


@pytest.mark.parametrize("epsilon", [0.0, 0.1], ids=["plain", "trained against PGD"])
@pytest.mark.parametrize("kind", [mlp, pytest.param(cnn, marks=pytest.mark.slow)], ids=["MLP", "CNN"])
def test_auto_is_as_strong_as_a_much_dearer_search(kind, epsilon):
    """The reference: restarts on either loss, and towards every class. AutoAttack's place is the benchmark."""
    dear = [Descent(100, loss, start=n) for n in range(3) for loss in ("margin", "cross-entropy")]
    dear += [Descent(100, "target", n, start=n) for n in range(1, 10)]
    model, x, y = small(kind=kind, epsilon=epsilon, rows=400)
    auto, reference = lowest(model, x, y), lowest(model, x, y, attacks=dear)
    assert auto.robust_accuracy <= reference.robust_accuracy + 0.005
    assert auto.evaluations < reference.evaluations / 3


def test_a_model_is_given_back_as_it_was():
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.Dropout(0.5), nn.ReLU(), nn.Linear(32, 10)
    )
    model.train()
    model[2].eval()
    model[1].bias.requires_grad_(False)
    model[5].weight.grad = torch.ones(10, 32)
    before = fingerprint(model)
    _, x, y = fragile()
    check_robust(model, x, y, BALL, min_accuracy=0.01, attacks="fast", allow=("undecided", "unreliable"))
    assert [part.training for part in model] == [True, True, False, True, True, True]
    assert [p.requires_grad for p in model.parameters()] == [True, False, True, True, True, True]
    assert torch.equal(model[5].weight.grad, torch.ones(10, 32))
    assert model[1].weight.grad is None
    assert fingerprint(model).digest == before.digest


def test_a_model_is_given_back_also_after_an_error():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3, 10)).train()
    _, x, y = fragile()
    with pytest.raises(RuntimeError):
        check_robust(model, x, y, BALL, min_accuracy=0.5)
    assert model.training


class Counting(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        self.seen += 1
        return self.model(x)


def test_a_model_that_changes_while_it_is_asked_is_unreliable():
    model, x, y = sturdy()
    counting = Counting(model)
    report = check_robust(counting, x, y, BALL, min_accuracy=0.3, attacks="fast")
    assert report.verdict == "unreliable"
    assert [sign.name for sign in report.signs] == ["stateful"]
    assert "seen" in report.signs[0].words
    assert counting.seen.item() == 0


def by_sample(report, order=None):
    order = range(report.samples) if order is None else order
    points = {example.index: example.found for example in report.counterexamples}
    return [(report.statuses[i], points.get(int(i), np.zeros(0)).tobytes()) for i in order]


def test_a_sample_s_result_does_not_depend_on_order_shards_or_company():
    model, x, y = fragile()
    plain = by_sample(everything())
    order = np.random.default_rng(1).permutation(len(x))
    assert by_sample(lowest(model, x[order], y[order]), np.argsort(order)) == plain
    with ThreadPoolExecutor(2) as pool:
        assert by_sample(lowest(model, x, y, executor=pool)) == plain
        assert by_sample(lowest(model, x, y, executor=pool, shards=3)) == plain


def test_a_sample_s_state_does_not_depend_on_the_length_of_batches():
    model, x, y = fragile()
    plain = everything().statuses
    for size in (7, 50, 128):
        assert lowest(model, x, y, batch_size=size).statuses == plain


@pytest.mark.slow
def test_other_processes_serve_as_well():
    model, x, y = fragile()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert by_sample(lowest(model, x, y, executor=pool)) == by_sample(everything())


@pytest.mark.parametrize("accuracy", [0.02, 0.3, 0.45, 0.5, 0.55, 0.6, 0.7, 0.9])
def test_stopping_early_decides_as_a_run_of_everything(accuracy):
    model, x, y = fragile()
    whole, early = everything(), check_robust(model, x, y, BALL, min_accuracy=accuracy, batch_size=64)
    assert early.verdict == ("passed (up to these attacks)" if whole.robust_accuracy >= accuracy else "failed")
    assert early.evaluations <= whole.evaluations
    for one, other in zip(early.statuses, whole.statuses, strict=True):
        assert one == other or one == "untested"


@pytest.mark.parametrize("more", [-1, 0, 1, 2])
def test_one_sample_decides(more):
    model, x, y = fragile()
    stand = everything().statuses.count("survived")
    report = check_robust(model, x, y, BALL, min_accuracy=(stand + more) / len(x), batch_size=64)
    assert report.verdict == ("failed" if more > 0 else "passed (up to these attacks)")
    assert report.samples_used == len(x) or more < 0 or report.verdict == "failed"


def test_a_network_is_asked_in_batches_of_one_length():
    """Its outputs vary by ulps with the length (a wide linear layer's do on every machine), and a search would go another way."""
    model, x, y = fragile()
    lengths = []
    hook = model.register_forward_hook(lambda module, given, out: lengths.append(len(out)))
    lowest(model, x[:100], y[:100], attacks="fast", batch_size=48)
    hook.remove()
    assert set(lengths[: lengths.index(32)]) == {48, 64}


def test_a_clear_failure_costs_a_fraction():
    model, x, y = fragile()
    report = check_robust(model, x, y, BALL, min_accuracy=0.93, batch_size=32)
    assert report.verdict == "failed"
    assert report.evaluations < 0.05 * (report.evaluations + report.saved)


def test_confidence_passes_after_some_samples_and_says_what_it_would_take():
    model, x, y = sturdy()
    truth = lowest(model, x, y).robust_accuracy
    report = check_robust(model, x, y, BALL, min_accuracy=truth - 0.2, confidence=0.95)
    assert report.verdict == "passed (up to these attacks)"
    assert report.samples_used < 128
    low, high = report.interval
    assert truth - 0.2 < low <= high
    report = check_robust(model, x, y, BALL, min_accuracy=truth - 0.02, confidence=0.95)
    assert report.verdict == "undecided"
    assert report.samples_needed > 128
    assert f"about {report.samples_needed} samples would tell" in str(report)
    with pytest.raises(AssertionError, match="undecided"):
        assert_robust(model, x, y, BALL, min_accuracy=truth - 0.02, confidence=0.95)
    allowed = assert_robust(model, x, y, BALL, min_accuracy=truth - 0.02, confidence=0.95, allow=("undecided",))
    assert not allowed.passed
    assert check_robust(model, x, y, BALL, min_accuracy=0.96, confidence=0.95).verdict == "failed"


class Last(nn.Module):
    """Another form of the same model's outputs."""

    def __init__(self, model, form):
        super().__init__()
        self.model, self.form = model, form

    def forward(self, x):
        return self.form(self.model(x))


def test_probabilities_are_noticed():
    model, x, y = fragile()
    report = lowest(Last(model, lambda z: z.softmax(1)), x, y)
    assert "probabilities" in report.reading
    assert abs(report.robust_accuracy - lowest(model, x, y).robust_accuracy) <= 0.01


@pytest.mark.parametrize("shape", ["column", "flat"])
@pytest.mark.parametrize("form", ["logit", "probability"])
def test_one_output_for_two_classes(form, shape):
    model, x, y = fragile()
    two = y < 2

    def one(z):
        logit = (z[:, 1] - z[:, 0])[:, None] if shape == "column" else z[:, 1] - z[:, 0]
        return logit.sigmoid() if form == "probability" else logit

    report = lowest(Last(model, one), x[two], y[two].float(), Linf(0.3, bounds=(0, 1)))
    same = lowest(Last(model, lambda z: z[:, :2]), x[two], y[two], Linf(0.3, bounds=(0, 1)))
    assert form in report.reading
    assert report.clean_accuracy == same.clean_accuracy > 0.9
    assert report.robust_accuracy == same.robust_accuracy < 0.9


def test_a_function_of_tensors_has_its_gradients_used():
    model, x, y = fragile()
    report = lowest(lambda batch: model(batch * 1.0), x, y, attacks="fast")
    assert report.gradients
    assert abs(report.robust_accuracy - lowest(model, x, y, attacks="fast").robust_accuracy) <= 0.01


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_model_is_attacked_in_its_own_dtype(dtype):
    model, x, y = fragile()
    import copy

    other = copy.deepcopy(model).to(dtype)
    report = lowest(other, x.numpy(), y.numpy(), attacks="fast")
    assert report.robust_accuracy < 0.8
    for example in report.counterexamples:
        assert other(torch.as_tensor(example.perturbed, dtype=dtype)[None]).argmax().item() != example.label
        assert np.abs(example.perturbed.astype(float) - example.original).max() <= 0.1 * (1 + 1e-6)


def test_regression_finds_the_largest_change_of_a_linear_model():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 1)).eval()
    x = torch.randn(30, 6)
    exact = 0.1 * model[0].weight.abs().sum().item()
    held = assert_robust(model, x, None, Linf(0.1), max_change=exact * 1.01)
    assert held.largest_change == pytest.approx(exact, rel=1e-3)
    fell = check_robust(model, x, None, Linf(0.1), max_change=exact * 0.99)
    assert fell.verdict == "failed"
    assert fell.robust_accuracy < 1
    assert "outputs changing by at most" in str(fell)
    two = check_robust(nn.Linear(6, 2).eval(), x, None, L2(0.3), max_change=10.0)
    assert two.passed
    assert two.largest_change > 0


@pytest.mark.parametrize("name", ["LinfPGD", "LInfFMNAttack", "LinfDeepFoolAttack"])
def test_attacks_of_foolbox_by_name(name):
    pytest.importorskip("foolbox")
    model, x, y = fragile()
    report = lowest(model, x[:40], y[:40], attacks=[name])
    assert name.replace("LinfPGD", "LinfProjectedGradientDescentAttack") in report.stages[0].attack
    assert report.robust_accuracy < report.clean_accuracy


def test_attacks_of_foolbox_give_a_sample_the_same_result_in_any_company():
    foolbox = pytest.importorskip("foolbox")
    model, x, y = fragile()
    attacks = [
        foolbox.attacks.LinfPGD(steps=5),
        foolbox.attacks.LinfAdditiveUniformNoiseAttack(),
        foolbox.attacks.LInfFMNAttack(steps=20),
    ]
    state = torch.get_rng_state()
    plain = by_sample(lowest(model, x[:30], y[:30], attacks=attacks))
    order = np.random.default_rng(1).permutation(30)
    assert by_sample(lowest(model, x[:30][order], y[:30][order], attacks=attacks), np.argsort(order)) == plain
    assert torch.equal(torch.get_rng_state(), state)


def test_a_sample_that_an_attack_fails_on_does_not_end_the_others():
    foolbox = pytest.importorskip("foolbox")

    class Moody(foolbox.attacks.LinfFastGradientAttack):
        def run(self, model, inputs, criterion, **options):
            if float(inputs[0].sum()) > float(x.flatten(1).sum(1).median()):
                raise ValueError("no starting point")
            return super().run(model, inputs, criterion, **options)

    model, x, y = fragile()
    whole = lowest(model, x, y, attacks=["LinfFastGradientAttack"])
    report = lowest(model, x, y, attacks=[Moody()])
    stage = report.stages[0]
    assert 0 < stage.errors < stage.tried
    assert "no starting point" in stage.error
    assert 0 < stage.broke < whole.stages[0].broke
    never = lowest(model, x, y, attacks=[type("Never", (Moody,), {"run": lambda self, *a, **k: 1 / 0})()])
    assert never.verdict == "unreliable"
    assert any(sign.name == "attack failed" for sign in never.signs)


def test_progress_is_told():
    model, x, y = fragile()
    told = []
    lowest(model, x, y, attacks="fast", progress=told.append)
    assert told[0].done <= told[0].total
    assert told[-1].broken > 0


def test_outputs_that_are_nan_inside_the_ball_are_a_counterexample():
    model, x, y = sturdy()

    class Brittle(nn.Module):
        def forward(self, inputs):
            out = model(inputs)
            return torch.where(inputs.flatten(1).amax(1)[:, None] > 1.05, torch.nan, out)

    report = lowest(Brittle(), x, y, Linf(0.2), attacks="fast")
    assert any(example.predicted is None for example in report.counterexamples)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_model_on_cuda_is_attacked_there():
    import copy

    model, x, y = fragile()
    assert lowest(copy.deepcopy(model).cuda(), x, y).robust_accuracy < 0.8


def test_labels_that_a_network_has_no_output_for_are_named():
    model, x, y = fragile()
    with pytest.raises(UsageError, match=r"labels: .* don't fit the model, the first is 10 .*10 classes are 0, 1"):
        check_robust(model, x, torch.where(y == 9, 10, y), BALL, min_accuracy=0.5)


def test_one_sample_is_enough():
    model, x, y = fragile()
    right = int((model(x).argmax(1) == y).nonzero()[0])
    report = check_robust(
        model, x[right : right + 1], y[right : right + 1], Linf(1e-4, bounds=(0, 1)), min_accuracy=1.0
    )
    assert report.passed


def test_the_report_says_what_happened():
    model, x, y = fragile()
    with pytest.raises(AssertionError) as caught:
        assert_robust(model, x, y, BALL, min_accuracy=0.7)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("failed: robust accuracy is at most 0.")
    assert lines[0].endswith("0.7 required under Linf(0.1, bounds=(0, 1))")
    assert any("each checked against the model" in line for line in lines)
    assert any("model evaluations and" in line and "saved by stopping early" in line for line in lines)
    assert len(str(caught.value)) < 4000

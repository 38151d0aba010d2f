"""Verdicts on robustness beside foolbox, ART and AutoAttack: robust accuracy, evaluations and time on the same models.

The peers run in the Python that MLREPRO_PEER_PYTHON names (one with torch, scikit-learn, foolbox, pyautoattack and
adversarial-robustness-toolbox), else in this one; what is not installed there is left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import torch
from measuring import Sample
from robust_models import Case, cases, masked
from showing import Row, Target, show
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from pytest_mlrepro import Linf, RobustnessReport
from pytest_mlrepro.robustness.exact.answers import exact_answers
from pytest_mlrepro.robustness.robust import check_robust

SHARE = 1 / 20
"""Of AutoAttack's evaluations and time: what `auto` may take."""


def measure(*, quick: bool) -> list[Row]:
    """Print and return what verdicts cost, and what they say."""
    torch.set_num_threads(1)
    rows, plain = [], None
    print("\n## Robust accuracy: what is found, in evaluations per sample and seconds (lower is truer)")
    for case in cases(quick=quick):
        rows += _compared(case, quick=quick)
        plain = case if case.name == "digits CNN, plain" else plain
    assert plain is not None
    _trees(quick=quick)
    _early(plain)
    _masks(plain, quick=quick)
    return show("Time of a whole verdict, `auto`", rows, "Against AutoAttack's standard suite, one thread each.")


def _compared(case: Case, *, quick: bool) -> list[Row]:
    ours = {name: _checked(case, name) for name in (("fast", "auto") if quick else ("fast", "auto", "strong"))}
    print(f"{case.name}, Linf {case.epsilon}, {len(case.inputs)} samples, clean {ours['auto'][0].clean_accuracy:.3f}")
    for name, (report, sample) in ours.items():
        _line(name, report.robust_accuracy, report.evaluations / report.samples, sample.wall, sample.cpu)
    if case.name == "linear":
        print(f"  {'exact':<18} {_exact(case):.4f}")
    rows = []
    for peer in _peers(case):
        if "missing" in peer:
            print(f"  {peer['peer']}: {peer['missing']}")
            continue
        _line(peer["peer"], peer["robust"], peer["evaluations"] / len(case.inputs), peer["wall"], peer["cpu"])
        if peer["peer"] == "AutoAttack":
            report, sample = ours["auto"]
            rows.append(
                Row(
                    case.name,
                    sample,
                    "AutoAttack",
                    Sample(peer["wall"], peer["cpu"]),
                    "s",
                    Target(SHARE, "ratio", "cpu"),
                )
            )
            share = report.evaluations / peer["evaluations"]
            print(
                f"  auto: {100 * (report.robust_accuracy - peer['robust']):+.1f} points, {share:.3f} of the evaluations"
            )
    return rows


def _line(name: str, robust: float, evaluations: float, wall: float, cpu: float) -> None:
    asked = f"{evaluations:8.0f}" if evaluations else "       ?"  # ART calls a model's layers past the hook that counts
    print(f"  {name:<18} {robust:.4f}  {asked}  {wall:8.2f} s  {cpu:8.2f} s CPU", flush=True)


def _checked(case: Case, attacks: str) -> tuple[RobustnessReport, Sample]:
    start, cpu = time.perf_counter(), time.process_time()
    ball = Linf(case.epsilon, bounds=(0, 1))
    report = check_robust(
        case.model, case.inputs, case.labels, ball, min_accuracy=0.001, attacks=attacks, complete=True
    )
    return report, Sample(time.perf_counter() - start, time.process_time() - cpu)


def _peers(case: Case) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "case.pt"
        torch.save({"model": case.model.state_dict(), "x": case.inputs, "y": case.labels}, saved)
        python = os.environ.get("MLREPRO_PEER_PYTHON", sys.executable)
        script = str(Path(__file__).with_name("robust_peers.py"))
        done = subprocess.run(
            [python, script, str(saved), case.name, str(case.epsilon)], capture_output=True, text=True
        )
    if done.returncode:
        raise RuntimeError(f"the peers ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _exact(case: Case) -> float:
    """Return the robust accuracy of the linear model: for each pair of classes the worst corner, inside the bounds."""
    layer = case.model[1]
    x, own = case.inputs.flatten(1).double(), case.labels
    weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
    scores = x @ weight.T + bias
    low, high = (x - case.epsilon).clamp_min(0) - x, (x + case.epsilon).clamp_max(1) - x
    stands = torch.ones(len(x), dtype=torch.bool)
    for other in range(len(weight)):
        apart = weight[own] - weight[other]
        worst = torch.where(apart > 0, apart * low, apart * high).sum(1)
        margin = scores.gather(1, own[:, None])[:, 0] - scores[:, other] + worst
        stands &= (own == other) | (margin > 0)
    return float(stands.float().mean())


def _trees(*, quick: bool) -> None:
    """Show the exact robust accuracy of trees beside what attacks that only ask find, and the time of both."""
    print(
        "\n## Trees, breast cancer and digits, Linf: exact search, and a black box (auto) that knows nothing of trees"
    )
    models = {
        "tree": DecisionTreeClassifier(random_state=0),
        "forest of 10, depth 4": RandomForestClassifier(10, max_depth=4, random_state=0),
        "forest of 30, depth 6": RandomForestClassifier(30, max_depth=6, random_state=0),
        "boosting, 50 rounds": GradientBoostingClassifier(n_estimators=50, random_state=0),
    }
    for load, scale in ((load_breast_cancer, None), (load_digits, 16.0)):
        inputs, labels = load(return_X_y=True)
        inputs = inputs / (inputs.std(axis=0) if scale is None else scale)
        rows = slice(400, 420 if quick else 500)
        for name, model in models.items():
            model.fit(inputs[:400], labels[:400])
            said = {}
            for method, exact in (("exact", exact_answers), ("black box", None)):
                start = time.perf_counter()
                report = check_robust(
                    model, inputs[rows], labels[rows], Linf(0.1), min_accuracy=0.001, complete=True, exact=exact
                )
                each = (time.perf_counter() - start) / report.samples * 1e3
                said[method] = f"{report.proved:.2f} to {report.robust_accuracy:.2f} in {each:.1f} ms a sample"
            print(
                f"  {load.__name__[5:]:<14} {name:<22} exact {said['exact']}; black box {said['black box']}", flush=True
            )


def _early(case: Case) -> None:
    """Show what stopping early saves on both sides of the truth, and what sampling saves."""
    print("\n## Early verdicts on the plain digits CNN, and evaluations")
    ball = Linf(case.epsilon, bounds=(0, 1))
    for confidence, accuracy in product((None, 0.95), (0.9, 0.6, 0.3, 0.1)):
        report = check_robust(case.model, case.inputs, case.labels, ball, min_accuracy=accuracy, confidence=confidence)
        print(
            f"  ≥ {accuracy}, confidence {confidence}: {report.verdict}, {report.samples_used} samples, {report.evaluations}"
        )


def _masks(case: Case, *, quick: bool) -> None:
    """Show what becomes of each planted mask, at a threshold below the truth."""
    print("\n## Masked gradients, planted around the plain digits CNN")
    rows = 60 if quick else 200
    for name, model in {"none": case.model, **masked(case.model)}.items():
        ball = Linf(case.epsilon, bounds=(0, 1))
        report = check_robust(model, case.inputs[:rows], case.labels[:rows], ball, min_accuracy=0.2)
        print(f"  {name:<14} {report.verdict}: {', '.join(sign.name for sign in report.signs) or 'no sign'}")

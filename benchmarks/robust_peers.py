"""Other people's attacks on the same models, in a process (and, if need be, an environment) of their own.

`python robust_peers.py WEIGHTS CASE EPSILON` prints a line of JSON for each peer that is installed. AutoAttack is the
package `pyautoattack`, ART is `adversarial-robustness-toolbox`; each count is of samples in forward passes.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import torch
from robust_models import BUILD
from torch import Tensor, nn


def foolbox_pgd(model: nn.Module, x: Tensor, y: Tensor, epsilon: float) -> Tensor:
    """Run foolbox's LinfPGD as it is."""
    import foolbox

    attack = foolbox.attacks.LinfPGD()
    return attack(foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu"), x, y, epsilons=epsilon)[1]


def art_pgd(model: nn.Module, x: Tensor, y: Tensor, epsilon: float) -> Tensor:
    """Run ART's projected gradient descent as it is, but for the epsilon and a step of a tenth of it."""
    from art.attacks.evasion import ProjectedGradientDescent
    from art.estimators.classification import PyTorchClassifier

    classes = int(model(x[:1]).shape[1])
    wrapped = PyTorchClassifier(
        model, nn.CrossEntropyLoss(), tuple(x.shape[1:]), classes, clip_values=(0, 1), device_type="cpu"
    )
    attack = ProjectedGradientDescent(wrapped, eps=epsilon, eps_step=epsilon / 10, verbose=False, batch_size=128)
    return torch.as_tensor(attack.generate(x.numpy(), y.numpy()))


def autoattack(model: nn.Module, x: Tensor, y: Tensor, epsilon: float) -> Tensor:
    """Run AutoAttack's standard suite; of three classes, what of it works with three."""
    from pyautoattack import AutoAttack

    suite = AutoAttack(model, norm="Linf", eps=epsilon, seed=0)
    suite.verbose = False
    if model(x[:1]).shape[1] < 4:
        suite.attacks_to_run, suite.fab.n_target_classes = ["apgd-ce", "fab-t", "square"], 2
    found = suite.run_standard_evaluation(x, y, batch_size=500)
    return found[0] if isinstance(found, tuple) else found


PEERS: dict[str, Callable[[nn.Module, Tensor, Tensor, float], Tensor]] = {
    "foolbox LinfPGD": foolbox_pgd,
    "ART PGD": art_pgd,
    "AutoAttack": autoattack,
}


def results(model: nn.Module, x: Tensor, y: Tensor, epsilon: float) -> Iterator[dict[str, object]]:
    """Yield what each peer finds, by our own count of what it broke inside the ball."""
    asked = [0]
    model.register_forward_hook(lambda _m, _i, out: asked.__setitem__(0, asked[0] + len(out)))
    for name, peer in PEERS.items():
        asked[0], start, cpu = 0, time.perf_counter(), time.process_time()
        try:
            found = peer(model, x, y, epsilon)
        except ImportError as error:
            yield {"peer": name, "missing": str(error)}
            continue
        evaluations, wall, used = asked[0], time.perf_counter() - start, time.process_time() - cpu
        inside = ((found - x).abs().flatten(1).amax(1) <= epsilon * (1 + 1e-5)).numpy()
        with torch.no_grad():
            broken = inside & (model(found).argmax(1) != y).numpy() | (model(x).argmax(1) != y).numpy()
        yield {
            "peer": name,
            "robust": 1 - float(np.mean(broken)),
            "evaluations": evaluations,
            "wall": wall,
            "cpu": used,
        }


def main() -> None:
    """Attack one saved case."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    weights, case, epsilon = sys.argv[1:4]
    saved = torch.load(weights, weights_only=True)
    model = BUILD[case]()
    model.load_state_dict(saved["model"])
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for line in results(model.eval(), saved["x"], saved["y"], float(epsilon)):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()

"""The models that robustness is measured on: trained here, small, from data that ships with scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

__all__ = ["BUILD", "Case", "cases", "cnn", "digits", "linear", "masked", "mlp", "train"]


@dataclass(frozen=True, slots=True)
class Case:
    """One trained model with the samples that it is attacked on."""

    name: str
    model: nn.Module
    inputs: Tensor
    labels: Tensor
    epsilon: float


def digits(classes: int = 10, test: int = 1000) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return train and test images (n, 1, 8, 8) in [0, 1] and labels of the first `classes` digits."""
    data = load_digits()
    keep = data.target < classes
    images = (data.images[keep] / 16).astype(np.float32)[:, None]
    parts = train_test_split(images, data.target[keep], test_size=test, stratify=data.target[keep], random_state=0)
    x, x_test, y, y_test = map(torch.as_tensor, parts)
    return x, y, x_test, y_test


def cnn(classes: int = 10, width: int = 16, hidden: int = 64) -> nn.Module:
    """Return two 3x3 convolutions, a pool and a hidden layer: the digits CNN."""
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(2 * width * 16, hidden), nn.ReLU(), nn.Linear(hidden, classes),
    )  # fmt: skip


def mlp() -> nn.Module:
    """Return the small MLP 64-32-10."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def _worst(model: nn.Module, x: Tensor, y: Tensor, epsilon: float, steps: int = 7) -> Tensor:
    """Return the inputs of training against PGD: `steps` steps of epsilon / 3."""
    found = (x + (2 * torch.rand_like(x) - 1) * epsilon).clamp(0, 1)
    for _ in range(steps):
        found.requires_grad_()
        (slope,) = torch.autograd.grad(cross_entropy(model(found), y), found)
        found = (found.detach() + epsilon / 3 * slope.sign()).clamp(x - epsilon, x + epsilon).clamp(0, 1)
    return found


def train(model: nn.Module, x: Tensor, y: Tensor, *, epochs: int, epsilon: float = 0.0) -> nn.Module:
    """Train with Adam at 2e-3 in batches of 64, against PGD if there is an epsilon, and return the model in eval mode."""
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            inputs = _worst(model, x[rows], y[rows], epsilon) if epsilon else x[rows]
            optimiser.zero_grad()
            cross_entropy(model(inputs), y[rows]).backward()
            optimiser.step()
    return model.eval()


def linear() -> nn.Module:
    """Return a linear classifier, whose robust accuracy is known exactly."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


BUILD: dict[str, Callable[[], nn.Module]] = {
    "digits CNN, trained against PGD": cnn,
    "digits CNN, plain": cnn,
    "larger CNN, trained against PGD": lambda: cnn(10, 48, 256),
    "three classes, trained against PGD": lambda: cnn(3),
    "MLP 64-32-10, trained against PGD": mlp,
    "MLP 64-32-10, plain": mlp,
    "linear": linear,
}


def cases(*, quick: bool) -> Iterator[Case]:
    """Train the models, each from seed 0, and yield them with their test samples."""
    for name, build in BUILD.items():
        torch.manual_seed(0)
        classes, epsilon = (3, 0.2) if name.startswith("three") else (10, 0.05 if name == "linear" else 0.1)
        x, y, x_test, y_test = digits(classes, 1000 if classes == 10 else 300)
        model = train(build(), x, y, epochs=2 if quick else 30, epsilon=epsilon if "against" in name else 0.0)
        rows = 60 if quick else len(x_test)
        yield Case(name, model, x_test[:rows], y_test[:rows], epsilon)


class _Rounded(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model((x * 8).round() / 8)


class _Loud(_Rounded):
    def forward(self, x: Tensor) -> Tensor:
        return 200 * self.model(x)


class _Softmax(_Rounded):
    def forward(self, x: Tensor) -> Tensor:
        return (30 * self.model(x)).softmax(1)


class _Detached(_Rounded):
    def forward(self, x: Tensor) -> Tensor:
        return self.model(x.detach())


class _Noisy(_Rounded):
    def forward(self, x: Tensor) -> Tensor:
        return self.model(x + 0.15 * torch.randn_like(x))


def masked(model: nn.Module) -> dict[str, nn.Module]:
    """Plant each mask around a model: its robustness stays what it is (but for the noise), its gradients don't."""
    wraps = {"rounded": _Rounded, "logits x 200": _Loud, "softmax": _Softmax, "detached": _Detached, "noise": _Noisy}
    return {name: wrap(model).eval() for name, wrap in wraps.items()}

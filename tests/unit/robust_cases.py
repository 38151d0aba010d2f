"""Small models to attack, and the masks that hide a model's weakness from gradients."""

import functools

import torch
from torch import nn

from benchmarks.robust_models import cnn, digits, masked, mlp, train

__all__ = ["Misled", "cnn", "fragile", "masked", "mlp", "small", "sturdy"]


@functools.cache
def small(epsilon=0.0, epochs=4, kind=cnn, rows=128):
    """Return a digits model, trained against PGD at epsilon if there is one, and some test samples."""
    torch.manual_seed(0)
    x, y, x_test, y_test = digits()
    return train(kind(), x, y, epochs=epochs, epsilon=epsilon), x_test[:rows], y_test[:rows]


def fragile():
    return small()


def sturdy():
    return small(epsilon=0.1, epochs=8)


class Negated(torch.autograd.Function):
    """The identity with its gradient turned round: not zero, and wrong."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return -grad


class Misled(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(Negated.apply(x))

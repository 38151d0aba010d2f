"""Sources in torch, on the CPU."""

from __future__ import annotations

import time
from functools import lru_cache

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from tests.planted import Planted

__all__ = ["SOURCES"]


def numbers(*shape, seed=0):
    """Return normal numbers that depend on nothing but the seed."""
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype("float32"))


def litter_memory():
    """Leave other bytes in the blocks that the next tensors get."""
    blocks = [torch.full((250,), float(time.time_ns() % 9973)) for _ in range(64)]
    del blocks


def unfilled_tensor():
    buffer = torch.empty(250)  # parts: unfilled_tensor
    buffer[:249] = 1.0
    return buffer * 2


def filled_tensor():
    buffer = torch.empty(250)
    buffer[:249] = 1.0
    buffer[249:] = 0.0
    return buffer * 2


def unseeded_generator():
    generator = torch.Generator()
    generator.seed()
    hidden = numbers(8, 16)
    keep = torch.full((8, 16), 0.5)
    mask = torch.bernoulli(keep, generator=generator)  # parts: unseeded_generator
    return (hidden * mask).sum(dim=1)


def seeded_generator():
    generator = torch.Generator()
    generator.manual_seed(0)
    hidden = numbers(8, 16)
    keep = torch.full((8, 16), 0.5)
    mask = torch.bernoulli(keep, generator=generator)
    return (hidden * mask).sum(dim=1)


def unseeded_dropout():
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.seed()
        hidden = numbers(8, 16)
        dropped = functional.dropout(hidden, 0.5)  # parts: unseeded_dropout
        return dropped @ numbers(16, 4, seed=1)


def seeded_dropout():
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        hidden = numbers(8, 16)
        dropped = functional.dropout(hidden, 0.5)
        return dropped @ numbers(16, 4, seed=1)


def accumulate():
    slots = torch.from_numpy(np.random.default_rng(0).integers(0, 8, 200_000))
    values = numbers(200_000)
    sums = torch.zeros(8)
    sums.index_put_((slots,), values, accumulate=True)  # parts: accumulate
    return sums


def index_add():
    slots = torch.from_numpy(np.random.default_rng(0).integers(0, 8, 200_000))
    values = numbers(200_000)
    sums = torch.zeros(8)
    sums.index_add_(0, slots, values)
    return sums


class Noisy(Dataset):
    """Items with noise of a generator that each call makes anew."""

    def __len__(self):
        return 8

    def __getitem__(self, item):
        rng = np.random.default_rng()  # parts: unseeded_workers
        return torch.tensor(item + rng.normal())


class Quiet(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, item):
        rng = np.random.default_rng(item)
        return torch.tensor(item + rng.normal())


def unseeded_workers():
    loader = DataLoader(Noisy(), batch_size=4, num_workers=2, multiprocessing_context="fork")
    batches = list(loader)
    return torch.cat(batches)


def seeded_workers():
    loader = DataLoader(Quiet(), batch_size=4, num_workers=2, multiprocessing_context="fork")
    batches = list(loader)
    return torch.cat(batches)


class Slow(Quiet):
    def __getitem__(self, item):
        time.sleep(0.002)
        return super().__getitem__(item)

    def __len__(self):
        return 32


def any_order():
    loader = DataLoader(Slow(), batch_size=1, num_workers=2, multiprocessing_context="fork", in_order=False)
    batches = []
    for batch in loader:  # parts: any_order
        batches.append(batch)
    return torch.cat(batches)


def in_order():
    loader = DataLoader(Slow(), batch_size=1, num_workers=2, multiprocessing_context="fork")
    batches = []
    for batch in loader:
        batches.append(batch)
    return torch.cat(batches)


class Augmented(Dataset):
    """Draws from numpy's global generator: which state it is in depends on the process."""

    def __len__(self):
        return 8

    def __getitem__(self, item):
        return torch.tensor(item + np.random.normal())  # parts: other_workers


def other_workers(num_workers=0):
    np.random.seed(0)
    torch.manual_seed(0)
    context = "fork" if num_workers else None
    loader = DataLoader(Augmented(), batch_size=4, num_workers=num_workers, multiprocessing_context=context)
    return torch.cat(list(loader))


def same_with_workers(num_workers=0):
    torch.manual_seed(0)
    context = "fork" if num_workers else None
    loader = DataLoader(Quiet(), batch_size=4, num_workers=num_workers, multiprocessing_context=context)
    return torch.cat(list(loader))


@lru_cache(maxsize=1)
def many():
    return numbers(10_000_000)


SHAPES = ((10, 64, 1000), (64, 1024, 10), (16, 20_000, 16), (1000, 10, 1000), (256, 64, 1000), (3, 10_000, 3))
"""Which of them depend on the number of threads is a matter of the processor."""


@lru_cache(maxsize=1)
def factors():
    return [(numbers(m, k), numbers(k, n, seed=1)) for m, k, n in SHAPES]


def threaded_matmul():
    pairs = factors()
    products = [left @ right for left, right in pairs]  # parts: threaded_matmul
    return products


def one_thread(function):
    """Return a twin that fixes the number of threads."""

    def twin():
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return function()
        finally:
            torch.set_num_threads(before)

    twin.__name__ = f"one_thread_{function.__name__}"
    return twin


def threaded_sum():
    values = many()
    total = values.sum()  # parts: threaded_sum
    return total


def layer_norm_backward():
    torch.manual_seed(0)
    layer = nn.LayerNorm(64)
    hidden = numbers(2048, 64)
    out = layer(hidden)  # parts: layer_norm_backward
    (out**3).mean().backward()
    return layer.weight.grad, layer.bias.grad


SOURCES = (
    Planted(
        unfilled_tensor, filled_tensor, "aten::empty", "never written",
        sometimes=True, mended="deterministic", before=litter_memory,
    ),
    Planted(unseeded_generator, seeded_generator, "aten::bernoulli", "was not seeded"),
    Planted(unseeded_dropout, seeded_dropout, "aten::dropout", "was not seeded"),
    Planted(
        accumulate, index_add, "aten::index_put_", "order in which threads",
        sometimes=True, mended="deterministic",
    ),
    Planted(unseeded_workers, seeded_workers, "numpy.random.default_rng", "was not seeded", mended="entropy"),
    Planted(any_order, in_order, "DataLoader", "order in which processes finish", sometimes=True),
    Planted(
        other_workers, same_with_workers, "numpy.random.normal", "worker",
        runs=({"num_workers": 0}, {"num_workers": 2}),
    ),
    Planted(threaded_matmul, one_thread(threaded_matmul), "aten::mm", "number of threads", varied="threads", before=factors),
    Planted(threaded_sum, one_thread(threaded_sum), "aten::sum", "number of threads", varied="threads", before=many),
    Planted(
        layer_norm_backward, one_thread(layer_norm_backward), "aten::native_layer_norm_backward", "number of threads",
        varied="threads",
    ),
)  # fmt: skip

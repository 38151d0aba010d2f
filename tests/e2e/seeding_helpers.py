"""What child processes run: importable by name, as spawned ones need."""

import os
import random
import uuid

import numpy as np


def draws(_=None):
    return (
        random.random(),
        np.random.random(),
        np.random.default_rng().random(),
        random.Random().random(),
        os.urandom(8),
        str(uuid.uuid4()),
    )


def draws_with_torch(_=None):
    import torch

    return (*draws(), torch.rand(1).item(), torch.are_deterministic_algorithms_enabled())


def put(queue, depth=0):
    queue.put(draws())
    if depth:
        import multiprocessing

        child = multiprocessing.get_context("fork").Process(target=put, args=(queue, depth - 1))
        child.start()
        child.join()


class Points:
    """A map-style dataset of unseeded draws."""

    def __len__(self):
        return 8

    def __getitem__(self, i):
        import torch

        return torch.tensor(
            [np.random.default_rng().random(), random.random(), np.random.random(), torch.rand(1).item()]
        ).double()

"""Ways to get another result from the same code, each beside the same work done so that it repeats: scikit-learn and torch."""

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset


def unseeded_forest():
    features, target = load_diabetes(return_X_y=True)
    model = RandomForestRegressor(5, max_depth=3)
    model.fit(features, target)
    return model.predict(features)


def seeded_forest():
    features, target = load_diabetes(return_X_y=True)
    model = RandomForestRegressor(5, max_depth=3, random_state=0)
    model.fit(features, target)
    return model.predict(features)


def hidden():
    return torch.linspace(-1, 1, 128).reshape(8, 16)


def unseeded_dropout():
    return functional.dropout(hidden(), 0.5).sum(dim=1)


def seeded_dropout():
    torch.manual_seed(0)
    return functional.dropout(hidden(), 0.5).sum(dim=1)


class Noisy(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, item):
        noise = np.random.default_rng().normal()
        return torch.tensor(item + noise)


class Quiet(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, item):
        noise = np.random.default_rng(item).normal()
        return torch.tensor(item + noise)


def noisy_workers():
    batches = list(DataLoader(Noisy(), batch_size=4, num_workers=2, multiprocessing_context="fork"))
    return torch.cat(batches)


def quiet_workers():
    batches = list(DataLoader(Quiet(), batch_size=4, num_workers=2, multiprocessing_context="fork"))
    return torch.cat(batches)


def shared_sums():
    rows = torch.from_numpy(np.random.default_rng(0).integers(0, 8, 200_000))
    values = torch.from_numpy(np.random.default_rng(1).normal(size=200_000).astype("float32"))
    return torch.zeros(8).index_put_((rows,), values, accumulate=True)


def ordered_sums():
    rows = torch.from_numpy(np.random.default_rng(0).integers(0, 8, 200_000))
    values = torch.from_numpy(np.random.default_rng(1).normal(size=200_000).astype("float32"))
    return torch.zeros(8).index_add_(0, rows, values)

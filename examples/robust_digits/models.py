"""Two small convolutional networks for handwritten digits: one trained as usual, one against its own worst perturbations."""

from functools import lru_cache

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional

EPSILON = 0.1


@lru_cache(maxsize=1)
def digits():
    """Return training images and labels, then test images and labels; images are (n, 1, 8, 8) in [0, 1]."""
    images, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        images / 16, labels, test_size=300, stratify=labels, random_state=0
    )
    as_images = [torch.as_tensor(part, dtype=torch.float32).reshape(-1, 1, 8, 8) for part in (train_x, test_x)]
    return as_images[0], torch.as_tensor(train_y), as_images[1], torch.as_tensor(test_y)


def network():
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


def perturbed(model, images, labels, steps=5):
    """Return the images moved where the loss grows, inside of a ball of the largest allowed change."""
    moved = (images + torch.empty_like(images).uniform_(-EPSILON, EPSILON)).clamp(0, 1)
    for _ in range(steps):
        moved.requires_grad_(True)
        (gradient,) = torch.autograd.grad(functional.cross_entropy(model(moved), labels), moved)
        moved = (moved.detach() + EPSILON / 3 * gradient.sign()).clamp(0, 1)
        moved = torch.minimum(torch.maximum(moved, images - EPSILON), images + EPSILON)
    return moved


def trained(*, robust, epochs=12):
    torch.manual_seed(0)
    images, labels, _, _ = digits()
    model = network()
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(64):
            batch = perturbed(model, images[rows], labels[rows]) if robust else images[rows]
            optimiser.zero_grad()
            functional.cross_entropy(model(batch), labels[rows]).backward()
            optimiser.step()
    return model.eval()

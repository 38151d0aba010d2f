"""A classifier of tumours: standardised measurements into a logistic regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

REGULARISATION = 1.0


@dataclass(frozen=True)
class Split:
    train: np.ndarray
    test: np.ndarray
    train_labels: np.ndarray
    test_labels: np.ndarray


def load() -> Split:
    data = load_breast_cancer()
    return Split(*train_test_split(data.data, data.target, test_size=0.3, random_state=0, stratify=data.target))


def train(split: Split) -> Pipeline:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=REGULARISATION, max_iter=1000, tol=1e-8))
    return model.fit(split.train, split.train_labels)

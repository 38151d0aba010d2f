"""Sources in scikit-learn, on data that ships with it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_diabetes, load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from tests.planted import Planted

__all__ = ["SOURCES"]


@lru_cache(maxsize=1)
def digits():
    return load_digits(return_X_y=True)


@lru_cache(maxsize=1)
def forest():
    features, target = load_diabetes(return_X_y=True)
    return RandomForestRegressor(300, max_depth=6, random_state=0, n_jobs=2).fit(features, target)


def parallel_forest():
    features, _ = load_diabetes(return_X_y=True)
    model = forest()
    predicted = model.predict(np.tile(features, (20, 1)))  # parts: parallel_forest
    return predicted.mean(), predicted


def serial_forest():
    features, _ = load_diabetes(return_X_y=True)
    model = forest()
    model.set_params(n_jobs=1)
    try:
        predicted = model.predict(np.tile(features, (20, 1)))
    finally:
        model.set_params(n_jobs=2)
    return predicted.mean(), predicted


def blas_kmeans():
    features, _ = digits()
    model = KMeans(10, n_init=1, max_iter=5, random_state=0)
    distances = model.fit_transform(features)  # parts: blas_kmeans
    return distances


def one_thread_kmeans():
    with threadpool_limits(1):
        return blas_kmeans()


def blas_logistic():
    features, target = digits()
    model = LogisticRegression(max_iter=100)
    model.fit(features / 16.0, target)  # parts: blas_logistic
    return model.coef_


def one_thread_logistic():
    with threadpool_limits(1):
        return blas_logistic()


def blas_pca():
    features, _ = digits()
    model = PCA(10, random_state=0, svd_solver="covariance_eigh")
    scores = model.fit_transform(features)  # parts: blas_pca
    return scores


def one_thread_pca():
    with threadpool_limits(1):
        return blas_pca()


def unseeded_forest():
    features, target = load_diabetes(return_X_y=True)
    model = RandomForestRegressor(5, max_depth=3)
    model.fit(features, target)  # parts: unseeded_forest
    return model.predict(features)


def seeded_forest():
    features, target = load_diabetes(return_X_y=True)
    model = RandomForestRegressor(5, max_depth=3, random_state=0)
    model.fit(features, target)
    return model.predict(features)


SOURCES = (
    Planted(
        parallel_forest, serial_forest, "RandomForestRegressor.predict", "order in which threads finish",
        sometimes=True, before=forest,
    ),
    Planted(blas_kmeans, one_thread_kmeans, "KMeans", "number of threads", varied="threads", before=digits),
    Planted(blas_logistic, one_thread_logistic, "LogisticRegression", "number of threads", varied="threads", before=digits),
    Planted(blas_pca, one_thread_pca, "PCA", "number of threads", varied="threads", before=digits),
    Planted(unseeded_forest, seeded_forest, "RandomForestRegressor.fit", "was not seeded", mended="global"),
)  # fmt: skip

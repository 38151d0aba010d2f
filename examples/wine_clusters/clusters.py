"""Kinds of wine, found without labels: principal components of a table, then k-means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA

COMPONENTS = 2
KINDS = 3


@dataclass(frozen=True)
class Clusters:
    explained: np.ndarray
    centres: np.ndarray
    table: pd.DataFrame


def load() -> pd.DataFrame:
    return load_wine(as_frame=True).data


def find(wine: pd.DataFrame) -> Clusters:
    scaled = (wine - wine.mean()) / wine.std(ddof=0)
    pca = PCA(COMPONENTS, svd_solver="full").fit(scaled)
    places = pca.transform(scaled)
    kmeans = KMeans(KINDS, n_init=4).fit(places)  # no random_state: the test seeds it
    order = np.argsort(kmeans.cluster_centers_[:, 0])
    kind = pd.Categorical.from_codes(np.argsort(order)[kmeans.labels_], ["light", "middle", "heavy"])
    table = pd.DataFrame({"first": places[:, 0], "second": places[:, 1], "kind": kind}, index=wine.index)
    return Clusters(pca.explained_variance_ratio_, kmeans.cluster_centers_[order], table)

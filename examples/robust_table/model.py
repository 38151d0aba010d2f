"""Who has diabetes that got worse? A pipeline on a mixed table: numbers, one of them with gaps, and categories."""

from functools import lru_cache

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMBERS = ["age", "blood_pressure", "cholesterol", "sugar"]
CATEGORIES = ["sex", "weight"]


@lru_cache(maxsize=1)
def patients():
    """Return training rows and labels, then test rows and labels; a label is 1 where the disease got worse than usual."""
    data = load_diabetes(as_frame=True, scaled=False)
    raw = data.data
    table = pd.DataFrame(
        {
            "age": raw["age"].astype(int),
            "sex": np.where(raw["sex"] == 1, "f", "m"),
            "weight": pd.cut(raw["bmi"], [0, 25, 30, 60], labels=["normal", "over", "obese"]),
            "blood_pressure": raw["bp"],
            "cholesterol": raw["s1"].where(np.arange(len(raw)) % 15 != 0),  # not measured in every fifteenth
            "sugar": raw["s6"],
        }
    )
    worse = (data.target > data.target.median()).astype(int).to_numpy()
    train, test, train_y, test_y = train_test_split(table, worse, test_size=120, stratify=worse, random_state=0)
    return train, train_y, test, test_y


@lru_cache(maxsize=1)
def trained():
    """Return the pipeline, trained."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer((numbers, NUMBERS), (OneHotEncoder(handle_unknown="ignore"), CATEGORIES))
    train, labels, _, _ = patients()
    return make_pipeline(columns, LogisticRegression()).fit(train, labels)

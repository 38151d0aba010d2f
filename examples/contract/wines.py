"""Cultivars of wine, measured in a laboratory: the measurements that a model is trained on, and two deliveries."""

from pathlib import Path

import pandas as pd
from sklearn.datasets import load_wine

HERE = Path(__file__).parent
CONTRACT = HERE / "wine.toml"
INCOMING = HERE / "incoming"


def measured() -> pd.DataFrame:
    """Return the bottles: a number each, who measured it, when, and what was found."""
    data = load_wine(as_frame=True)
    table = data.data[["alcohol", "malic_acid", "magnesium", "hue", "proline"]]
    days = pd.date_range("2023-01-02", periods=len(table), freq="D").strftime("%Y-%m-%d")
    laboratory = ["Asti" if number % 3 else "Alba" for number in range(len(table))]
    named = table.assign(bottle=[f"W-{number:04}" for number in range(len(table))], day=days, laboratory=laboratory)
    return named.assign(cultivar=data.target_names[data.target])


def train() -> pd.DataFrame:
    return measured().iloc[::2].reset_index(drop=True)


def incoming(name: str) -> pd.DataFrame:
    return pd.read_csv(INCOMING / name)


def write_files() -> None:
    """How the deliveries were made: the other bottles, and those bottles with what goes wrong on the way."""
    good = measured().iloc[1::2].reset_index(drop=True)
    good.to_csv(INCOMING / "good.csv", index=False)
    broken = good.copy()
    broken.loc[[4, 17], "magnesium"] = [1010.0, 980.0]  # in other units
    broken.loc[30:34, "hue"] = None  # not measured
    broken.loc[20:26, "laboratory"] = "asti "  # typed by hand
    broken.loc[50:52, "day"] = ["03/05/2023", "05/05/2023", "07/05/2023"]
    again = broken.loc[[60]].assign(bottle="W-0999", cultivar="class_0")  # measured twice, and told otherwise
    pd.concat([broken, broken.loc[[61]], again]).to_csv(INCOMING / "broken.csv", index=False)


if __name__ == "__main__":
    write_files()

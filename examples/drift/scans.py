"""Scans of handwritten digits as a table: how dark each line of the image is, and which digit it is of."""

from pathlib import Path

import pandas as pd
from sklearn.datasets import load_digits

INCOMING = Path(__file__).parent / "incoming"


def scans() -> pd.DataFrame:
    digits = load_digits()
    lines = digits.images.mean(axis=2).round(3)
    table = pd.DataFrame(lines, columns=[f"line{at}" for at in range(8)])
    return table.assign(digit=[f"digit {number}" for number in digits.target])


def train() -> pd.DataFrame:
    """Every second scan: they come writer by writer."""
    return scans().iloc[::2].reset_index(drop=True)


def incoming(name: str) -> pd.DataFrame:
    return pd.read_csv(INCOMING / name)


def write_files() -> None:
    """How the two files were made: the other half of the scans, and that half from a scanner that is out of order."""
    good = scans().iloc[1::2].reset_index(drop=True)
    good.to_csv(INCOMING / "good.csv", index=False)
    broken = good.copy()
    broken["line2"] = (broken["line2"] * 0.7).round(3)  # a lamp that grows dim
    broken.loc[broken.index % 9 == 0, "line5"] = None  # a loose contact
    broken["digit"] = broken["digit"].str.replace("digit 7", "Digit 7")  # another spelling
    broken.drop(columns="line7").to_csv(INCOMING / "broken.csv", index=False)


if __name__ == "__main__":
    write_files()

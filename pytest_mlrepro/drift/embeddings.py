"""Images, texts and other values through a user's encoder: the reference's main directions, and what lies beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from blake3 import blake3

from ..errors import UsageError
from .columns import Values
from .statistics import Numbers

__all__ = ["Directions", "Encoder", "as_numbers", "directions", "encoded", "halves"]

Encoder: TypeAlias = Callable[[Any], Any]
MOST: Final = 16
"""Directions that are kept: those in which the reference varies most. All others are one number, the distance beside them."""
WIDEST: Final = 4096


@dataclass(frozen=True, slots=True)
class Directions:
    """Where the reference's embeddings lie."""

    mean: Numbers
    """Shape (width,)."""
    basis: Numbers
    """Orthonormal rows; shape (directions, width)."""


def encoded(encoder: Encoder, values: Any, rows: int, what: str) -> Numbers:
    """Return the embeddings, shape (rows, width); UsageError if that is not what the encoder gives."""
    made = encoder(values)
    if hasattr(made, "detach"):  # a torch tensor; asked of the value, since torch may not be there
        made = made.detach().cpu().numpy()
    array = np.asarray(made)
    if array.dtype.kind not in "iufb" or array.shape[:1] != (rows,):
        raise UsageError(
            f"drift: the encoder of {what} must return numbers of shape (rows, width), one row for each of {rows:,}; "
            f"it gave {type(made).__name__} of shape {array.shape}, dtype {array.dtype}"
        )
    flat = array.reshape(rows, -1).astype(np.float64)
    if not 0 < flat.shape[1] <= WIDEST:
        raise UsageError(
            f"drift: the encoder of {what} gave {flat.shape[1]:,} numbers for a row, 1 to {WIDEST:,} can be kept"
        )
    odd = np.flatnonzero(~np.isfinite(flat).all(1))
    if odd.size:
        raise UsageError(f"drift: the encoder of {what} gave NaN or infinity for {odd.size:,} rows: {odd[:5].tolist()}")
    return flat


def directions(points: Numbers) -> Directions:
    """Return the principal directions of the reference, shape of `points` (rows, width)."""
    mean = points.mean(0)
    spread, vectors = np.linalg.eigh((points - mean).T @ (points - mean) / len(points))
    order = np.argsort(-spread)[:MOST]
    keep = order[spread[order] > 1e-12 * max(float(spread.max()), 1e-300)]
    return Directions(mean, np.ascontiguousarray(vectors[:, keep].T))


def halves(points: Numbers) -> Any:
    """Tell which rows directions are made from; the others tell how far rows are from them without drift. Shape (rows,).

    By content, so that the order of rows doesn't matter; equal rows are in both halves alike.
    """
    seen: Counter[bytes] = Counter()
    chosen = []
    for row in points:
        content = blake3(row.tobytes()).digest(length=8)
        chosen.append((content[0] + seen[content]) % 2 == 0)
        seen[content] += 1
    return np.array(chosen)


def as_numbers(name: str, points: Numbers, kept: Directions) -> dict[str, Values]:
    """Return the columns of numbers that stand for embeddings, by name."""
    if points.shape[1] != len(kept.mean):
        raise UsageError(
            f"drift: the encoder of {name!r} gives {points.shape[1]} numbers for a row, and gave {len(kept.mean)} when the "
            "reference was made: the same encoder is needed"
        )
    away = points - kept.mean
    along = away @ kept.basis.T
    far = (away**2).sum(1)
    beside = far - (along**2).sum(1)
    beside = np.sqrt(np.where(beside > 1e-9 * far, beside, 0.0))  # less is rounding
    columns = {
        f"{name}: direction {at + 1}": Values("numeric", np.ascontiguousarray(part)) for at, part in enumerate(along.T)
    }
    if len(kept.basis) == points.shape[1]:
        return columns  # nothing lies beside all directions but rounding
    return {**columns, f"{name}: distance beside them": Values("numeric", beside)}

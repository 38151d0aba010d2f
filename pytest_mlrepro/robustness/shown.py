"""A counterexample as people can see it: small pictures of an image, the changed columns of a row, the most changed elements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from .report import Counterexample, differ
from .tables import AnyForm, TableForm

__all__ = ["shown"]

WIDEST: Final = 32
SHADES: Final = " ░▒▓█"
ROWS: Final = 6


def shown(example: Counterexample) -> list[str]:
    """Return the lines that show what was changed."""
    head = f"sample {example.index} ({example.outcome}, {example.attack}):"
    image = _image(example.original)
    lines = _pictures(image, _image(example.perturbed)) if image is not None else _columns(example)
    return [head, *(f"  {line}" for line in lines)]


def _image(x: Any) -> Any:
    """Return a sample as a picture of brightness, (height, width), or None if it is none."""
    if x.ndim == 3 and x.shape[0] in (1, 3):
        x = x.mean(axis=0)
    elif x.ndim == 3 and x.shape[2] in (1, 3):
        x = x.mean(axis=2)
    return x if x.ndim == 2 and min(x.shape) >= 4 else None


def _pictures(before: Any, after: Any) -> Iterator[str]:
    low, high = float(min(before.min(), after.min())), float(max(before.max(), after.max()))
    step = max(1, -(-max(before.shape) // WIDEST))
    titles = [f"{title:{-(-before.shape[1] // step)}}" for title in ("before", "after", "change")]
    width = max(len(title) for title in titles)
    yield "   ".join(title.ljust(width) for title in titles).rstrip()
    change = np.abs(after - before)
    parts = (
        _rows(before, low, high, step),
        _rows(after, low, high, step),
        _rows(change, 0.0, float(change.max()), step),
    )
    for row in zip(*parts, strict=True):
        yield "   ".join(part.ljust(width) for part in row).rstrip()


def _rows(picture: Any, low: float, high: float, step: int) -> list[str]:
    small = picture[::step, ::step]
    scaled = np.zeros(small.shape, int) if high <= low else ((small - low) / (high - low) * (len(SHADES) - 1)).round()
    return ["".join(SHADES[int(level)] for level in row) for row in scaled]


def _columns(example: Counterexample) -> Iterator[str]:
    """Yield the elements that changed most, before and after."""
    before, after = example.original.ravel(), example.perturbed.ravel()
    form = example.form
    spreads = [column.spread or 1.0 for column in form.columns] if isinstance(form, TableForm) else [1.0]
    size = np.nan_to_num(np.abs(after - before) / np.resize(spreads, len(before)), nan=np.inf)
    different = differ(before, after)
    changed = [at for at in np.argsort(-size, kind="stable").tolist() if different[at]]
    labels = [str(form.names[at]) if form.names is not None else f"[{at}]" for at in changed[:ROWS]]
    width = max(map(len, labels), default=0)
    yield f"{'':{width}}  {'before':>12}  {'after':>12}"
    for label, at in zip(labels, changed, strict=False):
        yield f"{label:{width}}  {_cell(form, at, before[at]):>12}  {_cell(form, at, after[at]):>12}{_moved(form, at, size[at])}"
    if len(changed) > ROWS:
        yield f"… and {len(changed) - ROWS} more that changed less"


def _cell(form: AnyForm, at: int, number: float) -> str:
    return form.columns[at].word(number) if isinstance(form, TableForm) else f"{number:.6g}"


def _moved(form: AnyForm, at: int, size: float) -> str:
    """Return how far a number of a table was moved, in the unit that the threat counts in."""
    if not isinstance(form, TableForm) or not form.columns[at].spread or not np.isfinite(size):
        return ""
    return f"   by {size:.2g} standard deviations"

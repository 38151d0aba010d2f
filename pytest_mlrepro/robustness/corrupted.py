"""A `Corruption` of given samples: which kind of data they are, what becomes of each, and the attack that asks the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from .._lazy import loaded
from ..errors import UsageError
from .attacks.base import Batch
from .attacks.base import Kind as Asks
from .corruption import BY_KIND, Corruption
from .corruptions.base import Kind
from .generators import drawn
from .inputs import Floats, Form, read_inputs
from .models import Meter
from .tables import TableForm, read_table, read_texts

__all__ = ["Corrupted", "Corrupting", "read_corrupted"]

_MISSING = (0.05, 0.1, 0.2, 0.3, 0.5)
"""The share of columns that `missing_columns` takes."""
_LARGE = 64
"""Pixels of a side from which an image has the constants of large ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Corrupted:
    """The corruption with what it needs to know of these samples; `sample` corrupts one of them."""

    threat: Corruption
    kind: Kind
    sample: Callable[[np.random.Generator, Floats], Floats]
    norm: ClassVar[Literal["corruption"]] = "corruption"
    bounds: ClassVar[None] = None

    @property
    def epsilon(self) -> float:
        """The severity."""
        return float(self.threat.severity)

    def __str__(self) -> str:
        """Return the threat in words."""
        return str(self.threat)

    def distance(self, x: Floats, y: Floats) -> NDArray[np.float64]:
        """Return the severity of each sample: (samples, ...) twice to (samples,)."""
        return np.full(len(x), self.epsilon)

    def contains(self, x: Floats, origin: Floats) -> NDArray[np.bool_]:
        """Tell which points may be asked for: all, since none is made but by the corruption itself."""
        return np.ones(len(x), np.bool_)

    def project(self, x: Floats, origin: Floats, rounded: Callable[[Floats], Floats] | None = None) -> Floats:
        """Return the points as the model sees them."""
        return x if rounded is None else rounded(x)

    def between(self, origin: Floats, point: Floats, part: float) -> Floats:
        """Return the point: a corruption has no half."""
        return point


@dataclass(frozen=True, slots=True)
class Corrupting:
    """All draws of each sample, of which the worst is the candidate."""

    threat: Corruption
    kind: ClassVar[Asks] = "given"

    @property
    def label(self) -> str:
        """Return what reports call it."""
        return f"{self.threat.name} of severity {self.threat.severity}"

    @property
    def cost(self) -> int:
        """Return the number of draws."""
        return self.threat.draws

    def __call__(self, meter: Meter, batch: Batch, ball: Any) -> Floats:
        """Return a candidate for each sample."""
        best, margin = batch.x.copy(), np.full(len(batch.x), np.inf)
        for draw in range(self.threat.draws):
            rngs: list[np.random.Generator] = []
            drawn(batch.keys, (11, draw), lambda rng, rngs=rngs: (rngs.append(rng), np.zeros(0))[1])  # type: ignore[misc]
            made = [ball.sample(rng, x) for rng, x in zip(rngs, batch.x, strict=True)]
            points = meter.model.rounded(np.stack(made).astype(batch.x.dtype))
            now = batch.goal.margin(meter.decided(points))
            better = now < margin
            best[better], margin[better] = points[better], now[better]
        return best


def read_corrupted(threat: Corruption, inputs: Any) -> tuple[Floats, Form | TableForm, Corrupted]:
    """Return samples as numbers, the form to give them back in, and the corruption of them.

    Raises:
        UsageError: data of a kind that this corruption makes no sense for, or that nothing tells the kind of.
    """
    kind = threat.kind or _kind(threat, inputs)
    if threat.name not in Corruption.names(kind):
        others = [other for other in BY_KIND if threat.name in Corruption.names(other)]  # type: ignore[arg-type]  # the kinds
        raise UsageError(
            f"threat: {threat.name!r} makes no sense for data of the kind {kind!r} (it is for {' and '.join(others)}); that has "
            f"{', '.join(Corruption.names(kind))}; kind=… says what the data is, if it is something else"
        )
    if kind == "text":
        codes, form = read_texts(inputs)
        return codes, form, Corrupted(threat, kind, _of_texts(threat, form))
    if kind == "table":
        table, form = read_table(inputs)
        return table, form, Corrupted(threat, kind, _of_rows(threat, table, form))
    x, plain = _numbers(inputs)
    return x, plain, Corrupted(threat, kind, _of_images(threat, x, plain) if kind == "image" else _of_series(threat))


def _kind(threat: Corruption, inputs: Any) -> Kind:
    fitting = [kind for kind in BY_KIND if threat.name in Corruption.names(kind)]  # type: ignore[arg-type]  # the kinds
    shape = getattr(inputs, "shape", None)
    if hasattr(inputs, "columns"):
        return "table"
    if shape is None or (len(shape) == 1 and not hasattr(inputs, "detach")):
        return "text"
    if len(shape) >= 4:
        return "image"
    if len(shape) == 3:
        return "image" if "series" not in fitting or min(shape[1:]) >= 8 else "series"
    return "series" if fitting == ["series"] else "table"


def _numbers(inputs: Any) -> tuple[Floats, Form]:
    """Return arrays and tensors as floats, whole numbers too: pixels often are."""
    torch = loaded("torch")
    if torch is not None and isinstance(inputs, torch.Tensor) and not inputs.is_floating_point():
        x, form = read_inputs(inputs.double())
        return x, replace(form, dtypes=(inputs.dtype,))
    if isinstance(inputs, np.ndarray) and inputs.dtype.kind in "iu":
        x, form = read_inputs(inputs.astype(np.float64))
        return x, replace(form, dtypes=(inputs.dtype,))
    return read_inputs(inputs)


def _of_images(threat: Corruption, x: Floats, form: Form) -> Callable[[np.random.Generator, Floats], Floats]:
    whole = "int" in str(form.dtypes[0])
    low, high = threat.bounds or ((0.0, 255.0) if whole else (0.0, 1.0))
    if x.min() < low or x.max() > high:
        raise UsageError(
            f"threat: images have values from {x.min():.6g} to {x.max():.6g}, outside of {low:g} to {high:g}; give their "
            f"darkest and brightest value: Corruption({threat.name!r}, bounds=(…, …))"
        )
    method = BY_KIND["image"][threat.name]
    last = x.ndim == 4 and x.shape[3] in (1, 3) and x.shape[1] not in (1, 3)
    side = min(x.shape[1:3] if last else x.shape[-2:])
    constant = (method.large or method.severities if side >= _LARGE else method.severities)[threat.severity - 1]

    def sample(rng: np.random.Generator, image: Floats) -> Floats:
        scaled = (np.moveaxis(image, -1, 0) if last else image).astype(np.float64)
        made = np.clip(method.apply(rng, (scaled - low) / (high - low), constant), 0, 1) * (high - low) + low
        made = np.round(made) if whole else made
        return np.moveaxis(made, 0, -1) if last else made

    return sample


def _of_series(threat: Corruption) -> Callable[[np.random.Generator, Floats], Floats]:
    method = BY_KIND["series"][threat.name]
    constant = method.severities[threat.severity - 1]
    return lambda rng, x: method.apply(rng, x.astype(np.float64), constant)


def _of_texts(threat: Corruption, form: TableForm) -> Callable[[np.random.Generator, Floats], Floats]:
    method, (column,) = BY_KIND["text"][threat.name], form.columns
    constant = method.severities[threat.severity - 1]

    def sample(rng: np.random.Generator, x: Floats) -> Floats:
        return np.array([column.code(method.apply(rng, column.levels[int(x[0])], constant))])

    return sample


def _of_rows(
    threat: Corruption, table: NDArray[np.float64], form: TableForm
) -> Callable[[np.random.Generator, Floats], Floats]:
    names = list(form.names)
    for name in threat.columns or ():
        if name not in names:
            raise UsageError(
                f"Corruption(columns): the table has no column {name!r}; it has {', '.join(map(repr, names[:12]))}"
            )
    columns = [
        (at, column)
        for at, column in enumerate(form.columns)
        if threat.columns is None or column.name in threat.columns
    ]
    for at, column in columns:
        held = table[:, at][~np.isnan(table[:, at])]
        column.spread = float(held.std()) if len(held) and column.sort in ("number", "whole") else 0.0
    if threat.name == "missing_columns":
        return _without(threat, [at for at, column in columns if column.missable and column.sort != "fixed"])
    method = BY_KIND["table"][threat.name]
    constant = method.severities[threat.severity - 1]
    return lambda rng, row: method.apply(rng, row, constant, columns)


def _without(threat: Corruption, places: list[int]) -> Callable[[np.random.Generator, Floats], Floats]:
    """Take columns from every row: which ones, each row draws for itself."""
    if not places:
        raise UsageError(f"threat: {threat}: no column of this table has a missing value in its dtype")
    count = max(1, round(_MISSING[threat.severity - 1] * len(places)))

    def sample(rng: np.random.Generator, row: Floats) -> Floats:
        out = row.copy()
        out[rng.choice(places, count, replace=False)] = np.nan
        return out

    return sample

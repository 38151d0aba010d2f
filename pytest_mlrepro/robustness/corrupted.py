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
from .columns import Column
from .corruption import BY_KIND, Corruption
from .corruptions.base import Kind
from .generators import own_generators
from .inputs import Floats, Form, read_inputs
from .models import Meter
from .samplers import OfSeries, OfTexts, Sampler, of_images, of_rows
from .tables import TableForm, read_table, read_texts

__all__ = ["Corrupted", "Corrupting", "read_corrupted"]


@dataclass(frozen=True, slots=True, eq=False)
class Corrupted:
    """The corruption with what it needs to know of these samples; `sample` corrupts one of them."""

    threat: Corruption
    kind: Kind
    sample: Sampler
    columns: tuple[Column, ...] = ()
    """Of texts and tables."""
    norm: ClassVar[Literal["corruption"]] = "corruption"
    bounds: ClassVar[None] = None

    @property
    def epsilon(self) -> float:
        """The severity."""
        return float(self.threat.severity)

    def __str__(self) -> str:
        """Return the threat in words."""
        return str(self.threat)

    def notes(self, seed: int) -> tuple[str, ...]:
        """Return what the report says of where all of this is from."""
        draws = f"{self.threat.draws} draws" if self.threat.draws > 1 else "one draw"
        return (f"{draws} for each sample, of seed {seed}; taken as {self.kind} data; {self.threat.source}",)

    def made(self, batch: Batch, draw: int) -> Floats:
        """Return one draw of each sample."""
        rngs = own_generators(batch.keys, (11, draw))
        return np.stack([self.sample(rng, x) for rng, x in zip(rngs, batch.x, strict=True)]).astype(batch.x.dtype)

    def prepare(self, batch: Batch) -> None:
        """Make all draws of texts once, so that each worker knows every text that any of them makes by its number."""
        if any(column.coded for column in self.columns):
            for draw in range(self.threat.draws):
                self.made(batch, draw)

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
            points = meter.model.rounded(ball.made(batch, draw))
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
    for what, fitting in (("bounds", "image"), ("columns", "table")):
        if getattr(threat, what) is not None and kind != fitting:
            raise UsageError(
                f"Corruption({what}): only for the kind {fitting!r}, and the data is taken as {kind!r}; kind=… says otherwise"
            )
    if kind == "text":
        codes, form = read_texts(inputs)
        return codes, form, Corrupted(threat, kind, OfTexts(threat, form.columns[0]), form.columns)
    if kind == "table":
        table, form = read_table(inputs)
        return table, form, Corrupted(threat, kind, of_rows(threat, table, form), form.columns)
    x, plain = _numbers(inputs)
    return x, plain, Corrupted(threat, kind, of_images(threat, x, plain) if kind == "image" else OfSeries(threat))


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

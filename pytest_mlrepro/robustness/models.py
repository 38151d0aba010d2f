"""One face for every model: scores for arrays, and for torch also for tensors, so that attacks know no framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .._lazy import loaded
from ..errors import MlreproError, UsageError
from .black_box import black_box
from .inputs import Floats
from .network import Network, gives_gradients, opened_module
from .outputs import Reading
from .tables import AnyForm

__all__ = ["Meter", "Model", "opened"]


class Model(Protocol):
    """What an attack may ask of a model; arrays are (batch, ...) in floats, on this machine's processor."""

    @property
    def reading(self) -> Reading | None:
        """How outputs become scores, once that is known."""

    @property
    def classes(self) -> tuple[Any, ...] | None:
        """The labels that the columns have, if the model says so."""

    def rounded(self, x: Floats) -> Floats:
        """Return the inputs as the model will see them, if it computes in a coarser dtype."""

    def raw(self, x: Floats) -> NDArray[Any]:
        """Return the model's own outputs."""

    @property
    def decides(self) -> bool:
        """Whether `predict` gives labels beside its scores."""

    def decide(self, x: Floats) -> NDArray[Any] | None:
        """Return those labels."""


@dataclass(slots=True)
class Meter:
    """A model whose use is counted, in samples: what attacks are given, one for each piece of work."""

    model: Model
    refusing: bool = False
    """Whether a row on which the model raises has no answer (NaN), rather than ending the attack."""
    evaluations: int = 0
    gradients: int = 0
    errors: list[str] = field(default_factory=list)
    """What an attack said of each sample that it could not run on."""
    network: Network | None = field(init=False)

    def __post_init__(self) -> None:
        self.network = self.model if isinstance(self.model, Network) else None

    def scores(self, x: Floats) -> NDArray[np.float64]:
        """Return scores (batch, columns), the greatest being the prediction."""
        reading = self.model.reading
        assert reading is not None
        return self._asked(x, lambda rows: reading.scores(self.model.raw(rows)), reading)

    def tensor_scores(self, x: Any) -> Any:
        """Return scores of a tensor with their graph, for a model that has gradients."""
        self.evaluations += len(x)
        assert self.network is not None
        assert self.network.reading is not None
        return self.network.reading.tensor_scores(self.network.outputs(x))

    def decided(self, x: Floats) -> NDArray[np.float64]:
        """Return scores of the model's final word: those of `predict` where it has one, as ones and zeros."""
        assert self.model.reading is not None
        by_labels = replace(self.model.reading, kind="labels")

        def decided(rows: Floats) -> NDArray[np.float64]:
            labels = self.model.decide(rows)
            assert labels is not None
            return by_labels.scores(labels)

        if self.model.reading.kind in ("labels", "values") or not self.model.decides:
            return self.scores(x)
        return self._asked(x, decided, by_labels)

    def _asked(self, x: Floats, ask: Callable[[Floats], NDArray[np.float64]], reading: Reading) -> NDArray[np.float64]:
        """Ask for all rows at once; of a batch with rows that the model refuses, find out which those are by halves."""
        self.evaluations += len(x)
        try:
            return ask(x)
        except (MlreproError, MemoryError):
            raise
        except Exception as refusal:
            if not self.refusing or "OutOfMemory" in type(refusal).__name__:
                raise
            if len(x) == 1:
                return np.full((1, reading.width), np.nan)
            half = len(x) // 2
            return np.concatenate([self._asked(part, ask, reading) for part in (x[:half], x[half:])])


@contextmanager
def opened(
    model: Any, form: AnyForm, x: Floats, *, regression: bool
) -> Iterator[tuple[Model, Callable[[], list[str]]]]:
    """Yield the model under one face, and a function that lists which of its parts have changed since.

    A torch module is in eval mode meanwhile; each of its modules is given back in the mode that it was in. `x` is a
    sample or more to try a plain function on.

    Raises:
        UsageError: nothing here can be asked for a prediction.
    """
    torch, base = loaded("torch"), loaded("sklearn.base")
    if torch is not None and isinstance(model, torch.nn.Module):
        with opened_module(model, form) as (network, changes):
            yield network, changes
        return
    predicts = any(callable(getattr(model, name, None)) for name in ("predict", "predict_proba"))
    if isinstance(model, type) or not (predicts or callable(model)):
        kind = f"the class {model.__qualname__}" if isinstance(model, type) else type(model).__qualname__
        raise UsageError(
            f"model: a torch module, an object with predict or predict_proba, or a callable is expected, got {kind}"
        )
    if base is not None and not regression and isinstance(model, base.BaseEstimator) and base.is_regressor(model):
        raise UsageError(
            f"model: {type(model).__name__} is a regressor: say by how much its output may change, max_change=…"
        )
    if not predicts and gives_gradients(model, form, x[:1]):
        yield Network(model, form.dtypes[0], form.device), list
    else:
        yield black_box(model, form, regression=regression), list

"""Models that are asked and not looked into: scikit-learn's and everything else with `predict`, `predict_proba` or a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._lazy import loaded
from ..errors import UsageError
from .inputs import Floats
from .outputs import Reading
from .tables import AnyForm, TableForm

__all__ = ["BlackBox", "black_box", "by_labels_only"]


@dataclass(frozen=True, slots=True, eq=False)
class BlackBox:
    """The model, the method of it that gives scores (or nothing better than labels), and what it is called with."""

    model: Any
    method: str
    """Empty if the model itself is called."""
    form: AnyForm
    reading: Reading | None = None
    classes: tuple[Any, ...] | None = None

    def rounded(self, x: Floats) -> Floats:
        """Return the inputs as they look in the dtypes that the model is given."""
        if isinstance(self.form, TableForm):
            return self.form.rounded(x)
        dtypes = self.form.dtypes
        if self.form.kind == "torch":
            return np.asarray(self.form.restore(x).detach().double().cpu().numpy()).astype(x.dtype)
        if self.form.kind == "numpy":
            return x.astype(dtypes[0]).astype(x.dtype)
        short = [at for at, dtype in enumerate(dtypes) if "32" in str(dtype)]
        if not short:
            return x
        x = x.copy()
        x[:, short] = x[:, short].astype(np.float32)
        return x

    def raw(self, x: Floats) -> NDArray[Any]:
        """Return the outputs as an array; of scores of two classes in one column, both columns."""
        out = self._called(self.method, x)
        if self.method == "decision_function" and out.ndim == 1:
            return np.stack([-out / 2, out / 2], axis=1)
        return out

    @property
    def decides(self) -> bool:
        """Whether the model has a `predict` beside its scores."""
        return bool(self.method) and hasattr(self.model, "predict")

    def decide(self, x: Floats) -> NDArray[Any] | None:
        """Return the labels of `predict`, or None if the model has no such method."""
        return self._called("predict", x) if self.decides else None

    def _called(self, method: str, x: Floats) -> NDArray[Any]:
        call = getattr(self.model, method) if method else self.model
        out = call(self.form.restore(x))
        torch = loaded("torch")
        if torch is not None and isinstance(out, torch.Tensor):
            out = out.detach().cpu().numpy()
        array = np.asarray(out.to_numpy() if hasattr(out, "to_numpy") else out)
        if array.ndim < 1 or len(array) != len(x):
            name = f"{type(self.model).__qualname__}.{method}" if method else "the call"
            raise UsageError(
                f"model: {name} gave shape {array.shape} for {len(x)} samples; one row for each is expected"
            )
        return array


def black_box(model: Any, form: AnyForm, *, regression: bool) -> BlackBox:
    """Return the model with the best of its methods: scores before probabilities before labels."""
    methods = ("predict",) if regression else ("decision_function", "predict_proba", "predict")
    method = next((name for name in methods if callable(getattr(model, name, None))), "")
    classes = getattr(model, "classes_", None)
    known = None if regression or not isinstance(classes, np.ndarray) else tuple(classes.tolist())
    return BlackBox(model, method, form, classes=known)


def by_labels_only(model: BlackBox, classes: tuple[Any, ...]) -> BlackBox:
    """Return the model without its scores: for one whose `predict` is not their greatest (a tuned threshold)."""
    return BlackBox(model.model, "predict", model.form, Reading("labels", classes), model.classes)

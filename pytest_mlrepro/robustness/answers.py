"""What a model says of inputs that need not be floats: labels, and the numbers behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._lazy import loaded
from ..errors import UsageError
from .outputs import as_columns

__all__ = ["Answers", "answers", "one_score"]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """One row for each sample; labels are None for a regression."""

    values: NDArray[np.float64]
    """(samples, columns): probabilities, scores or values; of labels alone, nothing to speak of: their numbers."""
    labels: NDArray[Any] | None
    classes: tuple[Any, ...] = ()
    """What the columns stand for, if the model says so."""
    scored: bool = True

    def named(self, output: Any) -> str:
        """Return what `one_score` gives, in words."""
        if self.values.shape[1] == 1 and not self.classes:
            return "the output"
        if self.classes:
            return f"the score of {self.classes[self.column(output)]!r}"
        return f"column {self.column(output)} of the outputs"

    def column(self, output: Any) -> int:
        """Return the column of an output."""
        columns = int(self.values.shape[1])
        if not self.scored:
            raise UsageError(
                "model: it gives labels only; a direction needs scores: predict_proba or decision_function"
            )
        if output is None:
            if columns <= 2:
                return columns - 1
            names = f"the classes {', '.join(map(repr, self.classes[:10]))}" if self.classes else f"{columns} columns"
            raise UsageError(f"output: the model has {names}; say which is meant: output=…")
        known: tuple[Any, ...] = self.classes or tuple(range(columns))
        if output not in known:
            raise UsageError(f"output: one of {', '.join(map(repr, known[:10]))} is expected, got {output!r}")
        return int(known.index(output))

    def moved(self, after: Answers, at: int, output: Any, *, by_label: bool) -> str:
        """Return in words what became of one sample."""
        if by_label:
            assert self.labels is not None
            assert after.labels is not None
            return f"{_plain(self.labels[at])!r} becomes {_plain(after.labels[at])!r}"
        if output is not None or (self.values.shape[1] <= 2 and self.scored):
            column = self.column(output)
        else:
            column = int(np.argmax(np.nan_to_num(np.abs(after.values[at] - self.values[at]), nan=np.inf)))
        one, two = self.values[at, column], after.values[at, column]
        where = f"{self.classes[column]!r}: " if len(self.classes) > 1 else ""
        return f"{where}{one:.6g} becomes {two:.6g} ({two - one:+.3g})"


def one_score(given: Answers, output: Any) -> NDArray[np.float64]:
    """Return one number for each sample, (samples,).

    Raises:
        UsageError: the model gives labels only, or several outputs of which none is named.
    """
    return given.values[:, given.column(output)]


def answers(model: Any, inputs: Any, what: str, *, allow_nan: bool = False) -> Answers:
    """Ask a model; `what` names the inputs in errors.

    Raises:
        UsageError: no samples, no model, outputs that are NaN or of another number than the inputs.
    """
    if not hasattr(inputs, "__len__") or not len(inputs):
        raise UsageError(f"{what}: samples are expected, got {'none' if hasattr(inputs, '__len__') else repr(inputs)}")
    found = _asked(model, inputs)
    if len(found.values) != len(inputs):
        raise UsageError(
            f"model: one row of outputs for each of {len(inputs)} samples is expected, got {len(found.values)}"
        )
    nan = np.asarray(np.isnan(found.values).any(1), np.bool_)
    if nan.any() and not allow_nan:
        raise UsageError(
            f"model: its outputs for {int(nan.sum())} of {len(nan)} samples are NaN, the first is sample {int(np.argmax(nan))}"
        )
    return found


def _asked(model: Any, inputs: Any) -> Answers:
    torch = loaded("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        return _of_module(model, inputs)
    if isinstance(model, type):
        raise UsageError(f"model: an instance is expected, got the class {model.__qualname__}")
    predict = getattr(model, "predict", None)
    method = next(
        (name for name in ("predict_proba", "decision_function") if callable(getattr(model, name, None))), None
    )
    if method is None:
        if not callable(predict) and not callable(model):
            raise UsageError(
                f"model: a torch module, an object with predict or a callable is expected, got {type(model).__qualname__}"
            )
        return _read(_array(predict(inputs) if callable(predict) else model(inputs)), predicted=callable(predict))
    values = _array(getattr(model, method)(inputs))
    classes = getattr(model, "classes_", None)
    names = tuple(np.asarray(classes).tolist()) if isinstance(classes, np.ndarray) else ()
    table = np.asarray(as_columns(values), np.float64)
    if table.shape[1] == 1 and len(names) == 2:
        table = np.concatenate([-table / 2, table / 2], axis=1)
    labels = _array(predict(inputs)) if callable(predict) else table.argmax(1)
    return Answers(table, labels, names if len(names) == table.shape[1] else ())


def _of_module(module: Any, inputs: Any) -> Answers:
    torch: Any = loaded("torch")
    first = next(iter(module.parameters()), None)
    device = first.device if first is not None else "cpu"
    if isinstance(inputs, torch.Tensor):
        given = inputs.to(device)
    else:
        array = np.asarray(inputs.to_numpy() if hasattr(inputs, "to_numpy") else inputs)
        given = torch.from_numpy(np.ascontiguousarray(array)).to(device)
    if first is not None and given.is_floating_point():
        given = given.to(first.dtype)
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            out = module(given)
    finally:
        for part, mode in modes:
            part.training = mode
    return _read(_array(getattr(out, "logits", out)), predicted=False)


def _array(out: Any) -> NDArray[Any]:
    torch = loaded("torch")
    if torch is not None and isinstance(out, torch.Tensor):
        out = out.detach().cpu()
        out = out.double() if out.is_floating_point() else out
    return np.asarray(out.to_numpy() if hasattr(out, "to_numpy") else out)


def _read(out: NDArray[Any], *, predicted: bool) -> Answers:
    """Tell outputs apart: whole numbers and texts are labels, several columns are scores, one column is a value."""
    if out.dtype.kind not in "f" and out.ndim == 1:
        _, numbers = np.unique(out, return_inverse=True)
        return Answers(numbers.astype(np.float64)[:, None], out, scored=False)
    table = np.asarray(as_columns(out), np.float64)
    return Answers(table, table.argmax(1) if table.shape[1] > 1 and not predicted else None)


def _plain(label: Any) -> Any:
    return label.item() if hasattr(label, "item") else label

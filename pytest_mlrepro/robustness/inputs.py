"""Inputs and labels as people have them, into arrays and back: a model gets the kind, names and dtypes that it is used to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._lazy import loaded
from ..errors import UsageError

__all__ = ["Floats", "Form", "read_inputs", "read_labels"]

Floats: TypeAlias = NDArray[Any]
"""(samples, ...) in a floating dtype."""

_KINDS = "a numpy array, a torch tensor or a pandas or polars frame"


@dataclass(frozen=True, slots=True)
class Form:
    """What kind of object the model is called with, and what has to be given back to it besides the numbers."""

    kind: Literal["numpy", "torch", "pandas", "polars"]
    dtypes: tuple[Any, ...]
    names: Any = None
    """Columns of a frame."""
    device: Any = None

    def portable(self, x: Floats) -> Floats:
        """Return samples that mean the same in another run: here, themselves."""
        return x

    def back(self, point: Floats) -> Floats | None:
        """Return the sample that `portable` was made from."""
        return point

    def restore(self, x: Floats) -> Any:
        """Return the array (samples, ...) as an object of this form; frames get a fresh index."""
        match self.kind:
            case "numpy":
                return np.ascontiguousarray(x, self.dtypes[0])
            case "torch":
                torch: Any = loaded("torch")
                return torch.from_numpy(np.array(x)).to(device=self.device, dtype=self.dtypes[0])
            case "pandas":
                pandas: Any = loaded("pandas")
                columns = {at: pandas.Series(x[:, at]).astype(dtype) for at, dtype in enumerate(self.dtypes)}
                return pandas.DataFrame(columns).set_axis(self.names, axis=1)
            case "polars":
                polars: Any = loaded("polars")
                columns = {n: polars.Series(n, x[:, at], d) for at, (n, d) in enumerate(zip(self.names, self.dtypes))}  # noqa: B905
                return polars.DataFrame(columns)


def read_inputs(inputs: object) -> tuple[Floats, Form]:
    """Return the inputs as an array of float32 or float64 (a copy), and the form to give them back in.

    Raises:
        UsageError: another kind of object, no samples, numbers that aren't floating (a ball holds fractions), NaN or infinity.
    """
    torch, pandas, polars = loaded("torch"), loaded("pandas"), loaded("polars")
    if isinstance(inputs, np.ndarray):
        array, form = _from_numpy(inputs)
    elif torch is not None and isinstance(inputs, torch.Tensor):
        array, form = _from_torch(inputs)
    elif pandas is not None and isinstance(inputs, pandas.DataFrame):
        array, form = _from_pandas(inputs)
    elif polars is not None and isinstance(inputs, polars.DataFrame):
        array, form = _from_polars(inputs)
    else:
        raise UsageError(f"inputs: {_KINDS} is expected, got {type(inputs).__module__}.{type(inputs).__qualname__}")
    if array.ndim < 2:
        raise UsageError(f"inputs: samples and their features are expected, (samples, ...), got shape {array.shape}")
    if not array.size:
        raise UsageError(f"inputs: there are no samples (shape {array.shape}), so that nothing would be attacked")
    finite = np.isfinite(array).reshape(len(array), -1).all(1)
    if not finite.all():
        raise UsageError(
            f"inputs: {int((~finite).sum())} of {len(array)} samples hold NaN or infinity, the first is sample "
            f"{int(np.argmin(finite))}; a ball around them means nothing: fill or drop them, or use Tabular"
        )
    return array, form


def _from_numpy(inputs: NDArray[Any]) -> tuple[Floats, Form]:
    if inputs.dtype.kind != "f":
        raise UsageError(f"inputs: {_fractions(f'the array is {inputs.dtype}')}")
    native = inputs.dtype.newbyteorder("=")
    return np.array(inputs, _working(native), order="C"), Form("numpy", (native,))


def _from_torch(inputs: Any) -> tuple[Floats, Form]:
    torch: Any = loaded("torch")
    if not inputs.is_floating_point():
        raise UsageError(f"inputs: {_fractions(f'the tensor is {inputs.dtype}')}")
    wide = torch.float64 if inputs.dtype == torch.float64 else torch.float32
    array = np.array(inputs.detach().to("cpu", wide).numpy(), order="C")
    return array, Form("torch", (inputs.dtype,), device=inputs.device)


def _from_pandas(inputs: Any) -> tuple[Floats, Form]:
    for name, dtype in zip(inputs.columns, inputs.dtypes, strict=True):
        if getattr(dtype, "kind", "O") != "f":
            raise UsageError(f"inputs: {_fractions(f'column {name!r} is {dtype}')}")
    return inputs.to_numpy(np.float64, na_value=np.nan, copy=True), Form("pandas", tuple(inputs.dtypes), inputs.columns)


def _from_polars(inputs: Any) -> tuple[Floats, Form]:
    for name, dtype in inputs.schema.items():
        if not dtype.is_float():
            raise UsageError(f"inputs: {_fractions(f'column {name!r} is {dtype}')}")
    columns = [series.cast(float).to_numpy() for series in inputs.get_columns()]
    array = np.stack(columns, axis=1).astype(np.float64) if columns else np.empty((inputs.height, 0))
    return array, Form("polars", tuple(inputs.dtypes), tuple(inputs.columns))


def _fractions(what: str) -> str:
    return (
        f"{what}, and a ball around a sample holds fractions of its values; convert to floats if the model takes them, "
        "or use Tabular(...), which knows integers and categories"
    )


def _working(dtype: Any) -> Any:
    return np.float64 if dtype.itemsize >= 8 else np.float32


def read_labels(labels: object, samples: int) -> NDArray[Any]:
    """Return labels as an array (samples,), of whatever dtype they have.

    Raises:
        UsageError: none are given, their number or shape doesn't fit, or some are missing.
    """
    if labels is None:
        raise UsageError("labels: one for each sample is expected, got None (for a regression give max_change instead)")
    torch = loaded("torch")
    if torch is not None and isinstance(labels, torch.Tensor):
        labels = labels.detach().cpu().numpy()
    elif hasattr(labels, "to_numpy"):
        labels = labels.to_numpy()
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (samples,):
        hint = ", as class numbers and not one-hot" if array.ndim == 2 and len(array) == samples else ""
        raise UsageError(f"labels: one for each of the {samples} samples is expected{hint}, got shape {array.shape}")
    missing = [at for at, label in enumerate(array.tolist()) if label is None or label != label]
    if missing:
        raise UsageError(f"labels: {len(missing)} are missing (None or NaN), the first at sample {missing[0]}")
    return array

"""Changed inputs of any kind: one column set to a value, and one sample before and after, for people to read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._lazy import loaded
from ..errors import UsageError

__all__ = ["placed", "told"]

_SHOWN = 6


def placed(
    inputs: Any, feature: Any, values: Sequence[float] | None, steps: int
) -> tuple[Callable[[float], Any], list[float]]:
    """Return what gives the inputs with a feature set to a value, and the values to set it to, upwards.

    Raises:
        UsageError: no such feature, one that is not numeric, values that it can't hold, or less than two values.
    """
    column = _column(inputs, feature)
    if values is not None:
        grid = sorted({_held(value, column, feature) for value in values})
    else:
        held = column.held[np.isfinite(column.held)]
        grid = np.linspace(held.min(), held.max(), steps).tolist() if len(held) else []
        grid = sorted({float(round(value)) if column.whole else value for value in grid})
    if len(grid) < 2:
        raise UsageError(f"feature: {feature!r} needs two values at least to rise, got {grid}; give values=…")
    return column.put, grid


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    held: NDArray[np.float64]
    """Its values, without those that are missing."""
    whole: bool
    put: Callable[[float], Any]
    """What gives the inputs with the whole column set to a value."""


def _held(value: Any, column: _Column, feature: Any) -> float:
    """Return a value that the column can hold; a fraction must not be cut off silently."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not math.isfinite(value):
        raise UsageError(f"values: finite numbers are expected for {feature!r}, got {value!r}")
    if column.whole and float(value) != round(float(value)):
        raise UsageError(f"values: {feature!r} holds whole numbers, which {value!r} is not")
    try:
        column.put(float(value))
    except (OverflowError, TypeError, ValueError) as error:
        raise UsageError(f"values: {feature!r} can't hold {value!r} ({error})") from None
    return float(value)


def _column(inputs: Any, feature: Any) -> _Column:
    torch: Any = loaded("torch")
    pandas, polars = loaded("pandas"), loaded("polars")
    if pandas is not None and isinstance(inputs, pandas.DataFrame):
        return _of_pandas(inputs, _known(feature, list(inputs.columns)))
    if polars is not None and isinstance(inputs, polars.DataFrame):
        return _of_polars(inputs, _known(feature, inputs.columns))
    is_tensor = torch is not None and isinstance(inputs, torch.Tensor)
    if not (is_tensor or isinstance(inputs, np.ndarray)) or inputs.ndim != 2:
        raise UsageError(
            "inputs: (samples, features) as an array, a tensor or a frame is expected, got "
            f"{type(inputs).__qualname__}{f' of shape {tuple(inputs.shape)}' if hasattr(inputs, 'shape') else ''}"
        )
    at = _known(feature, list(range(inputs.shape[1])))
    whole = inputs.dtype.kind in "iu" if not is_tensor else not inputs.dtype.is_floating_point
    if (
        (inputs.dtype.kind not in "fiu")
        if not is_tensor
        else inputs.dtype in (torch.bool, torch.complex64, torch.complex128)
    ):
        raise UsageError(f"feature: {feature!r} has values of {inputs.dtype}; only a number rises")

    def put(value: float) -> Any:
        changed = inputs.clone() if is_tensor else inputs.copy()
        changed[:, at] = int(value) if whole else value
        return changed

    held = inputs[:, at].detach().cpu().double().numpy() if is_tensor else inputs[:, at]
    return _Column(np.asarray(held, np.float64), whole, put)


def _of_pandas(frame: Any, name: Any) -> _Column:
    pandas: Any = loaded("pandas")
    own = frame[name]
    if getattr(own, "ndim", 1) != 1:
        raise UsageError(f"inputs: there are several columns {name!r}")
    types = pandas.api.types
    if not types.is_numeric_dtype(own.dtype) or types.is_bool_dtype(own.dtype) or types.is_complex_dtype(own.dtype):
        raise UsageError(f"feature: {name!r} has values of {own.dtype}; only a number rises")
    whole = bool(types.is_integer_dtype(own.dtype))

    def put(value: float) -> Any:
        column = np.full(len(frame), int(value) if whole else value, np.int64 if whole and value < 2**63 else None)
        changed = frame.copy()
        changed[name] = pandas.Series(column, index=frame.index).astype(own.dtype)
        if whole and len(frame) and int(changed[name].iloc[0]) != int(value):
            raise OverflowError(f"out of range of {own.dtype}")
        return changed

    return _Column(own.dropna().to_numpy(dtype=np.float64), whole, put)


def _of_polars(frame: Any, name: str) -> _Column:
    polars: Any = loaded("polars")
    kind = frame.schema[name]
    if not kind.is_numeric():
        raise UsageError(f"feature: {name!r} has values of {kind}; only a number rises")

    def put(value: float) -> Any:
        try:
            one = polars.Series(name, [int(value) if kind.is_integer() else value]).cast(kind)
        except polars.exceptions.PolarsError as error:
            raise OverflowError(str(error)) from None
        return frame.with_columns(one.new_from_index(0, len(frame)).alias(name))

    return _Column(frame[name].drop_nulls().cast(polars.Float64).to_numpy(), bool(kind.is_integer()), put)


def _known(feature: Any, known: list[Any]) -> Any:
    if feature in known:
        return feature
    if type(feature) is int and 0 <= feature < len(known):
        return known[feature]
    shown = ", ".join(map(repr, known[:10])) + (", …" if len(known) > 10 else "")
    raise UsageError(f"feature: no column {feature!r}; there are {shown}")


def told(before: Any, after: Any, at: int) -> Iterator[str]:
    """Yield lines that show what was changed of one sample; nothing where that can't be told."""
    one, two, names = _sample(before, at), _sample(after, at), _names(before)
    if one is None or two is None or len(one) != len(two):
        if isinstance(before, list | tuple) and isinstance(before[at], str):
            yield f"{before[at]!r:.100}"
            yield f"{after[at]!r:.100}"
        return
    changed = [place for place, (old, new) in enumerate(zip(one, two, strict=True)) if not _same(old, new)]
    for place in changed[:_SHOWN]:
        name = names[place] if names is not None else f"[{place}]"
        yield f"{name}: {_word(one[place])} becomes {_word(two[place])}"
    if len(changed) > _SHOWN:
        yield f"… and {len(changed) - _SHOWN} more elements"


def _sample(inputs: Any, at: int) -> list[Any] | None:
    torch = loaded("torch")
    if torch is not None and isinstance(inputs, torch.Tensor):
        return list(inputs[at].detach().cpu().reshape(-1).tolist())
    if isinstance(inputs, np.ndarray):
        return list(np.asarray(inputs[at]).ravel().tolist())
    if hasattr(inputs, "iloc") and hasattr(inputs, "columns"):
        return list(inputs.iloc[at].tolist())
    if hasattr(inputs, "row") and hasattr(inputs, "columns"):
        return list(inputs.row(at))
    return None


def _names(inputs: Any) -> list[str] | None:
    columns = getattr(inputs, "columns", None)
    return None if columns is None else [str(name) for name in columns]


def _same(one: Any, two: Any) -> bool:
    missing = [value is None or value != value for value in (one, two)]
    return all(missing) or (not any(missing) and bool(one == two))


def _word(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(value)

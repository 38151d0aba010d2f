"""Changed inputs of any kind: one column set to a value, and one sample before and after, for people to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
        UsageError: no such feature, one that is not numeric, or less than two values.
    """
    column, put = _column(inputs, feature)
    if column.dtype.kind not in "fiu":
        raise UsageError(f"feature: {feature!r} has values of {column.dtype}; only a number rises")
    if values is not None:
        grid = sorted({float(value) for value in values})
    else:
        held = column[np.isfinite(column)] if column.dtype.kind == "f" else column
        grid = np.linspace(held.min(), held.max(), steps).tolist() if len(held) else []
        grid = sorted({float(round(value)) if column.dtype.kind in "iu" else value for value in grid})
    if len(grid) < 2:
        raise UsageError(f"feature: {feature!r} needs two values at least to rise, got {grid}; give values=…")
    return lambda value: put(column.dtype.type(value)), grid


def _column(inputs: Any, feature: Any) -> tuple[NDArray[Any], Callable[[Any], Any]]:
    torch, pandas, polars = loaded("torch"), loaded("pandas"), loaded("polars")
    if pandas is not None and isinstance(inputs, pandas.DataFrame):
        name = _known(feature, list(inputs.columns))
        own = inputs[name]
        return own.to_numpy(), lambda value: _set_pandas(inputs, name, value, own.dtype)
    if polars is not None and isinstance(inputs, polars.DataFrame):
        name = _known(feature, inputs.columns)
        kind = inputs.schema[name]
        return inputs[name].to_numpy(), lambda value: inputs.with_columns(polars.lit(value, kind).alias(name))
    is_tensor = torch is not None and isinstance(inputs, torch.Tensor)
    if not (is_tensor or isinstance(inputs, np.ndarray)) or inputs.ndim != 2:
        raise UsageError(
            "inputs: (samples, features) as an array, a tensor or a frame is expected, got "
            f"{type(inputs).__qualname__}{f' of shape {tuple(inputs.shape)}' if hasattr(inputs, 'shape') else ''}"
        )
    at = _known(feature, list(range(inputs.shape[1])))

    def put(value: Any) -> Any:
        changed = inputs.clone() if is_tensor else inputs.copy()
        changed[:, at] = value.item()
        return changed

    return np.asarray(inputs[:, at].detach().cpu() if is_tensor else inputs[:, at]), put


def _set_pandas(frame: Any, name: Any, value: Any, dtype: Any) -> Any:
    changed = frame.copy()
    changed[name] = value
    changed[name] = changed[name].astype(dtype)
    return changed


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

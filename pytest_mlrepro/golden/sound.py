"""Whether JSON has the form of a golden's: it may come from anybody, and a seal says only that nobody changed it since."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

from .._json import Json
from ..errors import GoldenError
from ..values.dtypes import is_text, storage

__all__ = ["checked_entry", "checked_value", "guarded"]

_R = TypeVar("_R")
_DEPTH: Final = 200
_AXES: Final = 64
_ERRORS: Final = (
    ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError, MemoryError, AssertionError,
)  # fmt: skip


def guarded(read: Callable[[], _R]) -> _R:
    """Return what reading gives; what Python says of JSON in another form than it was written is an error of ours."""
    try:
        return read()
    except GoldenError:
        raise
    except _ERRORS as error:
        _refuse(f"{type(error).__name__}: {error}")


def checked_entry(entry: Json) -> dict[str, Json]:
    """Return `{"file", "size", "blake3"}` of a file."""
    if (
        not isinstance(entry, dict)
        or not all(isinstance(entry.get(name), str) for name in ("file", "blake3"))
        or not _is_count(entry.get("size"))
    ):
        _refuse(f"{entry!r:.80} names no file")
    return entry


def checked_value(data: Json, depth: int = 0) -> None:
    """Refuse what is no value: groups, arrays and scalars, and nothing else."""
    if depth > _DEPTH:
        _refuse(f"a value lies more than {_DEPTH} deep")
    if not isinstance(data, dict) or len(data) != 1:
        _refuse(f"{data!r:.80} is no value")
    ((form, body),) = data.items()
    if form == "group":
        _group(body, depth)
    elif form == "array":
        _array(body)
    elif isinstance(body, dict) or (isinstance(body, list) and form != "complex"):
        _refuse(f"{body!r:.80} is no scalar")


def _group(body: Json, depth: int) -> None:
    fine = isinstance(body, dict) and isinstance(body.get("kind"), str) and isinstance(body.get("parts"), list)
    attrs = body.get("attrs") if isinstance(body, dict) else None
    if not fine or not isinstance(attrs, dict) or not all(isinstance(value, str) for value in attrs.values()):
        _refuse(f"{body!r:.80} is no group")
    for part in body["parts"]:
        if not isinstance(part, list) or len(part) != 2:
            _refuse(f"{part!r:.80} is no part of a group")
        label, child = part
        if isinstance(label, dict):
            if "field" not in label:
                checked_value(label, depth + 1)
            elif not isinstance(label["field"], str):
                _refuse(f"{label!r:.80} is no label")
        elif not isinstance(label, str) and not (isinstance(label, int) and -(2**63) <= label < 2**63):
            _refuse(f"{label!r:.80} is no label")
        checked_value(child, depth + 1)


def _array(body: Json) -> None:
    fine = isinstance(body, dict) and isinstance(body.get("kind"), str) and isinstance(body.get("dtype"), str)
    shape = body.get("shape") if fine else None
    if not isinstance(shape, list) or len(shape) > _AXES or not all(map(_is_count, shape)):
        _refuse(f"{body!r:.80} is no array")
    kind = storage(body["dtype"]).kind
    if kind not in "biufcmM" and not (kind == "O" and is_text(body["dtype"])):
        _refuse(f"arrays of {body['dtype']!r:.40} are never stored")
    if "values" not in body:
        for name in ("data", "valid"):
            if name in body or name == "data":
                checked_entry(body.get(name))
    elif not isinstance(body["values"], list) or len(body["values"]) != math.prod(shape):
        _refuse(f"an array of shape {shape} with other values")
    elif is_text(body["dtype"]) and not all(isinstance(value, str) for value in body["values"]):
        _refuse("texts that are none")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _refuse(what: str) -> NoReturn:
    raise GoldenError(
        f"a golden holds what no golden does: {what}. Put it back from version control, or record it again"
    )

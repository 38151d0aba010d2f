"""Values taken apart into arrays and a plan in JSON, and put together again as the same kind of object; never a pickle.

Only exact types are known. The plan keeps what a fingerprint leaves out and a later step may see: the order of a dict,
whether a tensor wants a gradient, the frequency of an index.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Protocol
from uuid import UUID

import numpy as np

from .._json import Json
from .._lazy import loaded

__all__ = ["CannotStoreError", "Shelf", "put_together", "take_apart"]

_PACKED: Final = 64
"""Items from which a list of numbers is an array."""
_DEPTH: Final = 100


class CannotStoreError(Exception):
    """A value that can't be put together again; says where it is and what type it has."""

    def __init__(self, place: str, value: object, why: str = "") -> None:
        super().__init__(place, type(value), why)
        kind = type(value)
        module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        self.place, self.type_name, self.why = place, f"{module}{kind.__qualname__}", why


class Shelf(Protocol):
    """Where arrays and bytes lie, by numbers."""

    def put_array(self, array: Any) -> int:
        """Keep an array that holds no objects."""

    def put_bytes(self, data: bytes) -> int:
        """Keep bytes."""

    def array(self, number: int) -> Any:
        """Return an array."""

    def data(self, number: int) -> bytes:
        """Return bytes."""


def take_apart(value: Any, shelf: Shelf, place: str = "", depth: int = 0) -> Json:
    """Return the plan of a value, its arrays on the shelf; raises CannotStoreError for a type that isn't known."""
    if depth > _DEPTH:
        raise CannotStoreError(place, value, "it is nested too deeply")
    kind = type(value)
    simple = _SCALARS.get(kind)
    if simple is not None:
        return {"is": kind.__name__, "as": simple[0](value)}
    if kind in _SEQUENCES:
        return _sequence(value, kind, shelf, place, depth)
    if kind in (dict, OrderedDict):
        return _mapping(value, kind, shelf, place, depth)
    if kind is np.ndarray:
        return _array(value, shelf, place)
    if isinstance(value, np.generic) and value.dtype.kind in "biufcmM" and kind.__module__ == "numpy":
        return {"is": "numpy.scalar", "in": shelf.put_array(np.asarray(value))}
    return _of_library(value, shelf, place, depth)


def put_together(plan: Json, shelf: Shelf) -> Any:
    """Return the value of a plan; raises an error of Python's for one that was damaged."""
    name = plan["is"]
    if name in _READ:
        return _READ[name](plan["as"])
    maker = _MAKERS.get(name)
    if maker is not None:
        return maker(plan, shelf)
    from .stored_tables import TABLES

    return TABLES[name][1](plan, shelf)


def _sequence(value: Any, kind: type, shelf: Shelf, place: str, depth: int) -> Json:
    first = type(value[0]) if kind in (list, tuple) and len(value) >= _PACKED else None
    if first is not None and set(map(type, value)) == {first}:
        if first is float:
            return {"is": kind.__name__, "in": shelf.put_array(np.array(value, "f8"))}
        if first is int and min(value) >= -(2**63) and max(value) < 2**63:
            return {"is": kind.__name__, "in": shelf.put_array(np.array(value, "i8"))}
    items = [take_apart(item, shelf, f"{place}[{at}]", depth + 1) for at, item in enumerate(value)]
    plan: dict[str, Json] = {"is": kind.__name__, "items": items}
    if kind is deque:
        plan["maxlen"] = value.maxlen
    return plan


def _mapping(value: Any, kind: type, shelf: Shelf, place: str, depth: int) -> Json:
    pairs = []
    for key, item in value.items():
        below = f"{place}[{key!r}]"
        pairs.append([take_apart(key, shelf, below, depth + 1), take_apart(item, shelf, below, depth + 1)])
    plan: dict[str, Json] = {"is": kind.__name__, "pairs": pairs}
    held = vars(value) if kind is OrderedDict else {}
    if held:  # the versions of layers that torch hangs on a state dict
        plan["held"] = take_apart(dict(held), shelf, place, depth + 1)
    return plan


def _array(value: Any, shelf: Shelf, place: str) -> Json:
    if value.dtype.hasobject:
        raise CannotStoreError(place, value, f"its dtype {value.dtype} has no form without pickle")
    plan: dict[str, Json] = {"is": "numpy.ndarray", "in": shelf.put_array(value)}
    return plan if value.flags.writeable else {**plan, "fixed": True}


def _of_library(value: Any, shelf: Shelf, place: str, depth: int) -> Json:
    torch: Any = loaded("torch")
    if torch is not None and type(value) in (torch.Tensor, torch.nn.Parameter):
        return _tensor(value, torch, shelf, place)
    from .stored_tables import TABLES, table_name

    name = table_name(value)
    if name is None:
        raise CannotStoreError(place, value)
    plan: Json = TABLES[name][0](value, shelf, place)
    return plan


_BITS: Final = {1: "uint8", 2: "int16", 4: "int32", 8: "int64", 16: "complex128"}


def _tensor(value: Any, torch: Any, shelf: Shelf, place: str) -> Json:
    """A tensor by the bits of its elements, so that bfloat16 and float8 come back as they were."""
    plain = value.detach()
    if plain.layout is not torch.strided or plain.is_quantized or plain.is_nested or plain.is_meta:
        raise CannotStoreError(place, value, "only dense tensors are stored")
    plain = plain.resolve_conj().resolve_neg().cpu().contiguous()
    bits = plain if plain.dtype == torch.bool else plain.view(getattr(torch, _BITS[plain.element_size()]))
    return {
        "is": "torch.Parameter" if type(value) is torch.nn.Parameter else "torch.Tensor",
        "in": shelf.put_array(bits.numpy()),
        "dtype": str(plain.dtype).removeprefix("torch."),
        "grad": bool(value.requires_grad),
        "device": str(value.device),
    }


def _make_tensor(plan: Json, shelf: Shelf) -> Any:
    torch: Any = loaded("torch")
    if torch is None:
        import importlib

        torch = importlib.import_module("torch")
    bits = torch.from_numpy(np.array(shelf.array(plan["in"])))
    dtype = getattr(torch, plan["dtype"])
    tensor = (bits if bits.dtype == dtype else bits.view(dtype)).to(plan["device"])
    if plan["is"] == "torch.Parameter":
        return torch.nn.Parameter(tensor, requires_grad=plan["grad"])
    return tensor.requires_grad_(plan["grad"])


def _make_sequence(kind: Callable[[Any], Any]) -> Callable[[Json, Shelf], Any]:
    def make(plan: Json, shelf: Shelf) -> Any:
        if "in" in plan:
            return kind(shelf.array(plan["in"]).tolist())
        return kind([put_together(item, shelf) for item in plan["items"]])

    return make


def _make_deque(plan: Json, shelf: Shelf) -> Any:
    return deque([put_together(item, shelf) for item in plan["items"]], plan["maxlen"])


def _make_mapping(plan: Json, shelf: Shelf) -> Any:
    pairs = [(put_together(key, shelf), put_together(item, shelf)) for key, item in plan["pairs"]]
    if plan["is"] == "dict":
        return dict(pairs)
    ordered = OrderedDict(pairs)
    if "held" in plan:
        vars(ordered).update(put_together(plan["held"], shelf))
    return ordered


def _make_array(plan: Json, shelf: Shelf) -> Any:
    array = shelf.array(plan["in"])
    array.flags.writeable = not plan.get("fixed", False)
    return array


def _make_scalar(plan: Json, shelf: Shelf) -> Any:
    return shelf.array(plan["in"])[()]


_Reader = Callable[[Any], Any]
_SCALARS: Final[Mapping[type, tuple[Callable[[Any], Json], _Reader]]] = {
    type(None): (lambda value: None, lambda body: None),
    bool: (lambda value: value, bool),
    int: (hex, lambda body: int(body, 16)),
    float: (float.hex, float.fromhex),
    complex: (
        lambda value: [value.real.hex(), value.imag.hex()],
        lambda body: complex(*map(float.fromhex, body)),
    ),
    str: (lambda value: value, str),
    bytes: (bytes.hex, bytes.fromhex),
    range: (lambda value: [value.start, value.stop, value.step], lambda body: range(*body)),
    dt.date: (dt.date.isoformat, dt.date.fromisoformat),
    dt.timedelta: (
        lambda value: [value.days, value.seconds, value.microseconds],
        lambda body: dt.timedelta(*body),
    ),
    Decimal: (str, Decimal),
    UUID: (str, UUID),
    Fraction: (str, Fraction),
}
_READ: Final = {kind.__name__: read for kind, (_, read) in _SCALARS.items()}
_SEQUENCES: Final = (list, tuple, set, frozenset, deque)
_MAKERS: Final[Mapping[str, Callable[[Json, Shelf], Any]]] = {
    **{kind.__name__: _make_sequence(kind) for kind in (list, tuple, set, frozenset)},
    "deque": _make_deque,
    "dict": _make_mapping,
    "OrderedDict": _make_mapping,
    "numpy.ndarray": _make_array,
    "numpy.scalar": _make_scalar,
    "torch.Tensor": _make_tensor,
    "torch.Parameter": _make_tensor,
}

"""Python's own leaves: one canonical value or text for each, free of `repr`, locale, context and platform."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from .node import Scalar

__all__ = ["EXACT_SCALARS", "scalar_of_subclass", "zone_name"]

_SECOND: Final = 10**6


def _datetime(value: dt.datetime) -> Scalar:
    """ISO 8601 with the offset, and the name of the zone as RFC 9557 writes it: equal instants of two zones differ."""
    return Scalar("datetime", dt.datetime.isoformat(value) + _zone(value.tzinfo))


def _time(value: dt.time) -> Scalar:
    return Scalar("time", dt.time.isoformat(value) + _zone(value.tzinfo))


def _zone(tzinfo: dt.tzinfo | None) -> str:
    name = zone_name(tzinfo)
    return f"[{name}]" if name else ""


def zone_name(tzinfo: Any) -> str:  # zoneinfo, pytz and dateutil share no type that tells
    """Return the name of a time zone whichever library made it; "" for none, UTC and fixed offsets."""
    name = getattr(tzinfo, "key", None) or getattr(tzinfo, "zone", None)
    if name is None:
        name = str(getattr(tzinfo, "_filename", "")).rpartition("zoneinfo/")[2]  # dateutil
    return "" if name.upper() == "UTC" else str(name)


def _timedelta(value: dt.timedelta) -> Scalar:
    """Decimal seconds, exact to the microsecond."""
    micros = (value.days * 86400 + value.seconds) * _SECOND + value.microseconds
    seconds, rest = divmod(abs(micros), _SECOND)
    return Scalar("timedelta", f"{'-' if micros < 0 else ''}{seconds}.{rest:06}s")


def _decimal(value: Decimal) -> Scalar:
    """Every digit counts, so that 1.0 and 1.00 differ; the letter e follows the context, so it is set here."""
    return Scalar("decimal", Decimal.__str__(value).replace("e", "E"))


def _enum(value: Enum) -> Scalar:
    """Class and member; a flag without a name of its own goes by its number."""
    name = value.name if value.name is not None else str(int(value.value))
    return Scalar("enum", f"{type(value).__qualname__}.{name}")


def _range(value: range) -> Scalar:
    """Equal ranges give equal texts: `range(0)` is `range(5, 5)`, `range(0, 3, 2)` is `range(0, 4, 2)`."""
    if len(value) < 2:
        return Scalar("range", f"{value[0]}:{value[0] + 1}:1" if len(value) else "0:0:1")
    return Scalar("range", f"{value[0]}:{value[-1] + value.step}:{value.step}")


EXACT_SCALARS: Final[dict[type, Callable[[Any, Any], Scalar]]] = {
    type(None): lambda value, _: Scalar("none", value),
    bool: lambda value, _: Scalar("bool", value),
    int: lambda value, _: Scalar("int", value),
    float: lambda value, _: Scalar("float", value),
    complex: lambda value, _: Scalar("complex", value),
    str: lambda value, _: Scalar("str", value),
    bytes: lambda value, _: Scalar("bytes", value),
    bytearray: lambda value, _: Scalar("bytes", bytes(value)),
    type(...): lambda value, _: Scalar("ellipsis", "..."),
    range: lambda value, _: _range(value),
    dt.datetime: lambda value, _: _datetime(value),
    dt.date: lambda value, _: Scalar("date", value.isoformat()),
    dt.time: lambda value, _: _time(value),
    dt.timedelta: lambda value, _: _timedelta(value),
    Decimal: lambda value, _: _decimal(value),
    Fraction: lambda value, _: Scalar("fraction", f"{value.numerator}/{value.denominator}"),
    UUID: lambda value, _: Scalar("uuid", str(value)),
}
"""Handlers by exact type; the second argument is the walk, which a leaf has no need of."""

_SUBCLASSES: Final[tuple[tuple[type, Callable[[Any], Scalar]], ...]] = (
    (Enum, _enum),
    (PurePath, lambda value: Scalar("path", value.as_posix())),
    (int, lambda value: Scalar("int", int.__int__(value))),
    (float, lambda value: Scalar("float", float.__float__(value))),
    (complex, lambda value: Scalar("complex", complex(complex.__getattribute__(value, "real"), value.imag))),
    (str, lambda value: Scalar("str", str.__str__(value))),
    (bytes, lambda value: Scalar("bytes", bytes.__getitem__(value, slice(None)))),
    (bytearray, lambda value: Scalar("bytes", bytes(memoryview(value)))),
    (dt.datetime, _datetime),
    (dt.date, lambda value: Scalar("date", dt.date.isoformat(value))),
    (dt.time, _time),
    (dt.timedelta, _timedelta),
    (Decimal, _decimal),
    (Fraction, lambda value: EXACT_SCALARS[Fraction](value, None)),
    (UUID, lambda value: Scalar("uuid", UUID.__str__(value))),
)


def scalar_of_subclass(value: object) -> Scalar | None:
    """Describe an enum member, a path, or an instance of a subclass of a built-in scalar as that scalar; else None.

    A subclass that means more than its number (a unit, say) has `__mlrepro__` to say so.
    """
    for base, handler in _SUBCLASSES:
        if isinstance(value, base):
            return handler(value)
    return None

"""Canonical dtype names, how their elements are stored in numpy, and how stored bits become comparable numbers.

A dtype that numpy lacks (bfloat16, float8) is stored as unsigned integers of its width. Text, bytes and decimals are
stored as object arrays of `str` or `bytes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .node import Chunk

__all__ = [
    "NATIVE",
    "bits",
    "canonical_name",
    "is_bool",
    "is_complex",
    "is_float",
    "is_integer",
    "is_temporal",
    "is_text",
    "nmant",
    "numbers",
    "storage",
]

_LETTER: Final = {"f": "float", "i": "int", "u": "uint", "c": "complex"}


def _native_name(dtype: np.dtype[Any]) -> str:
    return "bool" if dtype.kind == "b" else f"{_LETTER[dtype.kind]}{dtype.itemsize * 8}"


NATIVE: Final = {char: _native_name(np.dtype(char)) for char in "?bBhHiIlLqQefdFD"}
"""Canonical name of numpy's number types, by `dtype.char`; without long double, whose width is the machine's."""


@dataclass(frozen=True, slots=True)
class Small:
    """A float format that numpy lacks: sign, exponent and fraction bits, and what its special patterns mean."""

    width: int
    exponent_bits: int
    fraction_bits: int
    bias: int
    specials: str
    """`ieee`: infinities and NaNs at the top exponent; `fn`: only all ones is NaN; `fnuz`: only minus zero is NaN;
    `e8m0`: a power of two without sign, all ones is NaN."""


_SMALL: Final = {
    "bfloat16": Small(16, 8, 7, 127, "ieee"),
    "float8_e5m2": Small(8, 5, 2, 15, "ieee"),
    "float8_e4m3": Small(8, 4, 3, 7, "ieee"),
    "float8_e3m4": Small(8, 3, 4, 3, "ieee"),
    "float8_e4m3fn": Small(8, 4, 3, 7, "fn"),
    "float8_e4m3fnuz": Small(8, 4, 3, 8, "fnuz"),
    "float8_e5m2fnuz": Small(8, 5, 2, 16, "fnuz"),
    "float8_e4m3b11fnuz": Small(8, 4, 3, 11, "fnuz"),
    "float8_e8m0fnu": Small(8, 8, 0, 127, "e8m0"),
}
_NMANT: Final = {"float16": 10, "float32": 23, "float64": 52, "complex32": 10, "complex64": 23, "complex128": 52}
_TEXT: Final = frozenset({"str", "bytes", "void"})


def canonical_name(dtype: np.dtype[Any]) -> str | None:
    """Return the name of a numpy dtype without byte order or width of strings; None if it has no canonical form."""
    name = NATIVE.get(dtype.char)
    if name is not None:
        return name
    if dtype.kind in "mM":
        return dtype.name
    if dtype.kind in "UT":
        return "str"
    if dtype.kind == "S":
        return "bytes"
    if dtype.name in _SMALL:  # the extension types of ml_dtypes
        return dtype.name
    return "void" if dtype.kind == "V" and dtype.names is None and dtype.name.startswith("void") else None


def storage(dtype: str) -> np.dtype[Any]:
    """Return the numpy dtype that holds elements of the canonical dtype in memory and in files."""
    if is_text(dtype):
        return np.dtype(object)
    if dtype in _SMALL:
        return np.dtype(f"uint{_SMALL[dtype].width}")
    if dtype == "complex32":
        return np.dtype(np.uint32)
    if dtype.startswith("time["):
        return np.dtype(np.int64)
    if dtype == "date":
        return np.dtype("datetime64[D]")
    if dtype.startswith("datetime64[") and "," in dtype:
        return np.dtype(dtype.partition(",")[0] + "]")
    return np.dtype(dtype)


def is_text(dtype: str) -> bool:
    """True for `str`, `bytes`, `void` and decimals, whose elements are Python objects of any length."""
    return dtype in _TEXT or dtype.startswith("decimal")


def is_bool(dtype: str) -> bool:
    """True for `bool` only."""
    return dtype == "bool"


def is_float(dtype: str) -> bool:
    """True for real floating-point formats of any width."""
    return dtype.startswith("float") or dtype in _SMALL


def is_complex(dtype: str) -> bool:
    """True for complex formats, whose elements are two floats."""
    return dtype.startswith("complex")


def is_integer(dtype: str) -> bool:
    """True for signed and unsigned integers, not for booleans."""
    return dtype.startswith(("int", "uint"))


def is_temporal(dtype: str) -> bool:
    """True for dates, times, instants and durations, all of which are counts of a unit."""
    return dtype == "date" or dtype.startswith(("datetime64", "timedelta64", "time["))


def nmant(dtype: str) -> int:
    """Return the number of stored fraction bits of a float or complex dtype: one ulp at 1 is `2**-nmant`."""
    return _SMALL[dtype].fraction_bits if dtype in _SMALL else _NMANT[dtype]


def numbers(chunk: Chunk, dtype: str) -> Chunk:
    """Return stored elements as numbers that numpy can subtract, exactly: bfloat16 and float8 bits become float32.

    Dtypes that numpy knows come back as they are. complex32 becomes complex64.
    """
    if dtype == "bfloat16":
        return (chunk.astype(np.uint32) << np.uint32(16)).view(np.float32)
    if dtype == "complex32":
        return np.ascontiguousarray(chunk).view(np.float16).astype(np.float32).view(np.complex64)
    if dtype in _SMALL:
        return _table(_SMALL[dtype])[chunk]
    return chunk


def bits(chunk: Chunk, dtype: str) -> Chunk:
    """Return a 1-D contiguous chunk as unsigned integers: one per real element, two per complex one."""
    if is_complex(dtype):
        return chunk.view(f"uint{chunk.itemsize * 4}")
    return chunk.view(f"uint{chunk.itemsize * 8}")


def _table(small: Small) -> npt.NDArray[np.float32]:
    """Return the float32 value of each of the 256 patterns of an 8-bit format (OCP OFP8 and MX)."""
    code = np.arange(256)
    if small.specials == "e8m0":
        value = np.ldexp(1.0, code - small.bias)
        value[255] = np.nan
        return np.asarray(value, np.float32)
    fraction = code & ((1 << small.fraction_bits) - 1)
    exponent = (code >> small.fraction_bits) & ((1 << small.exponent_bits) - 1)
    top = exponent == (1 << small.exponent_bits) - 1
    whole = np.where(exponent == 0, fraction, fraction + (1 << small.fraction_bits))
    value = np.ldexp(whole.astype(float), np.maximum(exponent, 1) - small.bias - small.fraction_bits)
    if small.specials == "ieee":
        value[top] = np.where(fraction[top] == 0, np.inf, np.nan)
    value = np.where(code >= 128, -value, value)
    if small.specials == "fn":
        value[[0x7F, 0xFF]] = np.nan
    if small.specials == "fnuz":
        value[0x80] = np.nan
    return np.asarray(value, np.float32)

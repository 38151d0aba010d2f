"""A second implementation of docs/fingerprint-format.md, written from the document alone: slow, plain, one piece at a time.

It covers Python's values, numpy and pandas, imports nothing of the package, and is there to disagree with it.
"""

import datetime
import decimal
import enum
import fractions
import pathlib
import random
import re
import struct
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np
from blake3 import blake3


def digest(value):
    return "mlrepro1-blake3:" + H(b"mlrepro1" + encoded(describe(value))[0]).hex()


# Notation


def H(data):
    return blake3(data).digest()


def u64(number):
    return number.to_bytes(8, "little")


def size(number):
    return bytes([number]) if number < 255 else b"\xff" + u64(number)


def lp(data):
    return size(len(data)) + data


def utf8(string):
    return b"".join(character.encode("utf-8", "surrogatepass") for character in string)


def text(string):
    return lp(utf8(string))


# Nodes: ("S", kind, value), ("A", kind, dtype, shape, elements, valid), ("G", kind, attrs, children)


def encoded(node):
    """The encoding, and whether the node is small."""
    encoding, inside = {"S": scalar, "A": array, "G": group}[node[0]](node)
    return encoding, inside and len(encoding) <= 4096


def scalar(node):
    _, kind, value = node
    return b"S" + text(kind) + lp(payload(value)), True


def payload(value):
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"\x01" if value else b"\x00"
    if isinstance(value, int):
        magnitude = abs(value).bit_length()
        return value.to_bytes(max(8, magnitude // 8 + 1), "little", signed=True)
    if isinstance(value, float):
        return bytes.fromhex("000000000000f87f") if value != value else struct.pack("<d", value)
    if isinstance(value, complex):
        return payload(value.real) + payload(value.imag)
    return value if isinstance(value, bytes) else utf8(value)


def array(node):
    _, kind, dtype, shape, elements, valid = node
    out = b"A" + text(kind) + text(dtype) + size(len(shape)) + b"".join(size(n) for n in shape)
    out += b"\x00" if valid is None else b"\x01"
    out += pieces(elements, dtype)
    out += b"" if valid is None else pieces(valid, "bool")
    return out, len(elements) <= per_piece(dtype)


def pieces(elements, dtype):
    step = per_piece(dtype)
    cut = [piece(elements[at : at + step], dtype) for at in range(0, len(elements), step)]
    if len(cut) > 1:
        return size(len(cut)) + b"".join(H(one) for one in cut)
    return size(1) + lp(cut[0]) if cut else size(0)


def per_piece(dtype):
    return 65536 if dtype in ("str", "bytes", "void") else 4194304 // itemsize(dtype)


def itemsize(dtype):
    if dtype == "bool":
        return 1
    if dtype.startswith(("datetime64", "timedelta64")):
        return 8
    return int("".join(c for c in dtype if c.isdigit())) // 8


def piece(elements, dtype):
    if dtype in ("str", "bytes", "void"):
        texts = [utf8(item) if isinstance(item, str) else item for item in elements]
        width = 8 if any(len(item) >= 2**32 for item in texts) else 4
        return bytes([width]) + b"".join(len(item).to_bytes(width, "little") for item in texts) + b"".join(texts)
    return b"".join(number(item, dtype) for item in elements)


def number(item, dtype):
    """One element: an int for integers and times, a bool, or the float's own bytes from numpy."""
    if dtype == "bool":
        return b"\x01" if item else b"\x00"
    if dtype.startswith(("datetime64", "timedelta64", "int")):
        return int(item).to_bytes(itemsize(dtype), "little", signed=True)
    if dtype.startswith("uint"):
        return int(item).to_bytes(itemsize(dtype), "little")
    if dtype.startswith("complex"):
        half = f"float{itemsize(dtype) * 4}"
        return number(item.real, half) + number(item.imag, half)
    if item != item:
        return {2: b"\x00\x7e", 4: b"\x00\x00\xc0\x7f", 8: b"\x00\x00\x00\x00\x00\x00\xf8\x7f"}[itemsize(dtype)]
    return struct.pack({2: "<e", 4: "<f", 8: "<d"}[itemsize(dtype)], item)


def group(node):
    _, kind, attrs, children = node
    out = b"G" + text(kind) + size(len(attrs))
    for name, value in sorted(attrs.items()):
        out += text(name) + text(value)
    out += size(len(children))
    all_small = True
    for label, child in children:
        name, key_small = labelled(label)
        held, child_small = content(child)
        out += name + held
        all_small = all_small and key_small and child_small
    return out, all_small


def content(node):
    encoding, small = encoded(node)
    return (b"=" + lp(encoding) if small else b"#" + H(b"mlrepro1" + encoding)), small


def labelled(label):
    form, name = label
    if form == "name":
        return b"s" + text(name), True
    if form == "field":
        return b"f" + text(name), True
    if form == "position":
        return b"i" + struct.pack("<q", name), True
    held, small = content(name)
    return b"n" + held, small


# Labels: ("name", str), ("field", str), ("position", int), ("node", node)


def axis(name):
    return ("node", ("S", "axis", name))


def positions(items):
    return [(("position", at), describe(item)) for at, item in enumerate(items)]


def key(value):
    """A key as a node."""
    if isinstance(value, tuple):
        return ("G", "tuple", {}, [(("position", at), key(item)) for at, item in enumerate(value)])
    if isinstance(value, np.datetime64 | np.timedelta64):
        return ("S", value.dtype.name, str(value.astype("int64")))
    return describe(value.item() if isinstance(value, np.generic) else value)


def label(node):
    return ("name", node[2]) if node[:2] == ("S", "str") else ("node", node)


# Order


def order(node):
    if node[0] == "A":
        raise NotImplementedError("an array as a part of a key")
    if node[0] == "G":
        children = [(order(name_node(name)), order(child)) for name, child in node[3]]
        return (1, node[1], sorted(node[2].items()), children)
    value = node[2]
    if isinstance(value, float | complex):
        numbers = [value] if isinstance(value, float) else [value.real, value.imag]
        value = b"".join(payload(part)[::-1] for part in numbers)
    return (2, node[1], 0 if value is None else value)


def name_node(name):
    form, what = name
    return what if form == "node" else ("S", "int" if form == "position" else "str", what)


# What a value is


def describe(value):
    for kind, handler in KINDS:
        if isinstance(value, kind):
            return handler(value)
    if is_dataclass(value):
        parts = [(("field", field.name), describe(getattr(value, field.name))) for field in fields(value)]
        return ("G", "dataclass", {"type": type(value).__qualname__}, parts)
    return tables()(value)


def mapping(value):
    parts = sorted(((key(name), describe(item)) for name, item in value.items()), key=lambda part: order(part[0]))
    return ("G", "dict", {}, [(label(name), item) for name, item in parts])


def elements(value):
    parts = sorted((key(item) for item in value), key=order)
    return ("G", "frozenset" if isinstance(value, frozenset) else "set", {}, [(label(part), part) for part in parts])


def sequence(value):
    kind = "list" if isinstance(value, list) else "tuple"
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        parts = [(("field", name), describe(item)) for name, item in zip(value._fields, value, strict=True)]
        return ("G", "namedtuple", {"type": type(value).__qualname__}, parts)
    for plain, dtype in [(float, "float64"), (bool, "bool"), (str, "str"), (int, "int64")]:
        packed = value and all(type(item) is plain for item in value)
        if packed and (plain is not int or all(-(2**63) <= item < 2**63 for item in value)):
            return ("A", kind, dtype, (len(value),), list(value), None)
    return ("G", kind, {}, positions(value))


def plain(kind, convert):
    return lambda value: ("S", kind, convert(value))


def zone(tzinfo):
    name = getattr(tzinfo, "key", None)
    return f"[{name}]" if name and name.upper() != "UTC" else ""


def seconds(value):
    micros = abs(value) // datetime.timedelta(microseconds=1)
    sign = "-" if value < datetime.timedelta(0) else ""
    return f"{sign}{micros // 10**6}.{micros % 10**6:06d}s"


def stretch(value):
    if not len(value):
        return "0:0:1"
    last = value[-1]
    return f"{last}:{last + 1}:1" if len(value) == 1 else f"{value[0]}:{last + value.step}:{value.step}"


def dimensions(value):
    return ",".join(str(n) for n in value.shape)


def numpy_array(value, kind=None):
    if isinstance(value, np.ma.MaskedArray):
        return masked(value)
    if value.dtype.names:
        parts = [(("name", name), numpy_array(value[name], kind or "numpy.ndarray")) for name in value.dtype.names]
        return ("G", "numpy.structured", {"of": kind or "numpy.ndarray", "shape": dimensions(value)}, parts)
    if value.dtype == object:
        items = describe(value.ravel(order="C").tolist())
        return ("G", kind or "numpy.object", {"shape": dimensions(value)}, [(axis("items"), items)])
    return ("A", kind or "numpy.ndarray", dtype_name(value.dtype), value.shape, flat(value), None)


def dtype_name(dtype):
    if dtype.kind in "biufcmM":
        return dtype.name
    return {"U": "str", "T": "str", "S": "bytes", "V": "void"}[dtype.kind]


def flat(value):
    if value.dtype.kind in "mM":
        return value.astype("int64").ravel(order="C").tolist()
    if value.dtype.kind == "V":
        return [item.tobytes() for item in value.ravel(order="C")]
    items = value.ravel(order="C").tolist()
    return [str(item) for item in items] if value.dtype.kind in "UT" else items


def masked(value):
    mask = np.ma.getmaskarray(value)
    if value.dtype == object:
        _, kind, attrs, children = numpy_array(np.where(mask, None, value.data))
        return ("G", kind, attrs | {"of": "numpy.MaskedArray"}, [*children, (axis("mask"), numpy_array(mask))])
    _, _, dtype, shape, items, _ = numpy_array(np.asarray(value.data))
    if not mask.any():
        return ("A", "numpy.MaskedArray", dtype, shape, items, None)
    hidden = mask.ravel(order="C").tolist()
    return ("A", "numpy.MaskedArray", dtype, shape, *with_nulls(items, hidden))


def with_nulls(items, hidden):
    empty = "" if isinstance(items[0], str) else b"" if isinstance(items[0], bytes) else 0
    return [empty if null else item for item, null in zip(items, hidden, strict=True)], [not null for null in hidden]


def fielded(kind, *names):
    return lambda value: ("G", kind, {}, [(("field", name), describe(getattr(value, name))) for name in names])


def state(kind, read):
    def described(value):
        entries = dict(read(value))
        left = {"uinteger"} if entries.get("has_uint32") == 0 else set()
        left |= {"gauss"} if entries.get("has_gauss") == 0 else set()
        return ("G", kind, {}, [(("field", name), describe(entries[name])) for name in sorted(set(entries) - left)])

    return described


def numpy_scalar(value):
    return numpy_array(np.asarray(value), "numpy.scalar")


KINDS = [
    (type(None), plain("none", lambda value: None)),
    (type(...), plain("ellipsis", lambda value: "...")),
    (enum.Enum, plain("enum", lambda value: f"{type(value).__qualname__}.{value.name}")),
    (np.generic, numpy_scalar),
    (np.ndarray, numpy_array),
    (slice, fielded("slice", "start", "stop", "step")),
    (re.Pattern, fielded("pattern", "pattern", "flags")),
    (
        random.Random,
        state("random.Random", lambda value: zip(("version", "internal", "gauss"), value.getstate(), strict=True)),
    ),
    (np.random.Generator, state("numpy.random.Generator", lambda value: value.bit_generator.state)),
    (np.random.RandomState, state("numpy.random.RandomState", lambda value: value.get_state(legacy=False))),
    (np.random.SeedSequence, state("numpy.random.SeedSequence", lambda value: value.state)),
    (bool, plain("bool", bool)),
    (int, plain("int", int)),
    (float, plain("float", float)),
    (complex, plain("complex", complex)),
    (str, plain("str", str)),
    (bytes | bytearray, plain("bytes", bytes)),
    (datetime.datetime, plain("datetime", lambda value: value.isoformat() + zone(value.tzinfo))),
    (datetime.date, plain("date", lambda value: value.isoformat())),
    (datetime.time, plain("time", lambda value: value.isoformat() + zone(value.tzinfo))),
    (datetime.timedelta, plain("timedelta", seconds)),
    (decimal.Decimal, plain("decimal", lambda value: str(value).replace("e", "E"))),
    (fractions.Fraction, plain("fraction", lambda value: f"{value.numerator}/{value.denominator}")),
    (uuid.UUID, plain("uuid", str)),
    (pathlib.PurePath, plain("path", lambda value: value.as_posix())),
    (range, plain("range", stretch)),
    (Mapping, mapping),
    (set | frozenset, elements),
    (list | tuple, sequence),
    (deque, lambda value: ("G", "deque", {}, positions(value))),
]


# pandas


def tables():
    import pandas as pd

    def describe_table(value):
        if isinstance(value, pd.DataFrame):
            columns = [(label(key(name)), column(value.iloc[:, at])) for at, name in enumerate(value.columns)]
            names = value.columns.name if value.columns.nlevels == 1 else tuple(value.columns.names)
            return (
                "G",
                "pandas.DataFrame",
                {"columns": written(key(names))},
                [(axis("index"), index(value.index)), *columns],
            )
        if isinstance(value, pd.Series):
            parts = [(axis("index"), index(value.index)), (axis("values"), column(value))]
            return ("G", "pandas.Series", {"name": written(key(value.name))}, parts)
        return index(value)

    def index(value):
        if isinstance(value, pd.MultiIndex):
            levels = [value.get_level_values(at).to_series() for at in range(value.nlevels)]
            parts = [(("position", at), column(level)) for at, level in enumerate(levels)]
            return ("G", "pandas.MultiIndex", {"names": written(key(tuple(value.names)))}, parts)
        return ("G", "pandas.Index", {"name": written(key(value.name))}, [(axis("values"), column(value.to_series()))])

    def column(series):
        dtype = series.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            missing = (series.cat.codes == -1).tolist()
            codes = leaf("column", "int64", series.cat.codes.tolist(), missing)
            parts = [(("name", "categories"), column(series.cat.categories.to_series())), (("name", "codes"), codes)]
            return ("G", "categorical", {"ordered": "true" if series.cat.ordered else "false"}, parts)
        if isinstance(dtype, pd.DatetimeTZDtype):
            utc = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
            return leaf("column", f"datetime64[{dtype.unit}, {dtype.tz}]", flat(utc), None)
        if isinstance(dtype, pd.StringDtype):
            missing = series.isna().tolist()
            items = ["" if null else item for item, null in zip(series.tolist(), missing, strict=True)]
            return leaf("pandas.nullable" if dtype.na_value is pd.NA else "column", "str", items, missing)
        if isinstance(dtype, np.dtype):
            return numpy_array(series.to_numpy(), "pandas.object" if dtype.kind == "O" else "column")
        missing = series.isna().tolist()
        items = [0 if null else item for item, null in zip(series.tolist(), missing, strict=True)]
        return leaf("pandas.nullable", dtype.numpy_dtype.name, items, missing)

    def leaf(kind, dtype, items, missing):
        if not missing or not any(missing):
            return ("A", kind, dtype, (len(items),), items, None)
        return ("A", kind, dtype, (len(items),), *with_nulls(items, missing))

    return describe_table


def written(node):
    if node[0] == "G":
        inside = [written(child) for _, child in node[3]]
        return f"{node[1]}:" + "".join(f"{len(part)}:{part}" for part in inside)
    return f"{node[1]}:{node[2]}"

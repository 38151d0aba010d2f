"""Contracts as TOML that people edit: written with names and quotes as they have to be, read with every mistake named."""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from .. import _lazy
from ..errors import UsageError
from .blocks import arranged
from .contract import ColumnContract, Contract, Sort
from .formats import FORMATS

__all__ = ["read", "updated", "written"]

VERSION: Final = 1
LARGEST: Final = 16 * 1024 * 1024
HEAD: Final = (
    "What this table has to be: change a value to loosen it, take a line out and it is not checked any more.",
    "Shares are of all rows.",
)
_TABLE: Final = ("ordered", "extra", "key", "label", "duplicates", "near_duplicates", "contradictions")
_COLUMN: Final = (
    "type", "zone", "nulls", "min", "max", "values", "format", "other_formats", "stripped", "unique", "constant", "varies",
)  # fmt: skip


def written(contract: Contract) -> str:
    """Return a contract as TOML."""
    tomlkit = _lazy.require("tomlkit", extra="data")
    document = tomlkit.document()
    for line in HEAD:
        document.add(tomlkit.comment(line))
    document["version"] = VERSION
    for field, value in _fields(contract, _TABLE).items():
        document[field] = value
    columns = tomlkit.table(is_super_table=True)
    for column in contract.columns:
        columns[column.name] = _table(tomlkit, column)
    document["columns"] = columns
    return str(tomlkit.dumps(document))


def _table(tomlkit: Any, column: ColumnContract) -> Any:
    table = tomlkit.table()
    for field, value in _fields(column, _COLUMN).items():
        table[field] = _array(tomlkit, value) if field == "values" else value
    return table


def _array(tomlkit: Any, values: list[Any]) -> Any:
    array = tomlkit.array()
    array.extend(values)
    return array.multiline(len(values) > 12)


def _fields(source: Contract | ColumnContract, names: tuple[str, ...]) -> dict[str, Any]:
    held = {name: getattr(source, name) for name in names}
    lists = {name: list(value) if isinstance(value, tuple) else value for name, value in held.items()}
    return {name: value for name, value in lists.items() if value is not None and value != []}


def updated(text: str, contract: Contract) -> str:
    """Return the text with the contract's values; comments and what was struck out stay as they are."""
    tomlkit = _lazy.require("tomlkit", extra="data")
    read(text if "\n" in text else f"{text}\n")  # mistakes are said before anything is changed
    document = tomlkit.parse(text)
    _replace(document, _fields(contract, _TABLE), _TABLE)
    columns, now = (
        document.setdefault("columns", tomlkit.table(is_super_table=True)),
        {own.name: own for own in contract.columns},
    )
    for name in [name for name in columns if name not in now]:
        del columns[name]
    for name, column in now.items():
        if name in columns:
            _replace(columns[name], _fields(column, _COLUMN), _COLUMN)
        else:
            columns[name] = _table(tomlkit, column)
    found, names = str(tomlkit.dumps(document)), [own.name for own in contract.columns]
    return found if list(tomllib.loads(found)["columns"]) == names else arranged(found, names)


def _replace(table: Any, new: Mapping[str, Any], fields: tuple[str, ...]) -> None:
    for field in fields:
        if field not in table:
            continue  # struck out
        if field in new:
            if table[field] != new[field]:
                table[field] = new[field]
        else:
            del table[field]


def read(source: str | Path) -> Contract:
    """Return the contract of a file, or of text with a line break."""
    if isinstance(source, str) and "\n" in source:
        return _contract(_parsed(source, "contract"), "contract")
    path = Path(source)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise UsageError(
                f"{path}: a contract of {size:,} bytes is none that a person edits; {LARGEST:,} at most are read"
            )
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: no contract can be read from it ({error})") from None
    return _contract(_parsed(text, str(path)), str(path))


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise UsageError(f"{where}: this is not TOML: {error}") from None
    except RecursionError:
        raise UsageError(f"{where}: this is nested too deeply for a contract") from None


def _contract(held: dict[str, Any], where: str) -> Contract:
    _known(held, {"version", "columns", *_TABLE}, where)
    version = held.get("version", VERSION)
    if version != VERSION:
        raise UsageError(
            f"{where}: version = {version!r} is of another pytest-mlrepro; this one reads version {VERSION}"
        )
    columns = held.get("columns", {})
    if not isinstance(columns, dict) or not columns:
        raise UsageError(f"{where}: a table [columns.NAME] for at least one column is expected")
    made = tuple(_column(str(name), column, where) for name, column in columns.items())
    checks: dict[str, Callable[[Any, str], Any]] = {
        "ordered": _yes,
        "extra": _yes,
        "label": _text,
        "key": _names,
    } | dict.fromkeys(("duplicates", "near_duplicates", "contradictions"), _share)
    fields: dict[str, Any] = {name: checks[name](held[name], f"{where}: {name}") for name in _TABLE if name in held}
    label = fields.get("label")
    for field, named in (("key", fields.get("key", ())), ("label", () if label is None else (label,))):
        for name in named:
            if name not in columns:
                raise UsageError(f"{where}: {field} names {name!r}, and there is no [columns.{name}]")
    return Contract(made, **fields)


def _column(name: str, held: Any, where: str) -> ColumnContract:
    where = f"{where}: columns.{name}"
    if not isinstance(held, dict):
        raise UsageError(f"{where}: a table is expected, got {held!r:.60}")
    _known(held, set(_COLUMN), where)
    checks: dict[str, Callable[[Any, str], Any]] = {
        "type": _one_of(get_args(Sort)), "zone": _text, "format": _one_of(tuple(FORMATS)), "nulls": _share, "other_formats": _share,
        "stripped": _yes, "unique": _yes, "varies": _yes, "values": _values, "min": _end, "max": _end, "constant": _plain,
    }  # fmt: skip
    fields = {field: checks[field](held[field], f"{where}.{field}") for field in _COLUMN if field in held}
    low, high = fields.get("min"), fields.get("max")
    if low is not None and high is not None and not _in_order(low, high):
        raise UsageError(f"{where}: min and max in order, and of one kind, are expected, got {low!r} and {high!r}")
    return ColumnContract(name, **fields)


def _in_order(low: Any, high: Any) -> bool:
    try:
        return bool(low <= high)
    except TypeError:
        return False


def _known(held: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in held:
        if name not in known:
            import difflib  # only a mistake needs it

            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
            raise UsageError(f"{where}: no field {name!r}: {hint}")


def _share(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UsageError(f"{where}: a share from 0 to 1 is expected, got {value!r:.60}")
    return float(value)


def _yes(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{where}: true or false is expected, got {value!r:.60}")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where}: a text that is not empty is expected, got {value!r:.60}")
    return value


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise UsageError(f"{where}: a list of names of columns is expected, got {value!r:.60}")
    return tuple(value)


def _values(value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{where}: a list of texts is expected, got {value!r:.60}")
    return tuple(value)


def _end(value: Any, where: str) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number and not isinstance(value, dt.date):
        raise UsageError(f"{where}: a finite number, a date or a time is expected, got {value!r:.60}")
    return value


def _plain(value: Any, where: str) -> Any:
    if not isinstance(value, str | int | float | dt.date):
        raise UsageError(f"{where}: one plain value is expected, got {value!r:.60}")
    return value


def _one_of(known: tuple[str, ...]) -> Callable[[Any, str], str]:
    def checked(value: Any, where: str) -> str:
        if value not in known:
            raise UsageError(f"{where}: one of {', '.join(known)} is expected, got {value!r:.60}")
        return str(value)

    return checked

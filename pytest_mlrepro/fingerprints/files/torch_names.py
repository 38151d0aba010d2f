"""Which tensor lies in which storage of a torch file, read off its pickle by a machine that can build nothing.

The machine knows the opcodes that only move data about. What a pickle would call or import is kept as a dead mark, so
nothing of it is ever run, imported or made.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from typing import Any, Final

from ...values.paths import label_text

__all__ = ["storage_names"]

_DEPTH: Final = 32
_MOST_OPCODES: Final = 500_000
_MARK: Final = object()


class _Made:
    """What would have been made: a container, or the result of a call that never happens."""

    __slots__ = ("items", "parts", "storage")

    def __init__(self, parts: tuple[Any, ...] = (), storage: str | None = None) -> None:
        self.parts: list[Any] = list(parts)
        self.items: list[tuple[Any, Any]] = []
        self.storage = storage


def storage_names(pickle: bytes) -> dict[str, str]:
    """Return for each storage's key the path of the first tensor in it, such as `['model']['0.weight']`.

    Empty if the pickle is broken or does what state dicts, modules and optimizers don't.
    """
    try:
        return dict(_found(_Machine().run(pickle)))
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        return {}


def _found(top: Any) -> Iterator[tuple[str, str]]:
    seen, named = set(), set()
    rest = [(top, "", 0)]
    while rest:
        value, path, depth = rest.pop()
        if not isinstance(value, _Made) or id(value) in seen or depth > _DEPTH:
            continue
        seen.add(id(value))
        if value.storage is not None and value.storage not in named and path:
            named.add(value.storage)
            yield value.storage, path
        inside = [(part, path, depth + 1) for part in value.parts]
        inside += [(part, path + _step(key), depth + 1) for key, part in value.items]
        rest += reversed(inside)


def _step(key: Any) -> str:
    return label_text(key) if type(key) in (str, int) else "[…]"


class _Machine:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, pickle: bytes) -> Any:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(pickle)):
            if count > _MOST_OPCODES:
                raise ValueError("longer than the pickle of any state dict")
            if opcode.name == "STOP":
                return self.stack.pop()
            if opcode.name in _PUSHED:
                self.stack.append(argument if opcode.name in _KEYS else None)
            else:
                _MOVES[opcode.name](self, argument)
        raise ValueError("no end")

    def to_mark(self) -> list[Any]:
        items = []
        while (item := self.stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def take(self, count: int) -> list[Any]:
        if count > len(self.stack):
            raise ValueError("nothing left to take")
        taken = self.stack[-count:] if count else []
        del self.stack[len(self.stack) - count :]
        return taken

    def make(self, parts: list[Any]) -> None:
        self.stack.append(_Made(tuple(parts)))

    def numbered(self, parts: list[Any]) -> None:
        made = _Made()
        made.items = list(enumerate(parts))
        self.stack.append(made)

    def call(self, count: int) -> None:
        """What it is called with stands at the place of the result: a tensor is made of its storage."""
        inside = (
            [value for _, value in part.items] if isinstance(part, _Made) else [part] for part in self.take(count)
        )
        self.make([value for values in inside for value in values])

    def append(self, values: list[Any]) -> None:
        owner = self.stack[-1]
        start = len(owner.items)
        owner.items += [(start + at, value) for at, value in enumerate(values)]

    def set_items(self, flat: list[Any]) -> None:
        self.stack[-1].items += list(zip(flat[::2], flat[1::2], strict=True))

    def build(self, _: Any) -> None:
        (state,) = self.take(1)
        self.stack[-1].parts.append(state)

    def persistent(self, _: Any) -> None:
        """`("storage", type, key, device, size)`, and nothing else, refers to a storage."""
        (reference,) = self.take(1)
        fields = [value for _, value in reference.items]
        self.stack.append(_Made(storage=fields[2] if fields[0] == "storage" and isinstance(fields[2], str) else None))

    def put(self, number: int | None) -> None:
        self.memo[len(self.memo) if number is None else number] = self.stack[-1]


_KEYS: Final = frozenset(
    ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BININT", "BININT1", "BININT2", "INT")
)
_PUSHED: Final = _KEYS | frozenset(
    (
        *("NONE", "NEWTRUE", "NEWFALSE", "LONG1", "LONG4", "BINFLOAT", "FLOAT", "LONG", "GLOBAL"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "BINSTRING", "SHORT_BINSTRING"),
    )
)
_MOVES: Final[dict[str, Callable[[_Machine, Any], Any]]] = {
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "MARK": lambda machine, _: machine.stack.append(_MARK),
    "POP": lambda machine, _: machine.stack.pop(),
    "POP_MARK": lambda machine, _: machine.to_mark(),
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    "EMPTY_DICT": lambda machine, _: machine.make([]),
    "EMPTY_LIST": lambda machine, _: machine.make([]),
    "EMPTY_SET": lambda machine, _: machine.make([]),
    "EMPTY_TUPLE": lambda machine, _: machine.make([]),
    "TUPLE": lambda machine, _: machine.numbered(machine.to_mark()),
    "TUPLE1": lambda machine, _: machine.numbered(machine.take(1)),
    "TUPLE2": lambda machine, _: machine.numbered(machine.take(2)),
    "TUPLE3": lambda machine, _: machine.numbered(machine.take(3)),
    "LIST": lambda machine, _: machine.numbered(machine.to_mark()),
    "APPEND": lambda machine, _: machine.append(machine.take(1)),
    "APPENDS": lambda machine, _: machine.append(machine.to_mark()),
    "SETITEM": lambda machine, _: machine.set_items(machine.take(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.to_mark()),
    "ADDITEMS": lambda machine, _: machine.to_mark(),
    "FROZENSET": lambda machine, _: machine.make(machine.to_mark()),
    "STACK_GLOBAL": lambda machine, _: machine.make(machine.take(2)),
    "REDUCE": lambda machine, _: machine.call(2),
    "NEWOBJ": lambda machine, _: machine.call(2),
    "NEWOBJ_EX": lambda machine, _: machine.call(3),
    "BUILD": lambda machine, _: machine.build(None),
    "BINPERSID": lambda machine, _: machine.persistent(None),
    "BINGET": lambda machine, number: machine.stack.append(machine.memo[number]),
    "LONG_BINGET": lambda machine, number: machine.stack.append(machine.memo[number]),
    "BINPUT": lambda machine, number: machine.put(number),
    "LONG_BINPUT": lambda machine, number: machine.put(number),
    "MEMOIZE": lambda machine, _: machine.put(None),
}

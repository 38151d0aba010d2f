"""What is to be known of an operation of torch, asked of its schema once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

__all__ = ["Operation"]

FILLS: Final = frozenset({"fill_", "zero_", "copy_", "set_"})
"""Operations that read nothing of what they write; so do all that draw."""


class Operation:
    """An operator overload."""

    __slots__ = ("draws", "empty", "fills", "head", "input_head", "name", "view", "writes", "writes_only")

    def __init__(self, torch: Any, func: Any) -> None:
        self.name = str(func.name()).partition(".")[0]
        """`aten::add_`, without the overload."""
        short, schema = self.name.partition("::")[2], func._schema
        self.empty = short.startswith(("empty", "new_empty"))
        """Whether it hands out memory that nobody has written to."""
        self.draws = torch.Tag.nondeterministic_seeded in func.tags
        self.fills = short in FILLS or self.draws
        self.writes = tuple(
            (number, argument.name, argument.kwarg_only)
            for number, argument in enumerate(schema.arguments)
            if argument.alias_info is not None and argument.alias_info.is_write
        )
        """The arguments that it writes to: position, name, and whether it is an `out=`."""
        self.writes_only = bool(self.writes) and not schema.returns
        """Whether its only result is what it wrote into its arguments."""
        self.view = func.is_view
        self.head = self.input_head = 0

    def written(self, args: Any, kwargs: Any) -> list[Any]:
        """Return the arguments that it writes to, in a call."""
        found = []
        for number, name, _ in self.writes:
            if number < len(args):
                found.append(args[number])
            elif name in kwargs:
                found.append(kwargs[name])
        return found

    def read(self, args: Any, kwargs: Any) -> Iterator[Any]:
        """Yield the arguments that it reads, in a call: not those that it fills, and no `out=`."""
        skipped = [(number, name) for number, name, out in self.writes if out or self.fills]
        if not skipped:
            yield from args
            yield from kwargs.values()
            return
        numbers, names = {number for number, _ in skipped}, {name for _, name in skipped}
        yield from (value for number, value in enumerate(args) if number not in numbers)
        yield from (value for name, value in kwargs.items() if name not in names)

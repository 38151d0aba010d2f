"""Tensors whose memory was handed out and perhaps never written to, as long as they live."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

__all__ = ["Fresh"]

FILLS: Final = frozenset({"fill_", "zero_", "copy_", "set_"})
"""Operations that read nothing of what they write; so do all that draw."""


class _Made(NamedTuple):
    storage: Any
    by: str
    at: int
    size: int


class Fresh:
    """Remembers storages of the `empty` family until something fills them whole."""

    def __init__(self, torch: Any) -> None:
        from torch.multiprocessing import reductions

        self._torch = torch
        self._weak: Any = reductions.StorageWeakRef
        self.held: dict[int, _Made] = {}

    def made(self, tensor: Any, by: str, at: int) -> None:
        """Remember a tensor that was just made."""
        if isinstance(tensor, self._torch.Tensor) and tensor.numel():
            storage = tensor.untyped_storage()
            self.held[storage.data_ptr()] = _Made(self._weak(storage), by, at, tensor.numel())

    def read(self, func: Any, args: Any, kwargs: Any) -> Iterator[tuple[Any, str, int]]:
        """Yield what an operation reads of such memory, with the name and place of what handed it out."""
        if not self.held:
            return
        fills = _fills(self._torch, func)
        arguments = func._schema.arguments
        given = [(arguments[number], value) for number, value in enumerate(args)]
        given += [(argument, kwargs[argument.name]) for argument in arguments if argument.name in kwargs]
        for argument, value in given:
            writes = argument.alias_info is not None and argument.alias_info.is_write
            if writes and (fills or argument.kwarg_only):
                continue  # filled, or an `out=` that is only written
            for tensor in value if isinstance(value, list | tuple) else (value,):
                made = self._of(tensor)
                if made is not None:
                    yield tensor, made.by, made.at

    def written(self, func: Any, tensors: Any) -> None:
        """Forget memory that an operation has filled whole."""
        if not self.held or not tensors:
            return
        for value in tensors:
            for tensor in value if isinstance(value, list | tuple) else (value,):
                made = self._of(tensor)
                if made is not None and tensor.numel() >= made.size:
                    del self.held[tensor.untyped_storage().data_ptr()]

    def _of(self, tensor: Any) -> _Made | None:
        if not isinstance(tensor, self._torch.Tensor) or tensor.layout is not self._torch.strided:
            return None
        key = tensor.untyped_storage().data_ptr()
        made = self.held.get(key)
        if made is not None and made.storage.expired():
            del self.held[key]  # other memory at the same address
            return None
        return made


def _fills(torch: Any, func: Any) -> bool:
    return (
        str(func.name()).partition("::")[2].partition(".")[0] in FILLS or torch.Tag.nondeterministic_seeded in func.tags
    )

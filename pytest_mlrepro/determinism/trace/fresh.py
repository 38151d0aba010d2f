"""Tensors whose memory was handed out and perhaps never written to, as long as they live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

__all__ = ["Fresh"]


class _Made(NamedTuple):
    storage: Any
    by: str
    at: int
    size: int


class Fresh:
    """Remembers storages of the `empty` family until something fills them whole."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._weak: Any = torch.multiprocessing.reductions.StorageWeakRef
        self.held: dict[int, _Made] = {}

    def made(self, tensor: Any, by: str, at: int) -> None:
        """Remember a tensor that was just made."""
        if isinstance(tensor, self._torch.Tensor) and tensor.numel():
            storage = tensor.untyped_storage()
            self.held[storage.data_ptr()] = _Made(self._weak(storage), by, at, tensor.numel())

    def read(self, values: Iterable[Any]) -> Iterator[tuple[Any, str, int]]:
        """Yield the tensors among values that lie in such memory, with the name and place of what handed it out."""
        for value in values:
            for tensor in value if isinstance(value, list | tuple) else (value,):
                made = self._of(tensor)
                if made is not None:
                    yield tensor, made.by, made.at

    def written(self, values: Iterable[Any]) -> None:
        """Forget memory that an operation has filled whole."""
        for value in values:
            for tensor in value if isinstance(value, list | tuple) else (value,):
                made = self._of(tensor)
                if made is not None and tensor.numel() >= made.size:
                    del self.held[tensor.untyped_storage().data_ptr()]

    def _of(self, tensor: Any) -> _Made | None:
        if not isinstance(tensor, self._torch.Tensor) or tensor.layout is not self._torch.strided:
            return None
        try:
            key = tensor.untyped_storage().data_ptr()
        except (RuntimeError, NotImplementedError):
            return None  # a tensor without storage
        made = self.held.get(key)
        if made is not None and made.storage.expired():
            del self.held[key]  # other memory at the same address
            return None
        return made

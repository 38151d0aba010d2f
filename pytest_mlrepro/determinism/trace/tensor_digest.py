"""Digests of tensors by their bytes: sums, norms and xor miss swapped elements, signs and equal pairs; xxh3 misses none."""

from __future__ import annotations

import ctypes
from typing import Any

import xxhash

__all__ = ["TensorDigest"]

MANY = 512
"""How many sizes of buffers are remembered."""


class TensorDigest:
    """Gives 64-bit digests of tensors and of what operations give: sequences of them, numbers, nothing."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._tensor: Any = torch.Tensor
        self.cuda_streams: set[tuple[int, int]] = set()
        """The streams in which tensors on GPUs were digested: device and handle."""
        self.buffers: dict[int, Any] = {}
        """Types of buffers, by size: making one takes longer than to digest it."""

    def of(self, value: object) -> int:
        """Return the digest of a tensor, a number, or a list or tuple of them; 0 for what has none."""
        if isinstance(value, self._tensor):
            return self.tensor(value)
        if isinstance(value, list | tuple):
            parts = [self.of(part) for part in value]
            return xxhash.xxh3_64_intdigest(b"".join(part.to_bytes(8, "little") for part in parts))
        if isinstance(value, bool | int | float | complex):
            return xxhash.xxh3_64_intdigest(_number(value))
        return 0

    def tensor(self, tensor: Any) -> int:
        """Return the digest of the elements of a tensor, in order, whatever their layout; 0 if it has no bytes to read."""
        try:
            if tensor.layout is not self._torch.strided:
                return self._sparse(tensor)
            size = tensor.nbytes
            if size == 0:
                return 0
            if tensor.is_cpu and tensor.is_contiguous() and not tensor.is_complex():
                return xxhash.xxh3_64_intdigest(self._buffer(size).from_address(tensor.data_ptr()))
            return self._other(tensor)
        except (RuntimeError, NotImplementedError, TypeError):
            return 0  # a tensor without storage: fake, functional, wrapped

    def _other(self, tensor: Any) -> int:
        if tensor.is_cuda:
            current = self._torch.cuda.current_stream(tensor.device)
            self.cuda_streams.add((current.device_index, current.cuda_stream))
        if tensor.is_quantized:
            tensor = tensor.int_repr()
        plain = tensor.detach().resolve_conj().resolve_neg().to("cpu").contiguous()
        size = plain.nbytes
        return xxhash.xxh3_64_intdigest(self._buffer(size).from_address(plain.data_ptr()))

    def _sparse(self, tensor: Any) -> int:
        if tensor.layout is self._torch.sparse_coo:
            tensor = tensor.coalesce()
            return self.of([tensor.indices(), tensor.values()])
        compressed = tensor.layout in (self._torch.sparse_csr, self._torch.sparse_bsr)
        outer = tensor.crow_indices() if compressed else tensor.ccol_indices()
        inner = tensor.col_indices() if compressed else tensor.row_indices()
        return self.of([outer, inner, tensor.values()])

    def _buffer(self, size: int) -> Any:
        found = self.buffers.get(size)
        if found is None:
            if len(self.buffers) >= MANY:
                self.buffers.clear()
            found = self.buffers[size] = ctypes.c_char * size
        return found


def _number(value: complex) -> bytes:
    if isinstance(value, int):
        return value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    return complex(value).real.hex().encode() + b"," + complex(value).imag.hex().encode()

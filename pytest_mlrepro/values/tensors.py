"""torch's tensors as trees: on the CPU, conjugation and negation resolved, gradients and names ignored."""

from __future__ import annotations

from typing import Any, Final

from .._lazy import loaded
from .dtypes import NATIVE, storage
from .modules import describe_torch_object
from .node import Array, Field, Group, Node, Scalar
from .paths import axis
from .sources import array_source
from .walk import Foreign, Refused, Walk

__all__ = ["describe_torch"]

_NUMPY: Final = frozenset(NATIVE.values())
_OWN: Final = frozenset({"Tensor", "Parameter", "Buffer"})
_SPARSE: Final = {
    "sparse_csr": ("crow_indices", "col_indices", "values"),
    "sparse_bsr": ("crow_indices", "col_indices", "values"),
    "sparse_csc": ("ccol_indices", "row_indices", "values"),
    "sparse_bsc": ("ccol_indices", "row_indices", "values"),
}


def describe_torch(value: Foreign, walk: Walk) -> Node | None:
    """Describe a tensor, a dtype, a device, or an object with a state; None for other things of torch."""
    torch: Any = loaded("torch")
    if isinstance(value, torch.Tensor):
        return _tensor(value, torch, walk)
    if isinstance(value, torch.dtype | torch.device | torch.layout | torch.memory_format):
        return Scalar(f"torch.{type(value).__name__}", str(value))
    return describe_torch_object(value, torch, walk)


def _tensor(value: Foreign, torch: Foreign, walk: Walk) -> Node:
    kind = type(value)
    if kind.__name__ in ("UninitializedParameter", "UninitializedBuffer"):
        raise Refused(value, "it has no shape yet; run the module once on an input")
    if value.is_meta:
        raise Refused(value, "a meta tensor has no elements; materialise it first")
    if value.is_quantized:
        raise Refused(value, "quantized tensors have no canonical form; pass .dequantize() or .int_repr()")
    if value.is_nested:
        raise Refused(value, "nested tensors have no canonical form; pass list(tensor.unbind())")
    if kind.__module__.partition(".")[0] == "torch":
        if kind.__name__ not in _OWN:
            raise Refused(value, f"a {kind.__name__} has no canonical form; pass a plain tensor made from it")
        return _plain(value, torch, walk)
    state = vars(value)
    parts = walk.parts(value, ((Field(name), state[name]) for name in sorted(state)))
    plain = _plain(value.detach().as_subclass(torch.Tensor), torch, walk)
    return Group("torch.subclass", (("type", kind.__qualname__),), ((axis("tensor"), plain), *parts))


def _plain(value: Foreign, torch: Foreign, walk: Walk) -> Node:
    tensor = value.detach()
    if tensor.layout is not torch.strided:
        return _sparse(tensor, torch, walk)
    name = str(tensor.dtype).removeprefix("torch.")
    if name in _NUMPY:
        bits = None
    elif name == "complex32" or name.startswith(("bfloat16", "float8_")):
        bits = {1: torch.uint8, 2: torch.int16, 4: torch.int32}[tensor.element_size()]
    else:
        raise Refused(value, f"its dtype {name} has no canonical form; convert it to a float or integer dtype first")
    if tensor.is_conj() or tensor.is_neg():
        tensor = tensor.resolve_conj().resolve_neg()
    tensor = tensor.cpu()
    array = tensor.numpy() if bits is None else tensor.view(bits).numpy().view(storage(name))
    return Array("torch.Tensor", name, tuple(tensor.shape), array_source(array))


def _sparse(tensor: Foreign, torch: Foreign, walk: Walk) -> Node:
    """Sparse tensors by layout; COO is coalesced (sorted, duplicates summed), explicit zeros are kept."""
    layout = str(tensor.layout).removeprefix("torch.")
    if layout == "sparse_coo":
        tensor = tensor.coalesce()
        names: tuple[str, ...] = ("indices", "values")
    elif layout in _SPARSE:
        names = _SPARSE[layout]
    else:
        raise Refused(tensor, f"its layout {layout} has no canonical form; pass .to_dense()")
    parts = [walk.part(Field(name), _plain, getattr(tensor, name)(), torch, walk) for name in names]
    attrs = (("layout", layout), ("shape", ",".join(map(str, tensor.shape))))
    return Group("torch.sparse", attrs, tuple(parts))

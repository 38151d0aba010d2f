"""Torch models: scores with gradients, on the model's own device and in its dtype, and the module given back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._lazy import loaded
from ..errors import FingerprintError, UsageError
from ..fingerprints import Fingerprint, fingerprint
from .inputs import Floats
from .outputs import Reading
from .tables import AnyForm

__all__ = ["Network", "gives_gradients", "opened_module"]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A torch module in eval mode, or a function of tensors that gradients go through."""

    call: Any
    dtype: Any
    device: Any
    reading: Reading | None = None
    classes: tuple[Any, ...] | None = None

    def tensor(self, x: Floats) -> Any:
        """Return the array as a tensor of the model's dtype on its device."""
        torch: Any = loaded("torch")
        return torch.from_numpy(np.ascontiguousarray(x)).to(device=self.device, dtype=self.dtype)

    def array(self, x: Any) -> Floats:
        """Return a tensor as an array of float64 where it is that, else of float32, which holds every shorter float."""
        torch: Any = loaded("torch")
        wide = torch.float64 if x.dtype == torch.float64 else torch.float32
        array: Floats = x.detach().to("cpu", wide).numpy()
        return array

    def rounded(self, x: Floats) -> Floats:
        """Return the inputs as the model sees them."""
        return self.array(self.tensor(x)).astype(x.dtype, copy=False)

    def outputs(self, x: Any) -> Any:
        """Call the model and return its tensor of outputs, also out of an object that keeps them as `logits`."""
        torch: Any = loaded("torch")
        out = self.call(x)
        out = getattr(out, "logits", out)
        if not isinstance(out, torch.Tensor):
            raise UsageError(
                f"model: a tensor of outputs is expected, got {type(out).__qualname__}; wrap the model to give it"
            )
        if out.ndim < 1 or len(out) != len(x):
            raise UsageError(
                f"model: one row of outputs for each of {len(x)} samples is expected, got shape {tuple(out.shape)}"
            )
        return out

    def raw(self, x: Floats) -> NDArray[Any]:
        """Return the outputs for an array, without a graph."""
        torch: Any = loaded("torch")
        with torch.no_grad():
            out = self.outputs(self.tensor(x))
        return self.array(out) if out.is_floating_point() else np.asarray(out.cpu().numpy())

    @property
    def decides(self) -> bool:
        """Whether there are labels beside the scores: none."""
        return False

    def decide(self, x: Floats) -> None:
        """Return None: the scores are all that there is."""


def gives_gradients(model: Any, form: AnyForm, x: Floats) -> bool:
    """Tell whether a plain callable, given a tensor of this form, returns one that gradients go through."""
    torch: Any = loaded("torch")
    if torch is None or form.kind != "torch" or not callable(model) or hasattr(model, "predict"):
        return False
    given = form.restore(x)
    if not given.is_floating_point():
        return False
    try:
        with torch.enable_grad():
            out = model(given.requires_grad_())
    except Exception:  # noqa: BLE001  # one that leaves torch on its way, for numpy, is a black box
        return False
    return isinstance(getattr(out, "logits", out), torch.Tensor) and bool(getattr(out, "logits", out).requires_grad)


@contextmanager
def opened_module(module: Any, form: AnyForm) -> Iterator[tuple[Network, Callable[[], list[str]]]]:
    """Yield the module in eval mode, and a function that names the parameters and buffers that have changed since."""
    torch: Any = loaded("torch")
    floats = [p for p in (*module.parameters(), *module.buffers()) if p.is_floating_point()]
    given = form.dtypes[0] if form.kind == "torch" else None
    dtype = floats[0].dtype if floats else given or torch.get_default_dtype()
    device = floats[0].device if floats else form.device if form.kind == "torch" else torch.device("cpu")
    modes = [(part, part.training) for part in module.modules()]
    buffers = [(buffer, buffer.clone()) for buffer in module.buffers()]
    before = _state(module)
    module.eval()
    try:
        yield Network(module, dtype, device), lambda: _changes(before, _state(module))
    finally:
        with torch.no_grad():
            for buffer, kept in buffers:
                if not torch.equal(buffer, kept):
                    buffer.copy_(kept)
        for part, mode in modes:
            part.training = mode


def _state(module: Any) -> Fingerprint | None:
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    try:
        return fingerprint({name: tensor.detach() for name, tensor in tensors.items()})
    except FingerprintError:
        return None  # quantised and the like: no form, so not looked at


def _changes(before: Fingerprint | None, after: Fingerprint | None) -> list[str]:
    if before is None or after is None or before.digest == after.digest:
        return []
    return list(before.diff(after))

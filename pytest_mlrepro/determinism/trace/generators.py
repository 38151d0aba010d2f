"""Which generator an operation of torch draws from, and in what state that is."""

from __future__ import annotations

from typing import Any, NamedTuple

import xxhash

__all__ = ["Generators", "State"]


class State(NamedTuple):
    """A generator before a draw."""

    name: str
    """`the default generator of cpu`, or `a generator of its own`."""
    seed: str
    """What it was last seeded with."""
    digest: int


class Generators:
    """Finds generators by the arguments of an operation."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def used(self, args: Any, kwargs: Any) -> State | None:
        """Return the state of the generator that the operation is about to draw from; None if there is none to look at."""
        own = next((one for one in (*args, *kwargs.values()) if isinstance(one, self._torch.Generator)), None)
        device = self._device(args, kwargs)
        generator = own if own is not None else self._default(device)
        if generator is None:
            return None
        name = "a generator of its own" if own is not None else f"the default generator of {device}"
        state = generator.get_state()
        return State(name, str(generator.initial_seed()), xxhash.xxh3_64_intdigest(state.numpy().tobytes()))

    def _device(self, args: Any, kwargs: Any) -> Any:
        asked = kwargs.get("device")
        if asked is not None:
            return self._torch.device(asked)
        tensors = (one for one in (*args, *kwargs.values()) if isinstance(one, self._torch.Tensor))
        return next((tensor.device for tensor in tensors), self._torch.device("cpu"))

    def _default(self, device: Any) -> Any:
        if device.type == "cpu":
            return self._torch.default_generator
        module: Any = getattr(self._torch, device.type, None)
        known = getattr(module, "default_generators", ())
        index = device.index if device.index is not None else (module.current_device() if known else 0)
        return known[index] if len(known) > index else None

"""Steps of torch's own optimisers, as one event for each parameter: half of the operations of a small training are theirs.

Only on the first, cheap look: the mode is off during a step, and what the step made of the parameters is digested after
it. If that is the first difference, the close look goes through the operations of the step one by one.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from ..._lazy import loaded
from .places import Places
from .stream import Kind, Stream
from .tensor_digest import TensorDigest

__all__ = ["Steps"]


class Steps:
    """Watches the optimisers that step in one thread while a mode is on."""

    def __init__(self, torch: Any, mode: Any, stream: Stream, places: Places, digests: TensorDigest) -> None:
        self._optimizer: Any = loaded("torch.optim.optimizer")
        self._modes: Any = torch.utils._python_dispatch
        self._mode, self._stream, self._places, self._digests = mode, stream, places, digests
        self._thread = threading.get_ident()
        self._hooks: list[Any] = []
        self._line = 0
        """The line that asked for the step under way, during which the mode is off; 0: there is none."""

    def watch(self) -> None:
        """Be told of steps from now on."""
        self._hooks = [
            self._optimizer.register_optimizer_step_pre_hook(self._before),
            self._optimizer.register_optimizer_step_post_hook(self._after),
        ]

    def leave(self) -> None:
        """Be told of no more, with the mode on."""
        for hook in self._hooks:
            hook.remove()
        self._resume()

    def _before(self, optimiser: Any, args: Any, kwargs: Any) -> None:
        if threading.get_ident() != self._thread:
            return
        self._resume()  # a step before this one raised an error
        closure = len(args) > 1 or any(value is not None for value in kwargs.values())  # the first is the optimiser
        own = not type(optimiser).__module__.startswith("torch.")
        if closure or own or self._modes._get_current_dispatch_mode() is not self._mode:
            return  # code of the project runs in the step, or a mode of somebody else wants to see it
        self._line = self._places.number(sys._getframe(1))
        self._modes._pop_mode()

    def _after(self, optimiser: Any, args: Any, kwargs: Any) -> None:
        if threading.get_ident() != self._thread or not self._line:
            return
        name = f"torch.optim.{type(optimiser).__name__}.step"
        head = self._stream.head_of(Kind.VALUE, name) | self._line
        for group in optimiser.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._stream.put(head, self._digests.of(parameter))
                    if 0 <= self._stream.wanted < len(self._stream):
                        self._stream.keep(parameter)
        self._resume()

    def _resume(self) -> None:
        if self._line:
            self._line = 0
            self._modes._push_mode(self._mode)

"""Every operation of torch, forward, backward and of optimisers, with a digest of what it gives and the line that asked for it.

A dispatch mode stands below autograd, so that it sees what really runs. It is on the hot path of a traced run: views and
bookkeeping pass through, most operations take the short way, and only those that draw, write without returning, or hand
out unwritten memory are looked at closely.
"""

from __future__ import annotations

import sys
import threading
from array import array
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import xxhash

from ..._lazy import loaded
from .fresh import Fresh
from .generators import Generators
from .places import Places
from .stream import KIND_SHIFT, NAME_SHIFT, Kind, Stream
from .tensor_digest import TensorDigest

__all__ = ["operations"]

SKIPPED: Final = 0
SPECIAL: Final = -1
UNKNOWN: Final = -2
LOADER: Final = "torch.utils.data.dataloader"
"""Draws the seed of its workers, which differs and harms nobody: what a worker draws is seen there."""
NUMBER: Final = "aten::_local_scalar_dense"
ARRIVES: Final = "aten::set_"
"""Gives a tensor the memory that another process has filled, as it arrives: in an order that means nothing yet."""
QUIET: Final = frozenset({"profiler", "prim"})
"""Namespaces of bookkeeping."""
REMEMBERED: Final = 1 << 16
"""How many forward operations are remembered for the backward ones: more than any graph that fits into memory needs often."""


def operations(stream: Stream, places: Places, *, inputs: bool = False) -> Any:
    """Return a context manager that notes each torch operation of this thread in the stream.

    inputs: note what each operation is given too, so that a value which came from elsewhere (numpy, a worker) is seen.
    """
    torch = loaded("torch")
    assert torch is not None  # the caller asked first
    return _mode(torch, stream, places, inputs)()


def _mode(torch: Any, stream: Stream, places: Places, inputs: bool) -> Any:
    """Return the mode of one thread. What the hot path needs is in local names: attributes would make it a third slower."""
    from torch.utils import _python_dispatch

    mode: Any = _python_dispatch.TorchDispatchMode
    tensor_type: Any = torch.Tensor
    current_node: Callable[[], Any] = torch._C._current_autograd_node
    sequence: Callable[[], int] = torch.autograd._get_sequence_nr
    heads: dict[Any, int] = {}
    known = heads.get
    forward = array("Q", bytes(8 * REMEMBERED))
    digests, fresh = TensorDigest(torch), Fresh(torch)
    buffers, digest_of, held = digests.buffers, xxhash.xxh3_64_intdigest, fresh.held
    buffer_of, number_of, getframe, put = buffers.get, places.number, sys._getframe, stream.put

    class Operations(mode):  # type: ignore[misc]  # torch has no types here
        supports_higher_order_operators = True

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # the wrapper costs as much as all of this; compiled regions are opaque either way

        def __init__(self) -> None:
            super().__init__()
            self._generators = Generators(torch)
            self._thread = threading.get_ident()
            self._step = 0
            """The place of the optimiser's step that is under way: all operations of a step are of one line."""
            self._hooks: list[Any] = []

        def __enter__(self) -> Any:
            from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

            self._hooks = [
                register_optimizer_step_pre_hook(self._before_step),
                register_optimizer_step_post_hook(self._after_step),
            ]
            return super().__enter__()

        def __exit__(self, *error: Any) -> None:
            super().__exit__(*error)
            for hook in self._hooks:
                hook.remove()

        def _before_step(self, optimiser: Any, args: Any, kwargs: Any) -> None:
            own_code = not type(optimiser).__module__.startswith("torch.")
            if own_code or args or any(value is not None for value in kwargs.values()):
                return  # the project's lines in it, or in the closure that it was given, tell more
            if threading.get_ident() == self._thread:
                self._step = number_of(getframe(1))

        def _after_step(self, optimiser: Any, args: Any, kwargs: Any) -> None:
            self._step = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            try:
                op = func._op
            except AttributeError:
                return func(*args, **(kwargs or {}))  # a higher-order operator
            head = known(op, UNKNOWN)
            if head < 0 or ((held or inputs) and head):
                return self._carefully(func, args, kwargs or {}, getframe(1))
            out = op(*args, **kwargs) if kwargs else op(*args)
            if not head:
                return out
            number = self._step
            if not number:
                node = current_node()
                if node is None:
                    number = number_of(getframe(1))
                    forward[(sequence() - 1) % REMEMBERED] = number
                else:
                    number = self._line_of(node)
            if isinstance(out, tensor_type) and out.is_cpu and out.is_contiguous():
                buffer = buffer_of(out.nbytes)
                digest = digests.tensor(out) if buffer is None else digest_of(buffer.from_address(out.data_ptr()))
            else:
                digest = digests.of(out)
            put(head | number, digest)
            if stream.wanted >= 0:
                self._offer(out)
            return out

        def _line(self, frame: FrameType) -> int:
            node = current_node()
            if node is not None:
                return self._line_of(node)
            number = number_of(frame)
            forward[(sequence() - 1) % REMEMBERED] = number
            return number

        def _line_of(self, node: Any) -> int:
            """Return the line of the forward operation behind a backward one; of the call of `backward` if there is none."""
            number = node._sequence_nr()
            line = forward[number % REMEMBERED] if number < sequence() else 0
            return line or number_of(getframe(2))

        def _learn(self, func: Any) -> int:
            head = self._head(func)
            heads[func._op] = head
            return head

        def _head(self, func: Any) -> int:
            if func.namespace in QUIET or _name(func) == ARRIVES:
                return SKIPPED
            if _is_empty(func) or _draws(torch, func) or _writes_only(func) or _name(func) == NUMBER:
                return SPECIAL
            return SKIPPED if func.is_view and "lift_fresh" not in func.name() else self._plain(func)

        def _plain(self, func: Any) -> int:
            return Kind.VALUE << KIND_SHIFT | places.table.name(_name(func)) << NAME_SHIFT

        def _carefully(self, func: Any, args: Any, kwargs: Any, frame: FrameType) -> Any:
            head = known(func._op, UNKNOWN)
            head = self._learn(func) if head == UNKNOWN else head
            if head == SKIPPED or frame.f_globals.get("__name__") == LOADER:
                return func._op(*args, **kwargs)
            line = self._line(frame)
            if _is_empty(func):
                return self._handed_out(func, args, kwargs, line)
            self._before(func, args, kwargs, line, frame)
            out = func._op(*args, **kwargs)
            written = _written(func, args, kwargs)
            fresh.written(func, written)
            put(self._named(func, frame) | line, digests.of(written if _writes_only(func) else out))
            self._offer(written if _writes_only(func) else out)
            return out

        def _before(self, func: Any, args: Any, kwargs: Any, line: int, frame: FrameType) -> None:
            """Note what goes into an operation: unwritten memory, the state of its generator, and if asked its inputs."""
            table = places.table
            for tensor, made_by, made_at in fresh.read(func, args, kwargs):
                put(Kind.UNWRITTEN << KIND_SHIFT | table.name(made_by) << NAME_SHIFT | made_at, digests.of(tensor))
                self._offer(tensor)
            if inputs:
                given = [part for part in (*args, *kwargs.values()) if isinstance(part, tensor_type | list | tuple)]
                if given and not fresh.held:
                    put(Kind.INPUT << KIND_SHIFT | table.name(_name(func)) << NAME_SHIFT | line, digests.of(given))
                    self._offer(given[0])
            if _draws(torch, func):
                self._draw(func, args, kwargs, line, frame)

        def _draw(self, func: Any, args: Any, kwargs: Any, line: int, frame: FrameType) -> None:
            state = self._generators.used(func, args, kwargs)
            if state is not None:
                name = places.table.name(_public(torch, func, frame))
                put(Kind.DRAW << KIND_SHIFT | name << NAME_SHIFT | line, state.digest)
                stream.note(generator=state.name, seed=state.seed)

        def _named(self, func: Any, frame: FrameType) -> int:
            name = _public(torch, func, frame) if _draws(torch, func) else _name(func)
            return Kind.VALUE << KIND_SHIFT | places.table.name(name) << NAME_SHIFT

        def _handed_out(self, func: Any, args: Any, kwargs: Any, line: int) -> Any:
            """Make a tensor whose memory nobody has written to yet, and remember it instead of its bytes."""
            out = func._op(*args, **kwargs)
            fresh.made(out, _name(func), line)
            return out

        def _offer(self, value: Any) -> None:
            if 0 <= stream.wanted < len(stream):
                stream.keep(value)

    return Operations


def _name(func: Any) -> str:
    return str(func.name()).partition(".")[0]


def _is_empty(func: Any) -> bool:
    return str(func.name()).partition("::")[2].startswith(("empty", "new_empty"))


def _draws(torch: Any, func: Any) -> bool:
    return torch.Tag.nondeterministic_seeded in func.tags


def _writes_only(func: Any) -> bool:
    """Tell whether the only result of an operation is what it wrote into its arguments."""
    return not func._schema.returns and any(_is_write(argument) for argument in func._schema.arguments)


def _is_write(argument: Any) -> bool:
    return argument.alias_info is not None and argument.alias_info.is_write


def _written(func: Any, args: Any, kwargs: Any) -> list[Any]:
    arguments = func._schema.arguments
    given = [(arguments[number], value) for number, value in enumerate(args)]
    given += [(argument, kwargs[argument.name]) for argument in arguments if argument.name in kwargs]
    return [value for argument, value in given if _is_write(argument)]


def _public(torch: Any, func: Any, frame: FrameType | None) -> str:
    """Return the name under which a drawing operation was asked for: `aten::dropout`, which draws by `aten::bernoulli_`."""
    while frame is not None and frame.f_globals.get("__name__") == "torch.nn.functional":
        name = frame.f_code.co_name
        if hasattr(torch.ops.aten, name):
            return f"aten::{name}"
        frame = frame.f_back
    return _name(func)

"""Every operation of torch, forward, backward and of optimisers, with a digest of what it gives and the line that asked for it.

A dispatch mode stands below autograd, so that it sees what really runs. It is on the hot path of a traced run: views and
bookkeeping pass through, most operations take the short way, and only those that draw, write without returning, or hand
out unwritten memory are looked at closely.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import xxhash

from ..._lazy import loaded
from .fresh import Fresh
from .generators import Generators
from .operation import Operation
from .places import Places
from .steps import Steps
from .stream import Kind, Stream
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
    mode: Any = torch.utils._python_dispatch.TorchDispatchMode
    tensor_type: Any = torch.Tensor
    current_node: Callable[[], Any] = torch._C._current_autograd_node
    sequence: Callable[[], int] = torch.autograd._get_sequence_nr
    heads: dict[Any, int] = {}
    known = heads.get
    careful: dict[Any, Operation] = {}
    forward = array("Q", bytes(8 * REMEMBERED))
    digests, fresh, generators = TensorDigest(torch), Fresh(torch), Generators(torch)
    buffers, digest_of, held = digests.buffers, xxhash.xxh3_64_intdigest, fresh.held
    buffer_of, number_of, getframe = buffers.get, places.number, sys._getframe
    put, head_of = stream.put, stream.head_of

    class Operations(mode):  # type: ignore[misc]  # torch has no types here
        supports_higher_order_operators = True

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # its wrapper costs as much as all of this

        @classmethod
        def ignore_compile_internals(cls) -> bool:
            return True  # compiled regions run as they do untraced, and are opaque

        def __init__(self) -> None:
            super().__init__()
            self._steps = Steps(torch, self, stream, places, digests)
            self.cuda_streams = digests.cuda_streams

        def __enter__(self) -> Any:
            if not inputs:
                self._steps.watch()
            return super().__enter__()

        def __exit__(self, *error: Any) -> None:
            self._steps.leave()
            super().__exit__(*error)

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            try:
                op = func._op
            except AttributeError:
                return func(*args, **(kwargs or {}))  # a higher-order operator
            head = known(op, UNKNOWN)
            if not head:
                return op(*args, **kwargs) if kwargs else op(*args)
            if head < 0 or held or inputs:
                return self._carefully(func, args, kwargs or {}, getframe(1))
            out = op(*args, **kwargs) if kwargs else op(*args)
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
            one = careful[func._op] = Operation(torch, func)
            one.head, one.input_head = head_of(Kind.VALUE, one.name), head_of(Kind.INPUT, one.name)
            if func.namespace in QUIET or one.name == ARRIVES or (one.view and "lift_fresh" not in one.name):
                head = SKIPPED
            elif one.empty or one.draws or one.writes_only or one.name == NUMBER:
                head = SPECIAL
            else:
                head = one.head
            heads[func._op] = head
            return head

        def _carefully(self, func: Any, args: Any, kwargs: Any, frame: FrameType) -> Any:
            op = func._op
            head = known(op, UNKNOWN)
            head = self._learn(func) if head == UNKNOWN else head
            if head == SKIPPED or frame.f_globals.get("__name__") == LOADER:
                return op(*args, **kwargs)
            one, line = careful[op], self._line(frame)
            if one.empty:
                out = op(*args, **kwargs)
                fresh.made(out, one.name, line)  # instead of its bytes
                return out
            self._before(one, args, kwargs, line, frame)
            out = op(*args, **kwargs)
            written = one.written(args, kwargs) if one.writes else []
            if held and written:
                fresh.written(written)
            result = written if one.writes_only else out
            put((head_of(Kind.VALUE, _public(torch, one, frame)) if one.draws else one.head) | line, digests.of(result))
            self._offer(result)
            return out

        def _before(self, one: Operation, args: Any, kwargs: Any, line: int, frame: FrameType) -> None:
            """Note what goes into an operation: unwritten memory, the state of its generator, and if asked its inputs."""
            unwritten: list[Any] = []
            if held:
                for tensor, made_by, made_at in fresh.read(one.read(args, kwargs)):
                    unwritten.append(tensor)
                    put(head_of(Kind.UNWRITTEN, made_by) | made_at, digests.of(tensor))
                    self._offer(tensor)
            if inputs:
                given = [part for part in one.read(args, kwargs) if isinstance(part, tensor_type | list | tuple)]
                given = [part for part in given if not any(part is tensor for tensor in unwritten)]
                if given:
                    put(one.input_head | line, digests.of(given))
                    self._offer(given[0])
            if one.draws:
                state = generators.used(args, kwargs)
                if state is not None:
                    put(head_of(Kind.DRAW, _public(torch, one, frame)) | line, state.digest)
                    stream.note(generator=state.name, seed=state.seed)

        def _offer(self, value: Any) -> None:
            if 0 <= stream.wanted < len(stream):
                stream.keep(value)

    return Operations


def _public(torch: Any, one: Operation, frame: FrameType | None) -> str:
    """Return the name under which a drawing operation was asked for: `aten::dropout`, which draws by `aten::bernoulli_`."""
    while frame is not None and frame.f_globals.get("__name__") == "torch.nn.functional":
        name = frame.f_code.co_name
        if hasattr(torch.ops.aten, name):
            return f"aten::{name}"
        frame = frame.f_back
    return one.name

"""What each line of a function reads, sets and calls, told from its bytecode and from what its names stand for."""

from __future__ import annotations

import dis
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any, Final

from ..._lazy import loaded

__all__ = ["LineCode", "full_name", "lines_of", "names_on"]

READS: Final = frozenset({"LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_AND_CLEAR", "LOAD_DEREF", "LOAD_CLASSDEREF"})
READS_BY_NAME: Final = frozenset({"LOAD_NAME", "LOAD_GLOBAL"})
WRITES: Final = frozenset({"STORE_FAST", "STORE_DEREF", "STORE_NAME"})
PAIRS: Final = frozenset({"LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"})
MUTATES: Final = ("STORE_SUBSCR", "STORE_SLICE", "DELETE_SUBSCR", "STORE_ATTR", "CALL", "BINARY_OP")
ATTRIBUTES: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
PLAIN: Final = ("PUSH_NULL", "COPY", "CACHE", "PRECALL", "RESUME", "EXTENDED_ARG")
SYSTEM: Final = {"posix": "os", "nt": "os", "_io": "io", "_random": "random", "_operator": "operator"}
"""Modules in which Python keeps what others show."""


@dataclass
class LineCode:
    """The names on one line."""

    reads: dict[str, None] = field(default_factory=dict)
    writes: dict[str, None] = field(default_factory=dict)
    chains: list[tuple[str, ...]] = field(default_factory=list)
    """Dotted names as they stand there: `("np", "random", "default_rng")`."""
    mutates: bool = False
    """Whether it may change what it reads."""
    iterates: bool = False


def lines_of(code: CodeType) -> dict[int, LineCode]:
    """Return what each line of a code object does, by its number."""
    found: dict[int, LineCode] = {}
    line, chain = code.co_firstlineno, list[str]()
    for step in dis.get_instructions(code):
        number = step.positions.lineno if step.positions is not None else None
        if number is not None and number != line:
            _close(found, line, chain)
            line = number
        _step(found.setdefault(line, LineCode()), step, chain)
    _close(found, line, chain)
    return found


def _step(here: LineCode, step: dis.Instruction, chain: list[str]) -> None:
    name = step.opname
    if name in ATTRIBUTES and chain:
        chain.append(str(step.argval))
        return
    if name.startswith(PLAIN):
        return
    _end(here, chain)
    if name in READS or name in READS_BY_NAME or name.startswith("LOAD_FAST"):
        for one in step.argval if isinstance(step.argval, tuple) else (step.argval,):
            _end(here, chain)
            chain.append(str(one))
            if name not in READS_BY_NAME or name == "LOAD_NAME":
                here.reads[str(one)] = None
    if name.startswith("STORE_FAST") or name in WRITES:
        parts = step.argval if isinstance(step.argval, tuple) else (step.argval,)
        for one in parts:
            loaded_too = name.startswith("STORE_FAST_LOAD_FAST") and one is parts[-1]
            (here.reads if loaded_too else here.writes)[str(one)] = None
    here.mutates = here.mutates or name.startswith(MUTATES)
    here.iterates = here.iterates or name in ("GET_ITER", "FOR_ITER")


def _end(here: LineCode, chain: list[str]) -> None:
    if chain:
        here.chains.append(tuple(chain))
        chain.clear()


def _close(found: dict[int, LineCode], line: int, chain: list[str]) -> None:
    if chain:
        _end(found.setdefault(line, LineCode()), chain)


def names_on(line: LineCode, frame: FrameType) -> list[str]:
    """Return the full names of functions and classes that a line names; the types of what it iterates over, too."""
    found: dict[str, None] = {}
    for chain in line.chains:
        holder, value = _resolve(chain, frame)
        name = full_name(value, holder)
        if name:
            found[name] = None
        if line.iterates and value is not None:
            found.update(dict.fromkeys(_iterated(value)))
        if holder is not None and _in_parallel(holder):
            found["joblib.Parallel"] = None
    return list(found)


def _resolve(chain: tuple[str, ...], frame: FrameType) -> tuple[Any, Any]:
    """Return the object before the last dot and the one that the whole name stands for, without running anybody's code."""
    first, *rest = chain
    for scope in (frame.f_locals, frame.f_globals, frame.f_builtins):
        if first in scope:
            value = scope[first]
            break
    else:
        return None, None
    holder: Any = None
    for number, name in enumerate(rest):
        holder, value = value, _attribute(value, name)
        if value is None:
            return (
                (holder, _Method(type(holder), name))
                if number == len(rest) - 1 and holder is not None
                else (None, None)
            )
    return holder, value


@dataclass(frozen=True)
class _Method:
    """A method that is known by its name and the type of its receiver alone."""

    owner: type
    name: str


def _attribute(holder: Any, name: str) -> Any:
    if isinstance(holder, ModuleType):
        return vars(holder).get(name)
    if isinstance(holder, type):
        found = next((vars(base)[name] for base in holder.__mro__ if name in vars(base)), None)
        return getattr(found, "__func__", found)
    own = vars(holder).get(name) if hasattr(type(holder), "__dict__") and hasattr(holder, "__dict__") else None
    if own is not None:
        return own
    return _Method(type(holder), name) if any(name in vars(base) for base in type(holder).__mro__) else None


def full_name(value: Any, holder: Any = None) -> str:
    """Return the name under which people know a function, class or method: "" for anything else."""
    if isinstance(value, _Method):
        return f"{_of_type(value.owner)}.{value.name}"
    owner = getattr(value, "__self__", None) if callable(value) else None
    if isinstance(value, type):
        return _of_type(value)
    if not callable(value) or not hasattr(value, "__name__"):
        return ""
    name = getattr(value, "__qualname__", value.__name__)
    if isinstance(holder, ModuleType) and isinstance(value, BuiltinFunctionType):
        return _public(
            holder.__name__, value.__name__
        )  # also a method of something hidden, such as numpy's own generator
    shared = "" if owner is None else _shared(owner)
    if shared:
        return f"{shared}.{value.__name__}"
    if isinstance(holder, type) and not isinstance(value, FunctionType):
        return f"{_of_type(holder)}.{value.__name__}"  # of a class in C, which doesn't know where it is
    if owner is not None and not isinstance(owner, ModuleType | type):
        if isinstance(holder, ModuleType):
            return f"{holder.__name__}.{value.__name__}"  # such as of the generator that all share
        return f"{_of_type(type(owner))}.{value.__name__}"
    return _public(getattr(value, "__module__", "") or _module_of(holder), str(name))


def _shared(owner: object) -> str:
    """Return the module by whose functions a generator that all share is drawn from; "" for anything else."""
    if owner is getattr(random, "_inst", None):
        return "random"
    numpy = getattr(loaded("numpy.random.mtrand"), "_rand", None)
    return "numpy.random" if numpy is not None and owner is numpy else ""


def _module_of(holder: Any) -> str:
    return holder.__name__ if isinstance(holder, ModuleType) else "builtins"


def _of_type(kind: type) -> str:
    return _public(kind.__module__, kind.__qualname__)


def _public(module: str, name: str) -> str:
    """Return the shortest path that leads to the same thing: `polars.DataFrame`, not `polars.dataframe.frame.DataFrame`."""
    module = SYSTEM.get(module, module)
    first = name.partition(".")[0]
    defined = getattr(loaded(module), "__dict__", {}).get(first)
    parts = module.split(".")
    for length in range(1, len(parts)):
        shorter = ".".join(parts[:length])
        if defined is not None and getattr(loaded(shorter), "__dict__", {}).get(first) is defined:
            return f"{shorter}.{name}"
    kept = [part for part in parts if not part.startswith("_")]
    return f"{'.'.join(kept)}.{name}" if kept else name


def _iterated(value: Any) -> Iterator[str]:
    """Yield the names of loaders whose batches come in the order in which workers finish."""
    data = loaded("torch.utils.data")
    if data is not None and isinstance(value, data.DataLoader) and value.num_workers and not value.in_order:
        yield "torch.utils.data.DataLoader(in_order=False)"


def _in_parallel(estimator: Any) -> bool:
    """Tell whether an estimator, or a step of it, spreads its work over threads or processes."""
    base = loaded("sklearn.base")
    if base is None or not isinstance(estimator, base.BaseEstimator):
        return False
    try:
        jobs = [value for name, value in estimator.get_params().items() if name.rpartition("__")[2] == "n_jobs"]
    except Exception:  # noqa: BLE001  # an estimator of somebody's own whose parameters can't be read
        return False
    return any(value not in (None, 1) for value in jobs)

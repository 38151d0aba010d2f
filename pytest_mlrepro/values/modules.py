"""torch's modules, optimisers, schedulers and generators as trees: what they hold, free of device and gradients."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from .class_names import class_name
from .node import Field, Group, Node, Scalar
from .paths import axis
from .walk import Foreign, Refused, Walk

__all__ = ["describe_torch_object"]

_DERIVED: Final = frozenset({
    "_flat_weights", "_flat_weight_refs",  # what LSTM and its like keep of their own parameters
    "_compiled_call_impl", "_is_torch_compile",
})  # fmt: skip


def describe_torch_object(value: Foreign, torch: Foreign, walk: Walk) -> Node | None:
    """Describe a module, an optimiser, a scheduler, or another object of torch with a state; None for other things.

    A module is its class, its parameters, buffers and submodules by name and in order, and its other attributes, which
    are its hyper-parameters. The training flags are a part of their own. Tied parameters count by value. Hooks are code
    and don't count. An optimiser or a scheduler is its class and its `state_dict()`.
    """
    if isinstance(value, torch.nn.Module):
        return _module(value, torch, walk)
    if isinstance(value, torch.Generator):
        return Group("torch.Generator", (), walk.parts(value, [(Field("state"), value.get_state())]))
    if _has_state(value):
        return _stateful(value, walk)
    return None


def _has_state(value: Foreign) -> bool:
    return callable(getattr(type(value), "state_dict", None))


def _stateful(value: Foreign, walk: Walk) -> Group:
    state = value.state_dict()
    parts = walk.parts(value, ((Field(name), state[name]) for name in sorted(state)))
    return Group("torch.state", (("type", class_name(type(value))),), parts)


def _module(value: Foreign, torch: Foreign, walk: Walk) -> Group:
    value = _original(value)
    body = _body(value, torch, walk)
    return Group(body.kind, body.attrs, (*body.children, (axis("training"), _training(value))))


def _original(value: Foreign) -> Foreign:
    """Return the module that `torch.compile` was given: compiling it is no change of it."""
    return value._modules["_orig_mod"] if type(value).__name__ == "OptimizedModule" else value


def _training(value: Foreign) -> Node:
    """One flag where all modules agree, which is nearly always; else the flag of each by its name."""
    flags = {name: bool(module.training) for name, module in value.named_modules(remove_duplicate=False)}
    if len(set(flags.values())) == 1:
        return Scalar("bool", flags[""])
    return Group("torch.training", (), tuple((name, Scalar("bool", flags[name])) for name in sorted(flags)))


def _body(value: Foreign, torch: Foreign, walk: Walk) -> Group:
    if isinstance(value, torch.jit.ScriptModule):
        raise Refused(value, "a scripted module keeps its attributes in C++; pass module.state_dict()")
    if getattr(value, "has_uninitialized_params", bool)():
        raise Refused(value, "its parameters have no shape yet; run it once on an input")
    walk.enter(value)
    parts = [walk.part(Field(name), _part, part, torch, walk) for name, part in _parts(value, torch)]
    walk.leave(value)
    return Group("torch.nn.Module", (("type", class_name(type(value))),), tuple(parts))


def _part(part: Foreign, torch: Foreign, walk: Walk) -> Node:
    if isinstance(part, torch.nn.Module) and not hasattr(type(part), "__mlrepro__"):
        return _body(_original(part), torch, walk)
    return walk.describe(part)


def _parts(value: Foreign, torch: Foreign) -> Iterator[tuple[str, Any]]:
    """Yield attributes by name, then parameters, buffers and submodules in order."""
    state = vars(value)
    skipped = _internal(torch.nn.Module) | _DERIVED
    for name in sorted(state):
        handle = isinstance(state[name], torch.utils.hooks.RemovableHandle)
        if not (name in skipped or handle or _computed(name, value._parameters)):
            yield name, state[name]
    for held in (value._parameters, value._buffers, value._modules):
        yield from held.items()


def _computed(name: str, parameters: dict[str, Any]) -> bool:
    """Tell whether an attribute is what pruning or a normalisation computes of parameters before each forward pass."""
    return f"{name}_orig" in parameters or {f"{name}_g", f"{name}_v"} <= parameters.keys()


@lru_cache(maxsize=1)
def _internal(module: Foreign) -> frozenset[str]:
    """Return the names of what every module has: the flag, the hooks, and the tables of its parts."""
    return frozenset(vars(module()))

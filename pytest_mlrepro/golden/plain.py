"""A stored value as plain Python: dicts, numpy arrays and scalars."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..values.node import Array, Group, Node

__all__ = ["plain"]


def plain(node: Node) -> Any:
    """Return mappings as dicts with text keys, arrays as numpy arrays (flat shape as stored), and scalars as they are."""
    if isinstance(node, Group):
        return {str(label): plain(child) for label, child in node.children}
    if isinstance(node, Array):
        return np.array(node.data.read(0, node.data.size)).reshape(node.shape)
    return node.value

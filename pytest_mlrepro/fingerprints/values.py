"""Any value as its fingerprint: plain ones at once, all others as the tree that `values.describe` makes of them."""

from __future__ import annotations

from ..values.describe import describe
from ..values.node import Node
from .digest import Fingerprint
from .nodes import encode_node, finished
from .plain import NotPlain, fingerprint_plain

__all__ = ["fingerprint", "fingerprint_node"]


def fingerprint(value: object) -> Fingerprint:
    """Return the fingerprint of any value that `describe` covers; raises FingerprintError for others.

    Equal content gives equal digests whatever the layout, chunking, process, machine or library version.
    """
    try:
        return fingerprint_plain(value)
    except NotPlain:
        return fingerprint_node(describe(value))


def fingerprint_node(node: Node) -> Fingerprint:
    """Return the fingerprint of a described value, reading every array once, in pieces of 4 MiB."""
    return finished(encode_node(node), node.kind)

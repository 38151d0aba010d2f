"""Code objects as digests, for functions that have no source: the same only within one version of Python."""

from __future__ import annotations

import struct
from types import CodeType
from typing import Any, Final

from blake3 import blake3

from ...values.syntax import scalar_bytes

__all__ = ["bytecode_digest"]

_pack_size: Final = struct.Struct("<Q").pack


def bytecode_digest(code: CodeType) -> str:
    """Return the digest, as hexadecimal text, of what a code object does; names of files and lines don't count."""
    return blake3(b"mlrepro1B" + _encoded(code)).hexdigest()


def _encoded(value: Any) -> bytes:
    if isinstance(value, CodeType):
        names = (value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars)
        counts = (value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount, value.co_flags)
        parts = (value.co_name, value.co_code, value.co_exceptiontable, counts, *names, value.co_consts)
        return b"C" + b"".join(map(_encoded, parts))
    if isinstance(value, tuple):
        return b"T" + _pack_size(len(value)) + b"".join(map(_encoded, value))
    if isinstance(value, frozenset):
        return b"F" + _pack_size(len(value)) + b"".join(sorted(map(_encoded, value)))
    return scalar_bytes(value)

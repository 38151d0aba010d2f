"""The members of zip files, `.npz` and torch's `.pt`, by their stored bytes: nothing is ever decompressed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from ...values.paths import label_text
from .parts import Layout, Part, Reader
from .pieces import entry_name
from .torch_names import storage_names

__all__ = ["zip_layout"]

_MOST_DIRECTORY: Final = 8 * 2**20
_MOST_PICKLE: Final = 8 * 2**20
_TAIL: Final = 22 + 65535
_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_METHODS: Final = {0: "stored", 8: "deflated", 12: "bzip2", 14: "lzma", 93: "zstd"}


class _Member(NamedTuple):
    name: str
    method: int
    start: int
    stop: int


def zip_layout(reader: Reader) -> Layout | None:
    """Return the members that the central directory lists; raises ValueError or struct.error if it is broken."""
    members = list(_members(reader))
    if _root(members):
        return _torch(reader, members)
    if all(member.name.endswith(".npy") for member in members):
        return Layout(
            "npz", tuple(_part(label_text(member.name.removesuffix(".npy")), "array", member) for member in members)
        )
    return Layout("zip", tuple(_part(entry_name(member.name), "member", member) for member in members))


def _part(name: str, kind: str, member: _Member) -> Part:
    return Part(name, kind, _METHODS.get(member.method, f"method {member.method}"), member.start, member.stop)


def _torch(reader: Reader, members: list[_Member]) -> Layout:
    """Storages under the names of the tensors that lie in them, as far as the pickle beside them tells."""
    below = {member.name.partition("/")[2]: member for member in members}
    pickle = below["data.pkl"]
    names = {}
    if pickle.method == 0 and pickle.stop - pickle.start <= _MOST_PICKLE:
        names = storage_names(reader.read(pickle.start, pickle.stop - pickle.start))
    parts = []
    for name, member in below.items():
        key = name.removeprefix("data/")
        if name == ".data/serialization_id":
            continue  # a hash over the others: it would be named with whichever of them changed
        if key != name and key in names:
            parts.append(_part(names[key], "tensor", member))
        else:
            parts.append(_part(entry_name(name), "member", member))
    return Layout("torch", tuple(sorted(parts, key=lambda part: part.name)))


def _root(members: list[_Member]) -> bool:
    """Tell whether this is what `torch.save` writes: all in one folder, with a pickle and a version."""
    names = {member.name for member in members}
    root = members[0].name.partition("/")[0] if members else ""
    inside = all(name.startswith(f"{root}/") for name in names) and len(names) == len(members)
    return inside and {f"{root}/data.pkl", f"{root}/version"} <= names


def _members(reader: Reader) -> Iterator[_Member]:
    at, size, count = _directory(reader)
    directory = reader.read(at, size)
    if size > _MOST_DIRECTORY or len(directory) != size or count * _ENTRY.size > size:
        raise ValueError("the directory is longer than it may be")
    at = 0
    for _ in range(count):
        signature, *_rest = fields = _ENTRY.unpack_from(directory, at)
        if signature != b"PK\x01\x02":
            raise ValueError("no entry where one should be")
        name_size, extra_size, comment_size = fields[10:13]
        at += _ENTRY.size
        raw = directory[at : at + name_size]
        extra = directory[at + name_size : at + name_size + extra_size]
        at += name_size + extra_size + comment_size
        packed, offset = _wide(extra, fields[8], fields[9], fields[16])
        name = raw.decode("utf-8" if fields[3] & 0x800 else "cp437")
        yield _member(reader, name, fields[4], offset, packed)


def _member(reader: Reader, name: str, method: int, offset: int, packed: int) -> _Member:
    local = _LOCAL.unpack(reader.read(offset, _LOCAL.size))
    if local[0] != b"PK\x03\x04":
        raise ValueError("no member where one should be")
    start = offset + _LOCAL.size + local[9] + local[10]
    return _Member(name, method, start, start + packed)


def _directory(reader: Reader) -> tuple[int, int, int]:
    """Return offset, size and number of entries of the central directory."""
    tail_at = max(0, reader.size - _TAIL)
    tail = reader.read(tail_at, _TAIL)
    found = tail.rfind(b"PK\x05\x06")
    if found < 0:
        raise ValueError("no end of a directory")
    _, _, _, _, count, size, offset, _ = _END.unpack_from(tail, found)
    if found >= 20 and tail[found - 20 : found - 16] == b"PK\x06\x07":
        (end64,) = struct.unpack_from("<Q", tail, found - 12)
        fields = _END64.unpack(reader.read(end64, _END64.size))
        if fields[0] != b"PK\x06\x06":
            raise ValueError("no end of a large directory")
        count, size, offset = fields[7:10]
    return offset, size, count


def _wide(extra: bytes, packed: int, plain: int, offset: int) -> tuple[int, int]:
    """Return packed size and offset, from the zip64 field where they need more than 32 bits."""
    if 0xFFFFFFFF not in (packed, plain, offset):
        return packed, offset
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        if tag == 1:
            numbers = iter(struct.unpack_from(f"<{length // 8}Q", extra, at + 4))
            if plain == 0xFFFFFFFF:
                next(numbers)
            packed = next(numbers) if packed == 0xFFFFFFFF else packed
            return packed, next(numbers) if offset == 0xFFFFFFFF else offset
        at += 4 + length
    raise ValueError("a large member without its size")

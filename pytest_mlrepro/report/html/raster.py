"""Small pictures as PNG: gray, in colours of a scale, or RGB; drawn large by the page, each element a square."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Final

from ..._json import Json

__all__ = ["RAMP", "halved", "png"]

RAMP: Final = ((15, 18, 55), (59, 66, 137), (33, 144, 141), (93, 201, 99), (253, 231, 37))
"""From no difference to the greatest; as bright as they are far along, so that they order without colours too."""
SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


def png(picture: Json, *, scale: bool = False) -> str:
    """Return a picture of `detail.small.gray` as the address of an image that holds itself.

    scale: whether gray levels stand for sizes, and are shown in the colours of the scale.
    """
    width, height, channels = picture["width"], picture["height"], picture["channels"]
    pixels = base64.b64decode(picture["pixels"])
    if len(pixels) != width * height * channels or channels not in (1, 3):
        raise ValueError("a picture of the record is damaged")
    row = width * channels
    lines = b"".join(b"\0" + pixels[at * row : (at + 1) * row] for at in range(height))
    colours = 3 if scale else 2 if channels == 3 else 0
    chunks = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)),
        _chunk(b"PLTE", _palette()) if scale else b"",
        _chunk(b"IDAT", zlib.compress(lines, 9)),
        _chunk(b"IEND", b""),
    ]
    return "data:image/png;base64," + base64.b64encode(SIGNATURE + b"".join(chunks)).decode("ascii")


def halved(picture: Json) -> Json:
    """Return a picture with every second element along each side, where there is no room for all."""
    width, height, channels = picture["width"], picture["height"], picture["channels"]
    pixels = base64.b64decode(picture["pixels"])
    rows = [pixels[at * width * channels : (at + 1) * width * channels] for at in range(0, height, 2)]
    kept = b"".join(row[at * channels : (at + 1) * channels] for row in rows for at in range(0, width, 2))
    small = base64.b64encode(kept).decode("ascii")
    return {"width": -(-width // 2), "height": -(-height // 2), "channels": channels, "pixels": small}


def _palette() -> bytes:
    """Return the colours of 256 levels."""
    found = bytearray()
    for level in range(256):
        place = level / 255 * (len(RAMP) - 1)
        at = min(int(place), len(RAMP) - 2)
        part = place - at
        found += bytes(round(a + (b - a) * part) for a, b in zip(RAMP[at], RAMP[at + 1], strict=True))
    return bytes(found)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

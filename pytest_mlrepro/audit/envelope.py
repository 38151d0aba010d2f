"""DSSE envelopes: what is signed, and by which keys. https://github.com/secure-systems-lab/dsse

securesystemslib signs and verifies; that an envelope has one spelling only is ours, so that each changed byte of it shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .. import _lazy
from .._json import Json, json_text
from ..errors import GoldenError
from .keys import public_key
from .statement import MEDIA_TYPE

__all__ = ["FILE", "is_envelope", "opened", "sealed"]

FILE = "mlrepro.dsse.json"
"""Where the signature of a store lies, in the root directory."""
SHORT = 12
"""Hexadecimal digits of a key's id that people are shown."""


def sealed(payload: bytes, signer: Any) -> tuple[str, str]:
    """Return the text of an envelope around `payload`, and the id of the key that signed it; `signer` is a `private_key`."""
    envelope = _dsse().Envelope(payload, MEDIA_TYPE, {})
    signature = envelope.sign(signer)
    return json_text(envelope.to_dict()), str(signature.keyid)[:SHORT]


def is_envelope(text: str) -> bool:
    """Tell whether a text looks like an envelope, whole or not."""
    return '"payloadType"' in text


def opened(text: str, key: Path, place: str) -> tuple[bytes, str]:
    """Return the payload that the public key in the file `key` vouches for, and the key's id.

    Raises GoldenError with the one reason why it doesn't: damage, no signature, another key, or a signature that doesn't fit.
    """
    envelope, known = _parsed(text, place), public_key(key)
    signers = sorted(envelope.signatures)
    if not signers:
        raise GoldenError(f"{place} is unsigned: it is an envelope without a signature")
    if known.keyid not in signers:
        by = ", ".join(signer[:SHORT] for signer in signers)
        raise GoldenError(
            f"{place} is signed by the key {by}, and {key} is the key {known.keyid[:SHORT]}: somebody else signed it, "
            "or this is the wrong key"
        )
    errors = _lazy.require("securesystemslib.exceptions", extra="audit")
    try:
        envelope.verify([known], 1)
    except errors.VerificationError:
        raise GoldenError(
            f"{place}: the signature of the key {known.keyid[:SHORT]} does not fit the content: "
            "one of them was changed after signing"
        ) from None
    if envelope.payload_type != MEDIA_TYPE:
        raise GoldenError(f"{place} is signed, and holds no in-toto statement: it is {envelope.payload_type!r}")
    return bytes(envelope.payload), str(known.keyid)[:SHORT]


def _parsed(text: str, place: str) -> Any:
    try:
        data: Json = json.loads(text)
        envelope = _dsse().Envelope.from_dict(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise GoldenError(f"{place} is damaged: it is no DSSE envelope ({type(error).__name__}: {error})") from None
    except _lazy.require("securesystemslib.exceptions", extra="audit").Error as error:
        raise GoldenError(f"{place} is damaged: it is no DSSE envelope ({error})") from None
    if json_text(envelope.to_dict()) != text.replace("\r\n", "\n"):
        raise GoldenError(f"{place} was edited or is damaged: it is not as  mlrepro sign  writes it")
    return envelope


def _dsse() -> Any:
    _lazy.require("cryptography", extra="audit")  # without it the library would take a slow verifier of its own
    return _lazy.require("securesystemslib.dsse", extra="audit")

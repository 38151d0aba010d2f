"""Keys in files: PEM as openssl makes them, or those of ssh-keygen; Ed25519, ECDSA on the NIST curves, RSA."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .. import _lazy
from ..errors import UsageError

__all__ = ["PASSWORD", "private_key", "public_key"]

PASSWORD = "MLREPRO_KEY_PASSWORD"  # noqa: S105  # the name of the variable
SMALLEST_RSA = 2048
NEW = "openssl genpkey -algorithm ed25519 -out KEY.pem"
PUBLIC = "openssl pkey -in KEY.pem -pubout -out KEY.pub"


def private_key(path: Path) -> Any:
    """Return a signer of securesystemslib; UsageError for a file that is no private key, or lacks its password."""
    data = _read(path, "--key", f"make one with  {NEW}")
    if b"PRIVATE KEY-----" not in data:
        what = "a public key" if _is_public(data) else "no private key in PEM or OpenSSH form"
        raise UsageError(f"--key {path} is {what}, and signing takes the private one: make one with  {NEW}")
    forms, signer = _forms(), _lazy.require("securesystemslib.signer", extra="audit")
    load = forms.load_ssh_private_key if b"OPENSSH" in data else forms.load_pem_private_key
    password = os.environ.get(PASSWORD)
    try:
        key = load(data, None if password is None else password.encode())
    except TypeError as error:  # what cryptography raises for a password that is missing, or given without need
        raise UsageError(f"--key {path}: {error}. The password is read from the variable {PASSWORD}") from None
    except Exception as error:  # noqa: BLE001  # a wrong password and a damaged key raise many types
        raise UsageError(f"--key {path} can't be read: {_text(error)}. Is {PASSWORD} right?") from None
    _known(path, key.public_key())
    try:
        return signer.CryptoSigner(key)
    except ValueError as error:
        raise _unusable(path, error) from None


def public_key(path: Path) -> Any:
    """Return a key of securesystemslib; UsageError for a file that is no public key."""
    data = _read(path, "--key", f"the public key of a private one comes from  {PUBLIC}")
    if b"PRIVATE KEY-----" in data:
        raise UsageError(f"--key {path} is a private key, and verifying takes the public one:  {PUBLIC}")
    if not _is_public(data):
        raise UsageError(f"--key {path} is no public key in PEM or OpenSSH form: get it with  {PUBLIC}")
    forms = _forms()
    try:
        key = (forms.load_pem_public_key if b"-----BEGIN" in data else forms.load_ssh_public_key)(data)
    except Exception as error:  # noqa: BLE001  # a damaged key raises many types
        raise UsageError(f"--key {path} can't be read as a public key: {_text(error)}") from None
    return _known(path, key)


def _known(path: Path, key: Any) -> Any:
    """Return a public key as securesystemslib has it; UsageError for a kind that it can't use, or a weak one."""
    _lazy.require("cryptography", extra="audit")
    signer = _lazy.require("securesystemslib.signer", extra="audit")
    try:
        known = signer.SSlibKey.from_crypto(key)
    except ValueError as error:
        raise _unusable(path, error) from None
    if known.keytype == "rsa" and key.key_size < SMALLEST_RSA:
        raise UsageError(f"--key {path} is an RSA key of {key.key_size} bits, at least {SMALLEST_RSA} are needed")
    return known


def _unusable(path: Path, error: ValueError) -> UsageError:
    return UsageError(f"--key {path} is of a kind that can't sign here: {error}. Make one with  {NEW}")


def _forms() -> Any:
    return _lazy.require("cryptography.hazmat.primitives.serialization", extra="audit")


def _is_public(data: bytes) -> bool:
    return b"PUBLIC KEY-----" in data or data.startswith((b"ssh-", b"ecdsa-"))


def _read(path: Path, option: str, advice: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{option} {path} can't be read: {error.strerror or error}; {advice}") from None


def _text(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

"""Addresses of stores as people may see them: without the passwords, keys and signatures that some of them carry."""

from __future__ import annotations

import os
import re
from typing import Final

__all__ = ["is_address", "scrubbed", "shown"]

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::|://)")
"""Two letters at least: `C:\\` is a folder."""
_USER: Final = re.compile(r"(?<=://)[^/\s@]*@")
_QUERY: Final = re.compile(r"(://[^\s?'\"]*)\?[^\s'\"]*")
_SECRET: Final = re.compile(r"SECRET|TOKEN|PASSW|CREDENTIAL|ACCESS_KEY|ACCOUNT_KEY|API_?KEY|CONNECTION_STRING", re.I)
_SHORTEST: Final = 6
"""Characters of a secret that is looked for: shorter ones are in too many words."""


def is_address(store: str) -> bool:
    """Tell whether this is an address for fsspec, and not a folder."""
    return _ADDRESS.match(store) is not None


def shown(address: str) -> str:
    """Return an address without user, password and query."""
    return _QUERY.sub(r"\1?…", _USER.sub("…@", address))


def scrubbed(text: str) -> str:
    """Return what a library said, without what may let somebody in.

    Cut are users and queries of addresses in it, and the values of environment variables that are called like secrets.
    """
    secrets = {value for name, value in os.environ.items() if _SECRET.search(name) and len(value) >= _SHORTEST}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return " ".join(shown(text).split())

"""What is said of objects that are missing or damaged: which, where, and the next command."""

from __future__ import annotations

from .._json import Json
from .stores import Store, object_name

__all__ = ["altered", "amount", "gone", "needed"]


def amount(size: int) -> str:
    """Return a number of bytes for a person."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def needed(entry: Json) -> str:
    """Return what is needed and not here, and how it comes here."""
    return (
        f"The golden needs {entry['file']} ({amount(entry['size'])}), and this checkout has no copy.\n"
        "Where the store can be reached, bring it here with  mlrepro fetch"
    )


def gone(entry: Json, store: Store, said: str) -> str:
    """Return that an object is not in its store, and what may be done."""
    return (
        f"{said}. The golden needs it ({amount(entry['size'])}), and this checkout has no copy.\n"
        f"Either it never got there (it was recorded with another mlrepro_store?), or it was removed from {store.shown}: "
        "a checkout that has a copy puts it back with  mlrepro push , or record the test again"
    )


def altered(entry: Json, store: Store) -> str:
    """Return that an object is not what was recorded, and what may be done."""
    return (
        f"{object_name(entry['blake3'])} at {store.shown} does not hold what was recorded: its bytes have another digest, and are "
        "not used.\nA checkout that has a copy puts it back with  mlrepro push , or record the test again"
    )

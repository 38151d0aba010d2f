"""The interpreter and what the process took over from its surroundings: encoding, locale, time zone, rounding of tiny numbers."""

from __future__ import annotations

import codecs
import locale
import os
import platform
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from .facts import Fact, ask

__all__ = ["interpreter_facts"]

_CATEGORIES: Final = ("LC_NUMERIC", "LC_COLLATE", "LC_TIME")
"""What number parsers in C, `locale.strxfrm` and `strptime` look at."""
_YEARS: Final = range(1990, 2038)


def interpreter_facts() -> Iterator[Fact]:
    """Yield what is known of the interpreter; what a program can change while it runs is asked anew each time."""
    yield Fact("Python", _python())
    yield Fact("Python compiler", ask(platform.python_compiler))
    yield Fact("assert statements", "removed by -O" if sys.flags.optimize else "kept")
    yield Fact("text encoding", ask(_encoding))
    yield Fact("locale", ask(_locale))
    yield _time_zone()
    yield Fact("subnormal floats", "kept" if _keeps_subnormals() else "flushed to zero")


@cache
def _python() -> str:
    free = not getattr(sys, "_is_gil_enabled", lambda: True)()
    return f"{platform.python_implementation()} {platform.python_version()}{', free-threaded' if free else ''}"


def _encoding() -> str:
    """The encoding of text files that are opened without one."""
    return codecs.lookup(locale.getpreferredencoding(False)).name


def _locale() -> str:
    """What `setlocale` chose: a variable such as LANG alone changes nothing."""
    return ", ".join(f"{name} {locale.setlocale(getattr(locale, name))}" for name in _CATEGORIES)


def _keeps_subnormals() -> bool:
    """A library built with -ffast-math makes the processor flush them, for all code of the thread that loaded it."""
    least = sys.float_info.min
    return least / len("xx") > 0.0  # a division that isn't done when the module is compiled


def _time_zone() -> Fact:
    """Zones are the same if they shift times alike, whatever their name: UTC, Etc/UTC and Zulu are one."""
    return Fact("time zone", ask(_zone_name), value=ask(lambda: _offsets(_zone_setting())))


def _zone_setting() -> str:
    return f"{os.environ.get('TZ')} {time.timezone} {time.altzone}"


@cache
def _offsets(setting: str) -> str:
    """Return the offsets from UTC, in seconds, of each January and July; `setting` is what they depend on."""
    moments = (int((year - 1970) * 31556952 + half * 15778476) for year in _YEARS for half in (0, 1))
    offsets = [time.localtime(moment).tm_gmtoff for moment in moments]
    starts = [at for at in range(len(offsets)) if not at or offsets[at] != offsets[at - 1]]
    return " ".join(f"{at}:{offsets[at]}" for at in starts)


def _zone_name() -> str:
    if named := os.environ.get("TZ", "").lstrip(":"):
        return named
    place = str(Path("/etc/localtime").resolve())
    _, found, name = place.partition("zoneinfo/")
    return name if found else time.tzname[0]

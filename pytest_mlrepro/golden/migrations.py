"""Goldens of an older schema, brought to the present one: the same values, digests and history, in the form of today.

Schema 1 is the first that was ever released, and both schemas of today are read as they are, so that no upgrade is known
yet. The next change of the form adds its own here, beside a store of the old one that is kept in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from .._json import Json
from ..errors import GoldenError
from . import history
from .files import read_whole, sync_folder, write_whole
from .record import FILE, OLDEST, dumps, golden_of, sealed

__all__ = ["UPGRADES", "Upgrade", "migrate", "schema_of"]

Upgrade: TypeAlias = Callable[[Json], Json]
"""Takes the parsed `golden.json` of one schema and returns that of a later one, with its number in `schema`."""
UPGRADES: Final[Mapping[int, Upgrade]] = {}
"""By the schema that each starts from."""


def schema_of(folder: Path) -> int:
    """Return the schema of the golden in a folder; GoldenError if it isn't whole, or of a version that isn't known yet."""
    return int(_read(folder)["schema"])


def migrate(folder: Path, root: Path, upgrades: Mapping[int, Upgrade] = UPGRADES) -> tuple[int, int] | None:
    """Bring the golden in a folder to the present schema, with an entry in its history; None if it is there already.

    Returns the old and the new number. Raises GoldenError for a golden that isn't whole, and for a schema that no upgrade
    starts from. The history is written first, as with every change: a crash leaves the old golden or the new one.
    """
    data = _read(folder)
    old_schema, old_seal = int(data["schema"]), str(data["seal"])
    if old_schema >= OLDEST:
        return None
    while data["schema"] < OLDEST:
        upgrade = upgrades.get(data["schema"])
        if upgrade is None:
            raise GoldenError(
                f"{folder / FILE} has schema {data['schema']}, from which this version knows no way to a later one"
            )
        before = data["schema"]
        data = upgrade(data)
        assert data["schema"] > before  # an upgrade that stands still would never end
    golden = golden_of(data)
    text, seal = dumps(golden)
    reason = f"schema {old_schema} brought to {data['schema']}, the same values"
    history.append(folder, action="migrate", reason=reason, change=None, old=old_seal, new=seal, root=root)
    write_whole(folder / FILE, text)
    sync_folder(folder)
    return old_schema, int(data["schema"])


def _read(folder: Path) -> Json:
    path = folder / FILE
    try:
        return sealed(read_whole(path).decode("utf-8"), path)
    except OSError as error:
        raise GoldenError(f"can't read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise GoldenError(f"{path} is not UTF-8: {error.reason}. Put it back from version control") from None

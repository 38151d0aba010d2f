"""One thing that is wrong with a table: what, where, how often, in words that a person can act on."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """What a check of data found.

    Attributes:
        kind: The fault's name, such as `"nulls"` or `"overlap"`; stable, for scripts.
        columns: The columns it concerns; empty for the table as a whole.
        count: How many rows (or columns, or groups) it concerns: exact, never an estimate.
        rows: Positions of the first of them, counted from 0 in the order of the frame; at most ten, and
            empty where the engine has no order of rows.
        words: One sentence: what was found and what was expected.
        hint: What to do about it, if more is to be said than `words` says.
    """

    kind: str
    columns: tuple[str, ...]
    count: int
    rows: tuple[int, ...] = ()
    words: str = ""
    hint: str = field(default="", compare=False)

"""How much later pytest starts with a plugin that nothing uses: one test, the whole process."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from measuring import Sample, interleaved, pytest_process
from plugins import PEERS, PLUGINS
from showing import Row, Target, show


def measure(*, quick: bool) -> list[Row]:
    """Print and return how much each plugin adds to the start of pytest."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "test_one.py").write_text("def test_one():\n    pass\n")
        cost = interleaved(
            {name: partial(pytest_process, folder, plugins=plugins) for name, plugins in PLUGINS.items()},
            rounds=2 if quick else 21,
        )
    bare = cost["bare"]
    ours = cost["mlrepro"] - bare
    target = Target(15, by="cpu")
    first = Row("plugin unused, one test", ours, "bare pytest, whole", bare, unit="ms", target=target)
    rows = [first, *(Row("the same", ours, name, cost[name] - bare, unit="ms") for name in PEERS)]
    return show("Start of pytest, above bare pytest", rows, _note(bare))


def _note(bare: Sample) -> str:
    return f"Medians of whole processes; bare pytest takes {bare.wall * 1e3:.0f} ms."

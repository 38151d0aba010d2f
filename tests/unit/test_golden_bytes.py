"""Bytes of stores are changed in turn (each one of a small store), and each change is found, but for what is free on purpose.

Free are `timings.json`, which no digest covers, and in the text of a contract what a reader of TOML doesn't see.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_mlrepro.golden import store
from pytest_mlrepro.golden.timings import TIMINGS
from tests.plugin.project import Project

COMPAT = Path(__file__).parent.parent / "compat"
FLIPS: dict[str, Callable[[int], int]] = {
    "lowest bit": lambda byte: byte ^ 1,
    "case": lambda byte: byte ^ 0x20,
    "highest bit": lambda byte: byte ^ 0x80,
    "a newline": lambda byte: 0x0A,
    "a space": lambda byte: 0x20,
}
CONTRACT = """
import numpy as np
import pandas as pd

def test_data(contract, golden):
    frame = pd.DataFrame({"size": np.arange(40) / 7, "kind": ["a", "b"] * 20})
    contract.check(frame, "train", slack=0.0)
    golden.check(frame["size"].to_numpy()[:3], "first")
"""


@pytest.fixture
def contracted(pytester: pytest.Pytester) -> Project:
    for library in ("pandas", "narwhals", "tomlkit"):
        pytest.importorskip(library)
    return Project(pytester)


def unfound(folder: Path, flip: str, *, step: int = 1) -> Iterator[tuple[str, int]]:
    """Yield file and place of each byte whose change `verify` doesn't find; of every `step`-th one to save time."""
    assert store.problems(folder) == []
    for path in sorted(path for path in folder.iterdir() if path.name != TIMINGS):
        data = path.read_bytes()
        for place, byte in [*enumerate(data)][::step]:
            changed = FLIPS[flip](byte)
            if changed == byte:
                continue
            path.write_bytes(data[:place] + bytes([changed]) + data[place + 1 :])
            if not store.problems(folder):
                yield path.name, place
        path.write_bytes(data)
    assert store.problems(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize(("flip", "step"), [("lowest bit", 9), ("case", 13), ("highest bit", 11), ("a newline", 17)])
def test_changed_bytes_all_over_a_golden_with_steps_are_found(tmp_path: Path, flip: str, step: int) -> None:
    (kept,) = (path.parent for path in (COMPAT / "golden-2").rglob("golden.json"))
    folder = tmp_path / kept.name
    shutil.copytree(kept, folder)
    assert {path.name.partition("-")[0] for path in folder.iterdir()} >= {"provenance", "steps", "history.jsonl"}
    assert list(unfound(folder, flip, step=step)) == []


@pytest.mark.slow
@pytest.mark.parametrize(("flip", "step"), [("lowest bit", 1), ("a space", 3), ("highest bit", 7), ("a newline", 5)])
def test_in_the_text_of_a_contract_only_comments_and_spaces_are_free(contracted: Project, flip: str, step: int) -> None:
    project = contracted
    project.write(CONTRACT, "test_data.py")
    project.record()
    folder = project.golden().parent
    (contract,) = folder.glob("*.toml")
    text = contract.read_text("utf-8")
    inside = [place for found in re.finditer(r"^#.*$", text, re.MULTILINE) for place in range(*found.span())]
    free = {*inside, *(place for place, char in enumerate(text) if char in " \n")}
    free |= {found.end() - 1 for found in re.finditer(r"\.\d*?0+\b", text)}  # 1.50 is 1.5
    for name, place in unfound(folder, flip, step=step):
        assert name == contract.name, f"{name}, byte {place}"
        assert place in free, f"{name}, byte {place}: {text[place - 20 : place]}→{text[place : place + 20]}"


def test_the_text_of_a_contract_is_told_damaged_edited_or_gone(contracted: Project) -> None:
    project = contracted
    project.write(CONTRACT, "test_data.py")
    project.record()
    folder = project.golden().parent
    (contract,) = folder.glob("*.toml")
    text = contract.read_text("utf-8")
    for changed, words in (
        (f"# ours\n\n{text}", None),
        (text.replace("\n", "\r\n"), None),
        (text.replace("version = 1", "version = true"), "was edited since it was accepted"),
        (text.replace("version = 1", "version = 1.0"), "was edited since it was accepted"),
        (text.replace("size", "Size"), "was edited since it was accepted"),
        (f"{text}\n[x", "is no TOML"),
        ("a = " + "[" * 100_000, "is no TOML"),
    ):
        contract.write_bytes(changed.encode())
        assert [words in problem for problem in store.problems(folder)] == ([True] if words else []), changed[:80]
    contract.write_bytes(b"\xff")
    assert ["can't be read" in problem for problem in store.problems(folder)] == [True]
    contract.unlink()
    assert ["is gone" in problem for problem in store.problems(folder)] == [True]


def test_a_date_that_became_a_text_is_an_edit(contracted: Project) -> None:
    project = contracted
    project.write(
        CONTRACT.replace('"kind":', '"day": pd.date_range("2020-01-01", periods=40), "kind":'), "test_data.py"
    )
    project.record()
    folder = project.golden().parent
    (contract,) = folder.glob("*.toml")
    text = contract.read_text("utf-8")
    changed = re.sub(r"^min = (2020-\S+)T(\S+)$", r'min = "\1 \2"', text, flags=re.MULTILINE)
    assert changed != text
    contract.write_text(changed, "utf-8")
    assert ["was edited since it was accepted" in problem for problem in store.problems(folder)] == [True]

"""Frozen facts that several rooms speak of: who is tested, in which mode, and what came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

__all__ = ["Check", "Mode", "Outcome", "Settings", "TestId"]

Mode: TypeAlias = Literal["check", "record", "update"]
Outcome: TypeAlias = Literal["passed", "failed", "missing", "unused", "recorded", "updated"]


@dataclass(frozen=True, slots=True)
class TestId:
    """Which test: its file, and its name inside the file as pytest prints it (`TestModel::test_loss[cpu]`)."""

    __test__ = False  # the name looks like a test class to pytest

    file: Path
    name: str

    def __str__(self) -> str:
        return f"{self.file.name}::{self.name}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run was asked to do."""

    root: Path
    mode: Mode
    reason: str | None
    golden_dir: str
    """Name of the folder beside each test file, or (with a slash) one folder below the root for all of them."""
    ci: bool
    track_files: bool = True
    """Whether files that a test with a golden opens are noted."""
    data_dirs: tuple[Path, ...] = ()
    """Folders outside of the root directory whose files count as data."""
    variants: tuple[str, ...] = ()
    """What results may depend on, so that goldens of one device or library stand beside those for all; in order."""
    variant: tuple[str, ...] | None = None
    """The keys of the variant that this run reads and writes, and no other; None for the most specific that fits."""
    store: str = field(default="", repr=False)
    """Folder or address of large arrays; "" where all lie with their goldens. An address may hold a password."""
    store_limit: int = 2**20
    """Bytes above which an array is a large one."""


@dataclass(frozen=True, slots=True)
class Check:
    """What became of one golden check; the name is empty for the unnamed one."""

    name: str
    outcome: Outcome

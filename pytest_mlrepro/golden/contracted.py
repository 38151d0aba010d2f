"""The rule of `contract.check`: a table keeps its contract, whose text is what is recorded, and nobody changed that silently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .._json import Json
from ..contracts.contract import Contract
from ..errors import GoldenError
from ..values.node import Node, Scalar
from .layout import contract_file
from .record import CONTRACT, Recorded
from .rules import Judgement

__all__ = ["Contracted", "edits", "is_contract", "recorded_text", "text_on_disk"]


def is_contract(recorded: Recorded) -> bool:
    """Tell whether a check was recorded by `contract.check`."""
    return CONTRACT in recorded.tolerance


def recorded_text(recorded: Recorded, folder: Path) -> str:
    """Return the contract's text as it was accepted; GoldenError for another check."""
    node = recorded.node(folder)
    if not is_contract(recorded) or not isinstance(node, Scalar) or not isinstance(node.value, str):
        raise GoldenError("the recorded value is no contract")
    return node.value


def text_on_disk(key: str, recorded: Recorded, folder: Path) -> str:
    """Return the text as a person may have edited it; where its file is gone, as it was accepted."""
    try:
        return (folder / contract_file(key)).read_text("utf-8")
    except FileNotFoundError:
        return recorded_text(recorded, folder)
    except (OSError, ValueError) as error:
        raise GoldenError(f"{folder / contract_file(key)} can't be read: {error}") from None


@dataclass(frozen=True, slots=True)
class Contracted:
    """Held to a contract: `broken` is what a table does not keep, in words."""

    key: str
    broken: str = ""

    @property
    def json(self) -> Mapping[str, Json]:
        """Return what marks the check."""
        return {CONTRACT: 1}

    def begin(self, node: Node) -> None:
        """Nothing to look at: any contract may be recorded."""

    def same(self, node: Node) -> str:
        """Return nothing."""
        return ""

    def judge(self, recorded: Recorded, folder: Path, node: Node) -> Judgement:
        """Tell what is broken, or what was edited; `node` is the text that would be recorded."""
        if not is_contract(recorded):
            return Judgement("recorded by another check, and a contract now", "the recorded value is no contract.")
        if self.broken:
            headline, _, details = self.broken.partition("\n")
            return Judgement(headline, details, concludes=True)
        assert isinstance(node, Scalar)
        found = list(edits(recorded_text(recorded, folder), str(node.value)))
        if not found:
            return Judgement()  # comments alone
        headline = f"the contract {self.key!r} was edited since it was accepted: {found[0]}"
        return Judgement(headline, "\n".join(f"  {edit}" for edit in found[:20]), concludes=True)


def edits(old: str, new: str) -> Iterator[str]:
    """Yield the fields in which one contract's text says something else than another's."""
    yield from _edits(Contract.read(f"{old}\n"), Contract.read(f"{new}\n"))


def _edits(old: Contract, new: Contract) -> Iterator[str]:
    yield from _fields("", old, new)
    before, after = ({own.name: own for own in contract.columns} for contract in (old, new))
    for name in [*before, *(name for name in after if name not in before)]:
        if name not in after:
            yield f"columns.{name} was taken out"
        elif name not in before:
            yield f"columns.{name} is new"
        else:
            yield from _fields(f"columns.{name}.", before[name], after[name])


def _fields(where: str, old: Any, new: Any) -> Iterator[str]:
    for field in fields(old):
        one, two = getattr(old, field.name), getattr(new, field.name)
        if field.name not in ("columns", "name") and one != two:
            yield f"{where}{field.name}: {_shown(one)} → {_shown(two)}"


def _shown(value: Any) -> str:
    text = (
        "not checked" if value is None or value == () else str(list(value)) if isinstance(value, tuple) else str(value)
    )
    return text if len(text) <= 60 else f"{text[:59]}…"

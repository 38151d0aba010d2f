"""RO-Crate metadata: what each file of a bundle is, who changed which golden when and why. https://w3id.org/ro/crate/1.1"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from .. import _lazy
from .._json import json_text
from ..golden.history import Entry
from .facts import made
from .names import hexadecimal
from .stock import Holding

__all__ = ["METADATA", "crate_text"]

METADATA = "ro-crate-metadata.json"
KINDS = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".npy": "application/octet-stream",
    ".mmd": "text/vnd.mermaid",
    ".toml": "application/toml",
    ".csv": "text/csv",
    ".py": "text/x-python",
}


def crate_text(held: list[Holding], root: Path, files: dict[str, int], data: dict[str, str]) -> str:
    """Return the metadata of a bundle.

    files: path in the bundle and size in bytes of each file. data: path in the bundle of each data file that is in it, by
    its name in the provenance.
    """
    crate = _lazy.require("rocrate.rocrate", extra="audit").ROCrate(version="1.1")
    models = _lazy.require("rocrate.model", extra="audit")
    writer = _Writer(crate, models, files)
    for one in held:
        used = [data[thing.name] for thing in made(one, root).data if thing.name in data]
        writer.golden(one, sorted({*used}))
    writer.rest()
    crate.name = "Golden runs"
    crate.description = (
        "What tests of a machine-learning project recorded, what it was made from, and every change with its reason."
    )
    crate.license = "Not stated: ask the owners of the project"
    crate.root_dataset["datePublished"] = max(str(one.entries[-1]["time"]) for one in held)
    return json_text(crate.metadata.generate())


class _Writer:
    """Adds entities; files are described, and not touched."""

    def __init__(self, crate: Any, models: Any, files: dict[str, int]) -> None:
        self.crate, self.models, self.files = crate, models, files
        self._known: dict[str, Any] = {}

    def golden(self, one: Holding, used: list[str]) -> None:
        """Add a golden's folder with its files, and an action for each change."""
        folder = f"records/{one.folder}.golden/"
        parts = [self._file(path) for path in self.files if path.startswith(folder)]
        dataset = self.crate.add(
            self.models.dataset.Dataset(
                self.crate, dest_path=folder, properties={"name": one.test, "identifier": one.golden.seal}
            )
        )
        dataset["hasPart"] = parts
        before = [self._file(path) for path in used]
        for entry in one.entries:
            self._action(one, entry, dataset, before if entry is one.entries[-1] else [])

    def rest(self) -> None:
        """Add what belongs to no golden: lineage, data, the verifier."""
        for path in self.files:
            self._file(path)

    def _file(self, path: str) -> Any:
        if path not in self._known:
            kind = KINDS.get(PurePosixPath(path).suffix, "application/octet-stream")
            facts = {"name": PurePosixPath(path).name, "encodingFormat": kind, "contentSize": str(self.files[path])}
            self._known[path] = self.crate.add(self.models.file.File(self.crate, dest_path=path, properties=facts))
        return self._known[path]

    def _person(self, author: str) -> Any:
        name = f"#person-{hexadecimal(author)[:16]}"
        if name not in self._known:
            self._known[name] = self.crate.add(self.models.person.Person(self.crate, name, properties={"name": author}))
        return self._known[name]

    def _action(self, one: Holding, entry: Entry, dataset: Any, used: list[Any]) -> None:
        kind = "CreateAction" if entry["old"] is None else "UpdateAction"
        facts = {
            "@type": kind,
            "name": f"{entry['action']} {one.test}",
            "description": str(entry["reason"]),
            "endTime": str(entry["time"]),
            "identifier": str(entry["digest"]),
        }
        name = f"#change-{hexadecimal(str(entry['digest']))}"
        action = self.crate.add(self.models.contextentity.ContextEntity(self.crate, name, properties=facts))
        action["agent"], action["result"] = self._person(str(entry["author"])), dataset
        if used:
            action["object"] = used
        self.crate.root_dataset.append_to("mentions", action)

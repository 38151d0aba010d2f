"""A CycloneDX ML-BOM: each golden as a model component with a model card, on top of the data, models and packages it needs.

The library has no model cards, so they are put into its JSON; tests hold the whole against the published schema.
https://cyclonedx.org/capabilities/mlbom/
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from .. import _lazy
from .._json import Json, json_text
from .facts import Made, Thing, made, metrics
from .names import NAMESPACE, clean, hexadecimal, short_name, uuid_of
from .stock import Holding

__all__ = ["bom_text"]


def bom_text(held: list[Holding], root: Path) -> str:
    """Return the ML-BOM of goldens, in version 1.6 of the format; time and serial number come from what is in it."""
    maker = _Maker()
    sources = {one.folder: made(one, root) for one in held}
    for one in held:
        maker.golden(one, sources[one.folder])
    text = maker.written([str(one.entries[-1]["time"]) for one in held], [one.golden.seal for one in held])
    return json_text(_with_cards(json.loads(text), held, sources))


class _Maker:
    """Makes components with the classes of the library; those that several goldens share, once."""

    def __init__(self) -> None:
        self.model = _lazy.require("cyclonedx.model", extra="audit")
        self.components = _lazy.require("cyclonedx.model.component", extra="audit")
        self.urls = _lazy.require("packageurl", extra="audit")
        self.bom = _lazy.require("cyclonedx.model.bom", extra="audit").Bom()
        self._known: dict[str, Any] = {}

    def golden(self, one: Holding, sources: Made) -> None:
        """Add a golden as a component, with what it depends on."""
        type_of, history = self.components.ComponentType, one.entries[-1]
        facts = {
            "test": one.test,
            "folder": one.folder,
            "seal": one.golden.seal,
            "history:count": str(one.count),
            "history:head": str(history["digest"]),
            "history:reason": str(history["reason"]),
            "history:author": str(history["author"]),
            "commit": sources.commit or "",
            **{f"variant:{clean(key)}": clean(value) for key, value in sorted(one.golden.variant.items())},
            **{f"check:{clean(name) or 'value'}": check.digest for name, check in sorted(one.golden.checks.items())},
            **{f"environment:{thing.name}": thing.text for thing in sources.environment},
            **{f"code:{thing.name}": thing.digest for thing in sources.code},
        }
        model = self._component(golden_ref(one), one.test, type_of.MACHINE_LEARNING_MODEL, one.golden.seal, facts)
        needs = [self._thing(thing, type_of.DATA) for thing in sources.data]
        needs += [self._thing(thing, type_of.MACHINE_LEARNING_MODEL) for thing in sources.artifacts]
        needs += [self._package(name, version) for name, version in sources.packages]
        self.bom.register_dependency(model, needs)

    def written(self, times: list[str], seals: list[str]) -> str:
        """Return the JSON of all that was added."""
        self.bom.metadata.timestamp = max(map(datetime.fromisoformat, times))
        self.bom.serial_number = UUID(uuid_of(*seals))
        output = _lazy.require("cyclonedx.output.json", extra="audit")
        return str(output.JsonV1Dot6(self.bom).output_as_string())

    def _component(self, ref: str, name: str, kind: Any, version: str, facts: dict[str, str], **more: Any) -> Any:
        if ref not in self._known:
            told = [self.model.Property(name=f"mlrepro:{key}", value=value) for key, value in facts.items() if value]
            component = self.components.Component(
                bom_ref=ref, name=name, type=kind, version=version, properties=told, **more
            )
            self.bom.components.add(component)
            self._known[ref] = component
        return self._known[ref]

    def _thing(self, thing: Thing, kind: Any) -> Any:
        facts = {"digest": thing.digest, "kind": thing.kind, "text": thing.text}
        return self._component(_thing_ref(thing), thing.name, kind, thing.digest, facts)

    def _package(self, name: str, version: str) -> Any:
        url = self.urls.PackageURL(type="pypi", name=name.lower().replace("_", "-"), version=version)
        return self._component(str(url), name, self.components.ComponentType.LIBRARY, version, {}, purl=url)


def golden_ref(one: Holding) -> str:
    """Return the reference of a golden within the BOM."""
    return f"{NAMESPACE}golden:{short_name(one.folder)}"


def _thing_ref(thing: Thing) -> str:
    return f"{NAMESPACE}{thing.kind}:{hexadecimal(thing.digest)}:{hexadecimal(thing.name)[:8]}"


def _with_cards(bom: Json, held: list[Holding], sources: dict[str, Made]) -> Json:
    by_ref = {component["bom-ref"]: component for component in bom["components"]}
    for one in held:
        by_ref[golden_ref(one)]["modelCard"] = _card(one, sources[one.folder])
    return bom


def _card(one: Holding, sources: Made) -> dict[str, Json]:
    """Return a model card: the data that was read, and the numbers that the checks hold."""
    card: dict[str, Json] = {"bom-ref": f"{golden_ref(one)}:card"}
    if sources.data:
        card["modelParameters"] = {"datasets": [{"ref": ref} for ref in _once(map(_thing_ref, sources.data))]}
    measured = [{"type": name, "value": value} for name, value in metrics(one)]
    if measured:
        card["quantitativeAnalysis"] = {"performanceMetrics": measured}
    return card


def _once(refs: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(refs))

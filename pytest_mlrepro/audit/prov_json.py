"""W3C PROV-JSON: who changed a golden when, what it was made from, and which step used what another gave.

Entities are named by content, so that a file or value that two tests share is one entity. https://www.w3.org/TR/prov-dm/
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import _lazy
from .._json import json_text
from ..golden.history import Entry
from ..pipeline.facts import Step
from .facts import Made, Thing, check_kind, made
from .names import NAMESPACE, clean, hexadecimal
from .stock import Holding

__all__ = ["prov_text"]


def prov_text(held: list[Holding], root: Path) -> str:
    """Return the PROV-JSON document of goldens."""
    document = _Document(_lazy.require("prov.model", extra="audit"))
    for one in held:
        _golden(document, one, made(one, root))
    return json_text(json.loads(document.document.serialize(format="json")))


class _Document:
    """A document in which each element is written once, whoever refers to it first."""

    def __init__(self, model: Any) -> None:
        self.document = model.ProvDocument()
        self.document.add_namespace("mlrepro", NAMESPACE)
        self._known: set[str] = set()
        self._types = model.PROV

    def _new(self, name: str) -> bool:
        new = name not in self._known
        self._known.add(name)
        return new

    def entity(self, kind: str, digest: str, label: str, **attributes: str | None) -> str:
        name = f"mlrepro:{kind}-{hexadecimal(digest)}"
        if self._new(name):
            self.document.entity(name, _attributes(label, kind, digest=digest, **attributes))
        return name

    def person(self, author: str) -> str:
        name = f"mlrepro:person-{hexadecimal(author)[:16]}"
        if self._new(name):
            self.document.agent(name, {"prov:type": self._types["Person"], "prov:label": author})
        return name

    def relate(self, relation: str, *ends: object) -> None:
        """Write a relation, once: equal ones would share an identifier."""
        if self._new(f"{relation} {ends}"):
            getattr(self.document, relation)(*ends)

    def activity(self, name: str, label: str, kind: str, time: datetime | None, **attributes: str | None) -> str:
        if self._new(name):
            self.document.activity(name, time, time, _attributes(label, kind, **attributes))
        return name


def _attributes(label: str, kind: str, **more: str | None) -> dict[str, str]:
    told = {f"mlrepro:{name}": value for name, value in more.items() if value}
    return {"prov:label": label, "mlrepro:kind": kind, **told}


def _golden(document: _Document, one: Holding, sources: Made) -> None:
    state = ""
    for entry in one.entries:
        state = _change(document, one, entry)
    run = document.activity(
        f"mlrepro:run-{hexadecimal(one.golden.seal)}", f"the run that gave {one.test}", "run", None, test=one.test,
        commit=sources.commit,
    )  # fmt: skip
    document.relate("wasGeneratedBy", state, run)
    for kind, things in (
        ("code", sources.code),
        ("data", sources.data),
        ("artifact", sources.artifacts),
        ("environment", sources.environment),
    ):
        for thing in things:
            document.relate("used", run, _source(document, kind, thing))
    for name, version in sources.packages:
        label = f"{name} {version}"
        document.relate("used", run, document.entity("package", label, label))
    for name, check in sorted(one.golden.checks.items()):
        value = document.entity("value", check.digest, f"{one.test}: {clean(name) or 'value'}", check=check_kind(check))
        document.relate("hadMember", state, value)
    _steps(document, one, run)


def _change(document: _Document, one: Holding, entry: Entry) -> str:
    """Write down one entry of the history, and return the golden that came of it."""
    time = datetime.fromisoformat(str(entry["time"]))
    new = document.entity("golden", str(entry["new"]), f"golden of {one.test}", folder=one.folder)
    change = document.activity(
        f"mlrepro:change-{hexadecimal(str(entry['digest']))}", str(entry["reason"]), str(entry["action"]), time,
        digest=str(entry["digest"]), change=_text(entry["change"]), commit=_text(entry["commit"]),
    )  # fmt: skip
    document.relate("wasAssociatedWith", change, document.person(str(entry["author"])))
    document.relate("wasGeneratedBy", new, change, time)
    if entry["previous"] is not None:
        document.relate("wasInformedBy", change, f"mlrepro:change-{hexadecimal(str(entry['previous']))}")
    if entry["old"] is not None and entry["old"] != entry["new"]:
        old = document.entity("golden", str(entry["old"]), f"golden of {one.test}", folder=one.folder)
        document.relate("wasRevisionOf", new, old, change)
    return new


def _steps(document: _Document, one: Holding, run: str) -> None:
    """Steps are activities; what one gave and another took is one entity, since both are named by content."""
    seal = hexadecimal(one.golden.seal)
    names = {step.name: f"mlrepro:step-{seal[:16]}-{number}" for number, step in enumerate(one.golden.steps, start=1)}
    for step in one.golden.steps:
        activity = document.activity(
            names[step.name], f"{one.test}: step {step.name}", "step", None, raised=step.raised
        )
        document.relate("wasInformedBy", activity, names.get(step.inside or "", run))
        document.relate(
            "wasGeneratedBy", document.entity("value", step.output, f"output of {step.name}", type=step.kind), activity
        )
        _inputs(document, step, activity, names)


def _inputs(document: _Document, step: Step, activity: str, names: dict[str, str]) -> None:
    for given in step.inputs:
        value = document.entity("value", given.digest, f"{given.name} of {step.name}", type=given.kind)
        document.relate("used", activity, value)
    for given in step.files:
        document.relate("used", activity, document.entity("data", given.digest, given.name, type=given.kind))
    for source in step.sources:
        if source in names:
            document.relate("wasInformedBy", activity, names[source])


def _source(document: _Document, kind: str, thing: Thing) -> str:
    return document.entity(kind, thing.digest, thing.name, type=thing.kind, text=thing.text)


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
